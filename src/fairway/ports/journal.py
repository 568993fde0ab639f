"""The journal: append-only events with a version per run, and what is projected from them in the same transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fairway.domain.analysis.history import UNCHANGED, HistoryChange
from fairway.domain.rollout.events import Event, RunStarted
from fairway.domain.rollout.revision import Revision
from fairway.domain.rollout.run import Run

#: As `wake`: due at once, whatever the clocks of different machines say, and if they jump.
AT_ONCE = 0.0


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to advance a run, until the lease ends.

    Attributes:
        epoch: fencing number; rises with every change of holder in the run's environment and with every new run there.
    """

    run: str
    epoch: int


@dataclass(frozen=True, slots=True)
class EnvironmentState:
    """What an environment serves.

    Attributes:
        live: the revision that counts as live; None before the first deployment.
        instances: how many instances of it are wanted.
        run: id of the run under way; None if there is none.
        by: id of the run that made `live` live.
        since: seconds since the epoch, UTC, when it became live.
        epoch: the highest fencing number granted so far.
    """

    service: str
    environment: str
    live: Revision | None
    instances: int
    run: str | None
    by: str | None
    since: float | None
    epoch: int


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run as a line in a list. Times are seconds since the epoch, UTC."""

    id: str
    kind: str
    service: str
    environment: str
    release: str
    digest: str
    commit: str
    strategy: str
    phase: str
    verdict: str | None
    reason: str
    actor: str
    started: float
    ended: float | None


@dataclass(frozen=True, slots=True)
class Quarantine:
    """A rejected artifact."""

    digest: str
    service: str
    release: str
    reason: str
    run: str
    at: float


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one receiver, waiting to be delivered.

    Attributes:
        id: key that stays the same over all tries.
        receiver: `kind` of the notifier and its `settings`, an object.
        tries: how often it was tried before.
    """

    id: str
    receiver: Mapping[str, Any]
    body: Mapping[str, Any]
    tries: int


class Journal(Protocol):
    """Events of runs. Every write is one durable transaction with all its projections and messages."""

    def start(self, run: str, event: RunStarted) -> str | None:
        """Begins a run and makes it due at once; the same call again changes nothing.

        Returns:
            None if it began; else the id of the run that is under way in that environment, and nothing is written.

        Raises:
            TransientError: code `plan-outdated`: another revision than the plan's stable one has become live since.
        """
        ...

    def append(self, run: Run, events: Sequence[Event], *, wake: float | None, epoch: int | None = None) -> Run:
        """Appends events to the state that was read.

        Args:
            run: the state as loaded; its version is the one expected.
            events: one or more facts; with none, only `wake` is written, under the same conditions.
            wake: when the run is due next, seconds since the epoch, UTC; None: when somebody appends to it.
            epoch: the caller's fencing number; None for the commands of people, which hold no lease.

        Returns:
            The state after the events.

        Raises:
            TransientError: code `version-conflict`: somebody else appended meanwhile; load again.
            PermanentError: code `stale-epoch`: another controller holds the run.
        """
        ...

    def load(self, run: str, *, known: Run | None = None) -> Run:
        """The state of a run; with an earlier state at hand only later events are read.

        Raises:
            UserError: there is no such run; the sentence names the latest ones.
        """
        ...

    def list_events(self, run: str, *, after: int = 0) -> tuple[Event, ...]:
        """The events of a run with a version above `after`, in order."""
        ...


class Leases(Protocol):
    """Who may advance which run. One holder a run; another takes over when the lease has ended."""

    def claim(self, holder: str, *, now: float, ttl: float, limit: int) -> tuple[Claim, ...]:
        """Takes due runs that nobody else holds, and renews own leases of due runs; the longest due first.

        Args:
            holder: unique for each start of a controller.
            now: seconds since the epoch, UTC; runs with `wake` up to it are due.
            ttl: seconds until the lease ends unless renewed.
            limit: at most so many.
        """
        ...

    def renew(self, holder: str, *, now: float, ttl: float) -> tuple[Claim, ...]:
        """Renews all leases of the holder and returns what it still holds."""
        ...

    def release(self, holder: str) -> None:
        """Gives up all leases of the holder."""
        ...


class Evidence(Protocol):
    """The analysis of a run under way: one JSON value a run, and beside it the course of its evidence."""

    def load_evidence(self, run: str) -> dict[str, Any] | None:
        """The value saved last; None if none was."""
        ...

    def save_evidence(
        self, run: str, value: Mapping[str, Any], *, epoch: int, history: HistoryChange = UNCHANGED
    ) -> None:
        """Replaces the value and changes the history, in one transaction.

        Raises:
            PermanentError: code `stale-epoch`.
        """
        ...

    def load_history(self, run: str) -> tuple[tuple[int, dict[str, Any]], ...]:
        """The points kept of the run's evidence, each after its number, in order."""
        ...


class Records(Protocol):
    """What is projected from the events."""

    def environment(self, service: str, environment: str) -> EnvironmentState:
        """The state of an environment; an empty one if nothing ever happened there."""
        ...

    def list_environments(self, service: str) -> tuple[str, ...]:
        """The environments of a service in which anything ever happened, in the order of their first run."""
        ...

    def list_runs(
        self, *, service: str | None = None, environment: str | None = None, limit: int = 20
    ) -> tuple[RunSummary, ...]:
        """The latest runs, newest first."""
        ...

    def list_revisions(
        self, service: str, environment: str, *, named: str | None = None, limit: int = 20
    ) -> tuple[tuple[RunSummary, Revision], ...]:
        """The latest runs that made a revision live in the environment, with that revision, newest first.

        Args:
            service: of which service.
            environment: where.
            named: only those that go by this name: a version with or without `v`, digest, commit or its first twelve
                digits, revision or run.
            limit: at most so many.
        """
        ...

    def quarantine(self, digest: str) -> Quarantine | None:
        """The entry of a rejected artifact; None if it may be deployed."""
        ...


class Outbox(Protocol):
    """Messages written with the events that caused them, delivered afterwards, in order for each receiver."""

    def list_due(self, *, now: float, limit: int) -> tuple[Message, ...]:
        """Messages to be tried now, oldest first: at most one a receiver, so ask again once they were tried."""
        ...

    def mark_delivered(self, message: str) -> None:
        """The receiver has it."""
        ...

    def postpone(self, message: str, *, until: float, error: str, give_up: bool = False) -> None:
        """It could not be delivered; try again at `until`, or never."""
        ...

    def forget(self, *, before: float) -> int:
        """Removes what was delivered or given up of runs that ended before that time, and says how many messages."""
        ...


class ReadStore(Protocol):
    """What questions ask: the reading half of the journal."""

    def load(self, run: str) -> Run:
        """See `Journal.load`."""
        ...

    def load_evidence(self, run: str) -> dict[str, Any] | None:
        """See `Evidence.load_evidence`."""
        ...

    def environment(self, service: str, environment: str) -> EnvironmentState:
        """See `Records.environment`."""
        ...

    def list_environments(self, service: str) -> tuple[str, ...]:
        """See `Records.list_environments`."""
        ...

    def list_runs(
        self, *, service: str | None = None, environment: str | None = None, limit: int = 20
    ) -> tuple[RunSummary, ...]:
        """See `Records.list_runs`."""
        ...


class Story(Protocol):
    """What the course of a run is told from."""

    def load(self, run: str) -> Run:
        """See `Journal.load`."""
        ...

    def list_events(self, run: str) -> tuple[Event, ...]:
        """See `Journal.list_events`."""
        ...

    def load_history(self, run: str) -> tuple[tuple[int, dict[str, Any]], ...]:
        """See `Evidence.load_history`."""
        ...
