"""From cumulative counters to what ended in between.

Rules: the first snapshot only says where counting begins. When the counters began again (another origin, or a number
went down) that stretch is lost and nothing else. A snapshot that is older than the one before, by time and by count, is
not used at all. Time is trusted only within limits: a clock that jumped or a reader that was dead adds at most
`LONGEST` seconds, never less than none.
"""

from dataclasses import dataclass

from fairway.domain.analysis.tally import Tally
from fairway.domain.analysis.traffic import TrafficSnapshot

LONGEST = 2.0
"""Seconds between two readings that are believed to have been watched."""


def trusted(before: float | None, now: float) -> float:
    """Seconds that passed, 0 to `LONGEST`; 0 when there was nothing before."""
    if before is None:
        return 0.0
    return min(LONGEST, max(0.0, now - before))


@dataclass(slots=True)
class Counters:
    """The last snapshot that was used.

    Attributes:
        at: when it was read; None before the first.
        origin: identity of the counters' beginning.
        counts: candidate finished and failed, stable finished and failed.
    """

    at: float | None = None
    origin: str = ""
    counts: list[int] | None = None

    def read(self, snapshot: TrafficSnapshot, *, candidate: str, stable: str | None) -> tuple[float, Tally] | None:
        """What ended since the last snapshot, with the seconds that passed; None if that cannot be said."""
        new = _counts(snapshot, candidate, stable)
        old, before = self.counts, self.at
        same = old is not None and snapshot.origin == self.origin
        fell = same and old is not None and any(b < a for a, b in zip(old, new, strict=True))
        if fell and before is not None and snapshot.at < before:
            return None
        self.at, self.origin, self.counts = snapshot.at, snapshot.origin, new
        if old is None or not same or fell:
            return None
        gone = [b - a for a, b in zip(old, new, strict=True)]
        tally = Tally(gone[0], min(gone[0], gone[1]), gone[2], min(gone[2], gone[3]))
        return trusted(before, snapshot.at), tally


def _counts(snapshot: TrafficSnapshot, candidate: str, stable: str | None) -> list[int]:
    c = snapshot.of(candidate)
    if stable is None:
        return [c.finished, c.failed, 0, 0]
    s = snapshot.of(stable)
    return [c.finished, c.failed, s.finished, s.failed]
