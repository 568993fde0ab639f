"""From cumulative counters to what ended in between.

Rules: the first snapshot only says where counting begins. When the counters began again (another origin, or a number
went down) that stretch is lost and nothing else. Time is trusted only within limits: a clock that jumped or a reader
that was dead adds at most `LONGEST` seconds, never less than none.
"""

from dataclasses import dataclass
from operator import attrgetter, sub

from fairway.domain.analysis.tally import Tally
from fairway.domain.analysis.traffic import RevisionTraffic, TrafficSnapshot

LONGEST = 2.0
"""Seconds between two readings that are believed to have been watched."""

NO_TRAFFIC = RevisionTraffic("", 0, 0)

_NUMBERS = attrgetter("finished", "failed", "retried", "retried_failed", "abandoned")


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
        counts: five numbers of the candidate, five of stable.
        series: how often they began again.
    """

    at: float | None = None
    origin: str = ""
    counts: list[int] | None = None
    series: int = 0

    def read(self, snapshot: TrafficSnapshot, *, candidate: str, stable: str | None) -> tuple[float, Tally] | None:
        """What ended since the last snapshot, with the seconds that passed; None if that cannot be said."""
        new = _counts(snapshot, candidate, stable)
        old, before = self.counts, self.at
        began_again = snapshot.origin != self.origin
        self.at, self.origin, self.counts = snapshot.at, snapshot.origin, new
        # An earlier version kept fewer numbers: what ended since its last reading cannot be said either.
        if old is None or began_again or len(old) != len(new):
            self.series += old is not None
            return None
        gone = list(map(sub, new, old))
        if min(gone) < 0:
            self.series += 1
            return None
        return trusted(before, snapshot.at), _tally(gone)


def _counts(snapshot: TrafficSnapshot, candidate: str, stable: str | None) -> list[int]:
    """Finished, failed, retried, retried failed and abandoned attempts of the candidate, then of stable."""
    other = snapshot.of(stable) if stable is not None else NO_TRAFFIC
    return [*_NUMBERS(snapshot.of(candidate)), *_NUMBERS(other)]


def _tally(gone: list[int]) -> Tally:
    """What ended, of five numbers of the candidate and five of stable."""
    finished, failed, again, again_failed, given_up, others, others_failed, others_again, retried, left = gone
    if again or again_failed or failed > finished:
        finished, failed, _, _ = _parts(finished, failed, again, again_failed)
    if others_again or retried or others_failed > others:
        others, others_failed, others_again, retried = _parts(others, others_failed, others_again, retried)
    return Tally(finished, failed, others, others_failed, others_again, retried, given_up, left)


def _parts(finished: int, failed: int, retried: int, retried_failed: int) -> tuple[int, int, int, int]:
    """First tries and their failures, second tries and theirs; made to fit where the source counts carelessly."""
    again = min(retried, finished)
    again_failed = min(retried_failed, again)
    first = finished - again
    return first, min(first, max(0, failed - again_failed)), again, again_failed
