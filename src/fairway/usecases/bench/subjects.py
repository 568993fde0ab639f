"""What is measured: an address where something runs already, or a release that runs for the measurement only."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from fairway.domain.errors import PermanentError
from fairway.domain.insight.baseline import Subject
from fairway.domain.rollout.revision import Artifact, Revision, RunSpec
from fairway.ports.load import Place
from fairway.ports.target import Instance, Target

_LOOK_EVERY = 0.05
#: Seconds beyond drain and grace that an instance may take to be gone.
_LEEWAY = 10.0
#: The only one who changes these instances: measurements of a project do not overlap.
_EPOCH = 1
ENVIRONMENT = "@bench"
"""Where releases run that are measured; no environment can have that name."""


@dataclass(frozen=True, slots=True)
class Running:
    """Something that takes requests.

    Attributes:
        place: where.
        processes: whose processor time counts; none: it is not known.
    """

    place: Place
    processes: tuple[int, ...] = ()


class Measurable(Protocol):
    """Something that can be measured."""

    @property
    def subject(self) -> Subject:
        """What it is."""
        ...

    def running(self) -> AbstractContextManager[Running]:
        """It runs for the length of the block."""
        ...


@dataclass(frozen=True, slots=True)
class Address:
    """What runs at an address already."""

    subject: Subject

    @contextmanager
    def running(self) -> Iterator[Running]:
        """Nothing is started."""
        yield Running(Place(self.subject.url))


@dataclass(frozen=True, slots=True)
class Release:
    """One instance of a release, fresh for each round, so that the luck of a start does not count for all of them.

    Attributes:
        target: where it runs.
        revision: what runs.
        clock: seconds, of any beginning.
        pause: waits so many seconds.
    """

    subject: Subject
    target: Target
    revision: Revision
    clock: Callable[[], float]
    pause: Callable[[float], None]

    @contextmanager
    def running(self) -> Iterator[Running]:
        """Starts an instance, waits until it is ready, and until it is gone afterwards.

        Raises:
            PermanentError: it does not get ready.
        """
        try:
            instance = self._ready(self.target.ensure_instances(self.revision, 1, epoch=_EPOCH))
            endpoint = instance.endpoint
            url = "http://localhost" if endpoint.socket else f"http://{endpoint.place}"
            yield Running(Place(url, endpoint.socket), () if instance.pid is None else (instance.pid,))
        finally:
            self.remove()

    def remove(self) -> None:
        """Stops every instance and waits until it is gone."""
        self.target.ensure_instances(self.revision, 0, epoch=_EPOCH)
        limit = self.clock() + self.revision.run.grace + _LEEWAY
        while self.target.observe_instances(self.revision.id):
            if self.clock() > limit:
                raise PermanentError("bench-instance", f"an instance of {self.subject.title} does not end")
            self.pause(_LOOK_EVERY)
        self.target.ensure_instances(self.revision, 0, epoch=_EPOCH)

    def _ready(self, instances: Sequence[Instance]) -> Instance:
        limit = self.clock() + self.revision.run.health.timeout
        while True:
            ready = next((one for one in instances if one.state == "ready"), None)
            if ready is not None:
                return ready
            hopeless = next((one for one in instances if one.state in ("crash-loop", "exited")), None)
            if hopeless is not None or self.clock() > limit:
                why = " ".join(one.detail or one.last_exit for one in instances if one.detail or one.last_exit)
                sentence = f"an instance of {self.subject.title} does not get ready: {why or 'it does not answer'}"
                raise PermanentError("bench-instance", sentence, "fairway deploy it once to see what it says")
            self.pause(_LOOK_EVERY)
            instances = self.target.observe_instances(self.revision.id)


def remove_leftovers(target: Target, service: str) -> None:
    """Stops what a measurement left that was killed.

    Args:
        target: of `ENVIRONMENT`.
        service: whose instances these are.
    """
    for name in target.list_revisions():
        nothing = Revision(name, service, ENVIRONMENT, Artifact(service, "", "", "", ""), RunSpec(""))
        target.ensure_instances(nothing, 0, epoch=_EPOCH)
