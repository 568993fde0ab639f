"""One controller's attempt at one step: how long it has taken, and for how long there have been nothing but errors.

Time is counted from turn to turn, so that a clock that jumps, or a time in which no controller lived, counts for next
to nothing: instances get their time to become ready, and errors their time to pass.
"""

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

#: Seconds for which a step on the way there is tried against errors that may pass, before the run goes back.
PATIENCE = 60.0
#: Seconds between tries: the first, and the longest.
FIRST_RETRY, LONGEST_RETRY = 0.1, 5.0
#: Seconds by which a turn may come late; more is a clock that jumped, or a machine that slept.
LATENESS = 2.0


@dataclass(slots=True)
class Attempt:
    """What is remembered between two turns at a step.

    Attributes:
        step: track and cursor.
        last: when the last turn was, seconds since the epoch, UTC.
        pause: seconds until the next one, as arranged then.
        spent: seconds spent so far.
        tries: errors in a row.
        troubled: what `spent` was at the first of them.
        question: what is being asked beside the turns, if anything.
    """

    step: tuple[str, int]
    last: float
    pause: float = 0.0
    spent: float = 0.0
    tries: int = 0
    troubled: float = 0.0
    question: "Future[Any] | None" = None

    def resume(self, at: float) -> None:
        """A turn begins."""
        self.spent += min(max(0.0, at - self.last), self.pause + LATENESS)
        self.last, self.pause = at, 0.0

    def succeed(self) -> None:
        """The turn brought an answer."""
        self.tries = 0

    def fail(self) -> None:
        """The turn brought an error; the next one comes later each time."""
        if self.tries == 0:
            self.troubled = self.spent
        self.tries += 1

    @property
    def hopeless(self) -> bool:
        """There have been nothing but errors for too long."""
        return self.tries > 0 and self.spent - self.troubled > PATIENCE

    @property
    def retry(self) -> float:
        """Seconds until the next try after an error."""
        return min(FIRST_RETRY * 2.0 ** min(self.tries - 1, 10), LONGEST_RETRY)
