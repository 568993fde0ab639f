"""The journal of releases: tables, versions, leases and outbox are those of rollouts, the events their own."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from fairway.ports.journal import RunSummary

if TYPE_CHECKING:  # every command loads this, and few of them care for releases
    from fairway.domain.pipeline.events import ReleaseEvent, ReleaseStarted
    from fairway.domain.pipeline.release import Release


class ReleaseJournal(Protocol):
    """Events of releases. Every write is one durable transaction with its projections and messages."""

    def start_release(self, release: str, event: "ReleaseStarted") -> None:
        """Begins a release; the same call again changes nothing. Whether it is its turn is asked by `take_turn`."""
        ...

    def append_release(
        self, release: "Release", events: "Sequence[ReleaseEvent]", *, epoch: int | None = None
    ) -> "Release":
        """Appends events to the state that was read; a release that halts or ends gives its turn to the next.

        Args:
            release: the state as loaded; its version is the one expected.
            events: one or more facts.
            epoch: the caller's fencing number; None for the commands of people, which hold no lease.

        Returns:
            The state after the events.

        Raises:
            TransientError: code `version-conflict`: somebody else appended meanwhile; load again.
            PermanentError: code `stale-epoch`: somebody else carries the release on.
        """
        ...

    def load_release(self, release: str, *, known: "Release | None" = None) -> "Release":
        """The state of a release; with an earlier state at hand only later events are read.

        Raises:
            UserError: there is no such release; the sentence names the latest ones.
        """
        ...

    def list_releases(self, service: str, *, limit: int = 20) -> tuple[RunSummary, ...]:
        """The latest releases, newest first. `phase`: queued, running, failed, completed or abandoned."""
        ...

    def take_turn(self, service: str, release: str) -> str | None:
        """Makes the release the one under way, if none is and no earlier one waits; the same call again says the same.

        Returns:
            None if it has the turn, else the id of the release that is under way or waits before it.
        """
        ...


class ReleaseLeases(Protocol):
    """Who may carry on which release."""

    def hold(self, release: str, holder: str, *, now: float, ttl: float) -> int | None:
        """Takes the lease of this release, or renews an own one.

        Args:
            release: the release.
            holder: unique for each start of a process.
            now: seconds since the epoch, UTC.
            ttl: seconds until the lease ends unless renewed.

        Returns:
            The fencing number; None if somebody else holds it.
        """
        ...

    def release(self, holder: str) -> None:
        """Gives up all leases of the holder."""
        ...
