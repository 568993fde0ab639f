"""A target with behaviour and without processes."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from fairway.domain.errors import PermanentError
from fairway.domain.rollout.revision import Endpoint, Revision
from fairway.ports.target import Instance, LogLine


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the instances of a revision behave.

    Attributes:
        ready_after: how many times an instance is observed before it is ready; None: it never is.
        crashes: it ends within seconds of every start.
        refused: why it cannot be started at all; None: it can.
        stops_after: how many times an instance on its way out is observed before it is gone.
    """

    ready_after: int | None = 1
    crashes: bool = False
    refused: str | None = None
    stops_after: int = 0


class FakeTarget:
    """Instances that exist in memory only: starting when first observed, then ready, unless told otherwise.

    Args:
        clock: seconds since the epoch, UTC.
    """

    def __init__(self, *, clock: Callable[[], float] = lambda: 0.0) -> None:
        self._clock = clock
        self._epoch = 0
        self._numbers: dict[str, int] = {}
        self._next_port = 20000
        self._behaviours: dict[str, Behaviour] = {}
        self._instances: list[Instance] = []
        self._observed: dict[str, int] = {}
        self._lines: deque[LogLine] = deque(maxlen=10_000)

    def behave(self, revision: str, behaviour: Behaviour) -> None:
        """From now on the revision's instances behave like this."""
        self._behaviours[revision] = behaviour

    def kill(self, instance: str, how: str = "signal SIGKILL") -> None:
        """Ends the instance's process; it is started again at once and is ready after as many looks as at first."""
        self._observed[instance] = 0
        self._change(instance, lambda one: replace(one, state="starting", restarts=one.restarts + 1, last_exit=how))

    def write(self, instance: str, text: str) -> None:
        """Lets the instance write a line."""
        (one,) = [one for one in self._instances if one.id == instance]
        self._lines.append(LogLine(instance, one.revision, text))

    def ensure_instances(self, revision: Revision, count: int, *, epoch: int) -> tuple[Instance, ...]:
        """See the port."""
        if epoch < self._epoch:
            raise PermanentError("stale-epoch", f"Epoch {epoch} is stale: {self._epoch} has been seen.")
        self._epoch = epoch
        refused = self._behaviour(revision.id).refused
        present = [one for one in self._of(revision.id) if one.state != "stopping"]
        if refused and count > len(present):
            raise PermanentError("program-missing", refused)
        for surplus in present[count:]:
            self._observed[surplus.id] = 0
            self._change(surplus.id, lambda one: replace(one, state="stopping", detail="It is being stopped."))
        self._forget_gone()
        for _ in range(count - len(present)):
            self._start(revision)
        return self._of(revision.id)

    def observe_instances(self, revision: str) -> tuple[Instance, ...]:
        """See the port; every look brings instances that are starting closer to being ready."""
        for one in self._of(revision):
            self._look_at(one)
        self._forget_gone()
        return self._of(revision)

    def list_revisions(self) -> tuple[str, ...]:
        """See the port."""
        return tuple(dict.fromkeys(one.revision for one in self._instances))

    def read_logs(self, revision: str | None, *, lines: int, follow: bool) -> Iterator[LogLine]:
        """See the port; with `follow` it ends when nothing more has been written."""
        left = [line for line in self._lines if revision in {None, line.revision}]
        for instance in dict.fromkeys(line.instance for line in left):
            own = [line for line in left if line.instance == instance]
            yield from own if follow else own[max(0, len(own) - lines) :]

    def _of(self, revision: str) -> tuple[Instance, ...]:
        return tuple(one for one in self._instances if one.revision == revision)

    def _forget_gone(self) -> None:
        self._instances = [
            one
            for one in self._instances
            if one.state != "stopping" or self._observed[one.id] < self._behaviour(one.revision).stops_after
        ]

    def _behaviour(self, revision: str) -> Behaviour:
        return self._behaviours.get(revision, Behaviour())

    def _start(self, revision: Revision) -> None:
        number = self._numbers.get(revision.id, 0) + 1
        self._numbers[revision.id] = number
        name = f"{revision.id}.{number}"
        endpoint = Endpoint(name, "127.0.0.1", self._next_port)
        self._next_port += 1
        started = Instance(name, revision.id, endpoint, "starting", 0, "", self._clock(), pid=endpoint.port)
        self._instances.append(started)
        self._lines.append(LogLine(name, revision.id, f"listening on {endpoint.port}"))

    def _look_at(self, one: Instance) -> None:
        behaviour = self._behaviour(one.revision)
        looks = self._observed[one.id] = self._observed.get(one.id, 0) + 1
        if one.state == "stopping":
            return
        if behaviour.crashes:
            self._change(one.id, _crashed)
        elif behaviour.ready_after is not None and looks > behaviour.ready_after:
            self._change(one.id, lambda one: replace(one, state="ready", detail=""))
        elif one.state == "ready":
            self._change(one.id, lambda one: replace(one, state="unready", detail="It does not answer any more."))

    def _change(self, instance: str, change: Callable[[Instance], Instance]) -> None:
        self._instances = [change(one) if one.id == instance else one for one in self._instances]


def _crashed(one: Instance) -> Instance:
    restarts = one.restarts + 1
    return replace(
        one, state="crash-loop" if restarts >= 3 else "starting", restarts=restarts, last_exit="exit status 1"
    )
