"""Whether requests left at their time, and if not, whose fault it was."""

import math
import time
from pathlib import Path

from fairway.adapters.load.report import Limit, Pace

#: Seconds after its time from which on a request counts as late: two ticks.
LATE = 0.002
#: Share of late requests from which on the run's P99 is not that of the service alone.
_MANY = 0.01
#: As many may be late in a short run: what becomes of its median does not hang on them.
_FEW = 2
#: Share of the time at work, or waiting for a processor, from which on the generator has no time left.
_FULL = 0.9


class PaceKeeper:
    """Keeps the account of one run.

    A request is late because of the generator if a connection was free when it fell due: it fell due after a look that
    left one connection at least, and before the next, which came late.
    """

    def __init__(self) -> None:
        self._late = 0
        self._alone = 0
        self._max_lag = 0.0
        self._free_since = math.inf
        self._held_until = 0.0
        self._began = (0.0, 0.0, 0.0)

    def start(self) -> None:
        """Counts from now on."""
        self._began = _account()
        self._late = self._alone = 0
        self._max_lag = 0.0

    def look(self, now: float, *, is_free: bool) -> None:
        """A look at what was due ends.

        Args:
            now: what was due then has been sent, as far as connections were free.
            is_free: one is left.
        """
        if now - self._free_since > LATE:
            self._held_until = now  # what fell due meanwhile may be more than the connections can take at once
        self._free_since = now if is_free else math.inf

    def note(self, intended: float, now: float) -> None:
        """A request leaves more than `LATE` after its time."""
        lag = now - intended
        self._max_lag = max(self._max_lag, lag)
        if lag > LATE:
            self._late += 1
            if intended > self._free_since or intended <= self._held_until:
                self._alone += 1

    def finish(self, sent: int, behind: int, rate: float) -> Pace:
        """The account.

        Args:
            sent: requests that were sent.
            behind: requests that should have been sent too.
            rate: requests a second asked for; 0: as many as the connections carry.
        """
        seconds, processor, waited = (end - begin for end, begin in zip(_account(), self._began, strict=True))
        seconds = max(seconds, 1e-9)
        late = self._late + behind
        limit = self._limit(late, sent + behind, rate, busy=(processor + waited) / seconds)
        share = round(waited / seconds, 4) if _SCHEDULER.exists() else None
        return Pace(limit, round(processor / seconds, 4), share, late, self._alone, round(self._max_lag * 1000, 3))

    def _limit(self, late: int, due: int, rate: float, *, busy: float) -> Limit:
        if rate and late <= max(due * _MANY, _FEW):
            return ""
        if busy >= _FULL or self._alone > late / 2:
            return "generator"
        return "connections" if rate else ""


_SCHEDULER = Path("/proc/self/schedstat")


def _account() -> tuple[float, float, float]:
    """Seconds: the clock, processor time used, and time spent ready to run without a processor."""
    try:
        waited = int(_SCHEDULER.read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        waited = 0.0
    return time.monotonic(), time.process_time(), waited
