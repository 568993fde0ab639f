"""What comes at a time that is closed is refused, or passes with a reason on record."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass, replace

from fairway.domain.cadence.calendar import Calendar, Closed
from fairway.domain.cadence.policy import Passage
from fairway.domain.errors import UserError
from fairway.usecases.answers import Declined
from fairway.usecases.reasons import as_reason


@dataclass(frozen=True, slots=True)
class CadenceGate:
    """Asks the calendar.

    Attributes:
        clock: now, seconds since the epoch, UTC.
    """

    calendar: Calendar
    clock: Callable[[], float]

    def admit_deployment(self, environment: str, passage: Passage | None) -> Passage | Declined | None:
        """Whether a deployment may begin: the passage, with what it passes, or why not."""
        if environment not in self.calendar.policy.environments:
            return passage
        return self._admit(f"a deployment to {environment}", passage)

    def admit_release(
        self, version: str, passage: Passage | None, *, is_prerelease: bool, to: str | None
    ) -> Passage | Declined | None:
        """Whether a release may begin, and the deployment that it goes on to.

        Args:
            version: the version.
            passage: what was asked for; None: nothing.
            is_prerelease: it is no stable one.
            to: the environment that it goes on to; None: none.
        """
        if self.calendar.policy.holds_release(is_prerelease=is_prerelease):
            return self._admit(f"the release of {version}", passage)
        return passage if to is None else self.admit_deployment(to, passage)

    def _admit(self, what: str, passage: Passage | None) -> Passage | Declined | None:
        closed = self.calendar.judge(self.clock())
        if closed is None:
            return passage
        if passage is not None:
            return replace(passage, passed=closed.why)
        hint = f"{self._words(closed)}; --emergency REASON or --security REASON pass, on record"
        return Declined("closed", f"{what} is held back: {closed.why}", hint)

    def _words(self, closed: Closed) -> str:
        if closed.opens is None:
            return "it stays closed for two years at least"
        return f"it is the time again on {local(closed.opens, self.calendar)}"


def local(at: float, calendar: Calendar) -> str:
    """A moment as a clock on the wall there shows it."""
    shown = datetime.datetime.fromtimestamp(at, calendar.zone)
    return f"{shown:%a %Y-%m-%d %H:%M} {calendar.policy.time_zone}"


def passage_of(emergency: str | None, security: str | None) -> Passage | None:
    """What somebody said so that windows and freezes are passed.

    Raises:
        UserError: both were said, or without a reason.
    """
    if emergency is not None and security is not None:
        raise UserError("usage", "--emergency and --security cannot both be given", "say the one that it is")
    text = emergency if emergency is not None else security
    if text is None:
        return None
    reason = as_reason(text)
    kind = "emergency" if emergency is not None else "security"
    if not reason:
        raise UserError("no-reason", f"--{kind} needs a reason", f"--{kind} TEXT")
    return Passage("emergency" if emergency is not None else "security", reason)
