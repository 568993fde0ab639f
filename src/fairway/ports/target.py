"""Where instances run: this machine, a cluster, a cloud."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from fairway.domain.rollout.revision import Endpoint, Revision

InstanceState = Literal["starting", "ready", "unready", "stopping", "crash-loop", "exited"]


@dataclass(frozen=True, slots=True)
class Instance:
    """One running copy of a revision, as observed.

    Attributes:
        id: unique within (service, environment), stable over restarts by the supervisor.
        endpoint: where it listens; the same over restarts.
        state: `ready` only if its readiness shows now and it is our own process that answers.
        restarts: how often it was started again since it was first started.
        last_exit: how the last process ended, in words ("exit status 1", "signal SIGKILL"), empty if none did.
        since: seconds since the epoch, UTC, when the present process was started.
        pid: the present process, None if none runs.
        detail: why it is not ready, in one sentence; empty if it is, or if nothing is known.

    One that is `stopping` and will not come back counts no more; it is shown until it is gone.
    """

    id: str
    revision: str
    endpoint: Endpoint
    state: InstanceState
    restarts: int
    last_exit: str
    since: float
    pid: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that an instance wrote."""

    instance: str
    revision: str
    text: str


class Target(Protocol):
    """Runs the instances of revisions, of one service in one environment."""

    def ensure_instances(self, revision: Revision, count: int, *, epoch: int) -> tuple[Instance, ...]:
        """Makes exactly `count` instances of the revision exist; starts what is missing, stops the surplus.

        Returns at once: what it starts is `starting`, what it stops is `stopping` until it is gone, and counts no more.
        Surplus instances, the youngest first, get SIGTERM, grace, SIGKILL with their whole process group; the caller
        has taken them out of rotation and drained them before. A second call with the same arguments changes nothing.

        Args:
            revision: what to run.
            count: how many instances, 0 or more; 0 also removes the revision's working state.
            epoch: fencing number of the caller's lease.

        Returns:
            The instances as they are now, those on their way out included, oldest first.

        Raises:
            TransientError: no free port, no memory, no disk at the moment.
            PermanentError: the command does not exist or may not be run; the epoch is stale.
        """
        ...

    def observe_instances(self, revision: str) -> tuple[Instance, ...]:
        """The instances of the revision as they are now, oldest first; empty if nothing is left of it."""
        ...

    def list_revisions(self) -> tuple[str, ...]:
        """Ids of all revisions that have instances, in any state."""
        ...

    def read_logs(self, revision: str | None, *, lines: int, follow: bool) -> Iterator[LogLine]:
        """The last `lines` lines of each instance (of one revision, or of all), then, with `follow`, what comes."""
        ...
