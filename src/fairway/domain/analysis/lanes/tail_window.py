"""An open block of a lane that counts slow requests: where the cumulative counts stood when it began.

The edges are fixed before the block, so that only a few numbers have to be remembered of a whole histogram.
"""

from dataclasses import dataclass, field

from fairway.domain.analysis.lanes.lane import Histograms
from fairway.domain.analysis.tally import Tally

CLOSED = -1

Slow = tuple[int, list[int]]
"""Requests, and how many of them were slower than each edge."""


@dataclass(slots=True)
class TailWindow:
    """What there was when the block began, and what failed since.

    Attributes:
        series: of the counts at the beginning; `CLOSED` when no block is open.
        candidate_edges: in microseconds.
        stable_edges: likewise.
        candidate: answered requests at the beginning, then those slower than each edge.
        stable: likewise.
        candidate_failed: since the beginning; they count as slower than every edge.
        stable_failed: likewise.
    """

    series: int = CLOSED
    candidate_edges: list[float] = field(default_factory=list)
    stable_edges: list[float] = field(default_factory=list)
    candidate: list[int] = field(default_factory=list)
    stable: list[int] = field(default_factory=list)
    candidate_failed: int = 0
    stable_failed: int = 0

    def open(self, histograms: Histograms, candidate_edges: list[float], stable_edges: list[float]) -> None:
        """A block begins here."""
        self.series = histograms.series
        self.candidate_edges, self.stable_edges = candidate_edges, stable_edges
        self.candidate, self.stable = self._now(histograms)
        self.candidate_failed = self.stable_failed = 0

    def close(self) -> None:
        """What was open is discarded."""
        self.series = CLOSED

    @property
    def is_open(self) -> bool:
        """A block has begun."""
        return self.series != CLOSED

    def add(self, tally: Tally) -> None:
        """Adds what failed."""
        self.candidate_failed += tally.candidate_failed
        self.stable_failed += tally.stable_failed

    def counts(self, histograms: Histograms) -> tuple[Slow, Slow]:
        """Of the candidate and of stable: requests in the block, and how many were slower than each edge."""
        return self._counts(*self._now(histograms))

    def take(self, histograms: Histograms, *, either: bool = False) -> tuple[Slow, Slow] | None:
        """The counts of the block, and the next one begins here.

        Args:
            histograms: of the same series.
            either: requests of one side are enough; otherwise both must have some.

        Returns:
            As `counts`; None, and nothing changes, while there are too few.
        """
        candidate, stable = self._now(histograms)
        counts = self._counts(candidate, stable)
        some, others = counts[0][0] > 0, counts[1][0] > 0
        if not ((some or others) if either else (some and others)):
            return None
        self.candidate, self.stable, self.candidate_failed, self.stable_failed = candidate, stable, 0, 0
        return counts

    def _now(self, histograms: Histograms) -> tuple[list[int], list[int]]:
        return histograms.candidate.tails(self.candidate_edges), histograms.stable.tails(self.stable_edges)

    def _counts(self, candidate: list[int], stable: list[int]) -> tuple[Slow, Slow]:
        mine = _since(self.candidate, candidate, self.candidate_failed)
        return mine, _since(self.stable, stable, self.stable_failed)


def _since(before: list[int], now: list[int], failed: int) -> Slow:
    total, *slow = [b - a + failed for a, b in zip(before, now, strict=True)]
    return max(0, total), [one if 0 <= one <= total else max(0, min(total, one)) for one in slow]
