"""Quantiles of both revisions in the present step, with an interval of their ratio. For people; no verdict rests on it.

The interval is the one of Howard and Ramdas ("Sequential estimation of quantiles with applications to A/B testing and
best-arm identification", 2022): with probability 1 - alpha the quantile of share p lies, at every moment, between the
empirical quantiles of shares p - f and p + f, where f = 1.5 sqrt(p (1 - p) l) + 0.8 l and
l = (1.4 ln ln(2.1 n) + ln(10 / alpha)) / n. Half of alpha for each revision gives the interval of the ratio. It
supposes that latencies keep their distribution during the step, which the lane does not.
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import accumulate, repeat
from math import log, sqrt
from operator import itemgetter, sub
from typing import Any

from fairway.domain import codec
from fairway.domain.analysis.distribution import Distribution
from fairway.domain.analysis.evidence import QuantileRatio
from fairway.domain.analysis.lanes.lane import Histograms

SHOWN = (0.5, 0.75, 0.9, 0.95, 0.99)
_LOWER, _COUNT, _LOWER_AND_COUNT = itemgetter(0), itemgetter(2), itemgetter(0, 2)
_DOUBT = 0.005
"""Half of the alpha of a 99 % interval."""

Range = tuple[float, float | None, float | None]
"""A quantile in microseconds, and the ends of its interval."""


@dataclass(slots=True)
class Comparison:
    """What there was when the step began, and the quantiles of what came since.

    Attributes:
        series: of the counts at the beginning; -1 before.
        candidate: count of each cell at the beginning, by lower edge.
        stable: likewise.
        quantiles: as of the last closed block; empty before the first.
        written: what there was, as a JSON value once it was asked for; it changes with steps and is stored each second.
    """

    series: int = -1
    candidate: tuple[tuple[float, int], ...] = ()
    stable: tuple[tuple[float, int], ...] = ()
    quantiles: tuple[QuantileRatio, ...] = field(default=())
    written: dict[str, Any] | None = field(default=None, compare=False)

    def begin(self, histograms: Histograms) -> None:
        """The step begins here, or counting began again; otherwise nothing happens."""
        if self.series == histograms.series:
            return
        self.series, self.written = histograms.series, None
        self.candidate, self.stable = _counts(histograms.candidate), _counts(histograms.stable)

    def update(self, histograms: Histograms) -> None:
        """Computes the quantiles anew."""
        candidate = _Sample(histograms.candidate, self.candidate)
        stable = _Sample(histograms.stable, self.stable)
        if candidate.total and stable.total:
            self.quantiles = tuple([_compare(share, candidate, stable) for share in SHOWN])

    def to_json(self) -> dict[str, Any]:
        """The state as a JSON value, which `from_json` of the codec reads; nobody may change it."""
        if self.written is None:
            kept = {name: codec.to_json(getattr(self, name)) for name in ("series", "candidate", "stable")}
            self.written = {"type": "Comparison", **kept}
        return self.written | {"quantiles": codec.to_json(self.quantiles)}


class _Sample:
    """What came between two moments."""

    def __init__(self, distribution: Distribution, before: tuple[tuple[float, int], ...]) -> None:
        self.cells, known = distribution.cells, dict(before)
        # By functions in C, here and below: a histogram has some hundred cells.
        counts = map(sub, map(_COUNT, self.cells), map(known.get, map(_LOWER, self.cells), repeat(0)))
        self.below: list[int] = list(accumulate(counts, initial=0))
        self.total = self.below[-1]

    def at(self, share: float) -> float:
        """The latency below which that share lies, interpolated within its cell."""
        wanted = share * self.total
        place = max(1, bisect_left(self.below, wanted))
        lower, width, _ = self.cells[place - 1]
        inside = self.below[place] - self.below[place - 1]
        return lower + width * (wanted - self.below[place - 1]) / inside

    def range(self, share: float) -> Range:
        n = self.total
        ell = (1.4 * log(max(1.0, log(2.1 * n))) + log(10.0 / _DOUBT)) / n
        radius = 1.5 * sqrt(share * (1.0 - share) * ell) + 0.8 * ell
        low, high = share - radius, share + radius
        return self.at(share), (self.at(low) if low > 0.0 else None), (self.at(high) if high < 1.0 else None)


def _compare(share: float, candidate: _Sample, stable: _Sample) -> QuantileRatio:
    (mine, low, high), (theirs, least, most) = candidate.range(share), stable.range(share)
    return QuantileRatio(
        share,
        mine / 1000.0,
        theirs / 1000.0,
        mine / theirs if theirs > 0.0 else None,
        low / most if low is not None and most else None,
        high / least if high is not None and least else None,
    )


def _counts(distribution: Distribution) -> tuple[tuple[float, int], ...]:
    return tuple(map(_LOWER_AND_COUNT, distribution.cells))
