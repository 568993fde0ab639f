"""The interval of the ratio of the two error ratios, valid at every moment (a confidence sequence).

Given that a request failed, it is a candidate's with probability `share * r / (1 - share + share * r)`, where `share`
is the candidate's part of the block's requests and `r` the ratio of the error ratios. The likelihood of `r` over all
blocks needs the candidate's failures and, for each `r` of a grid, one sum. All `r` whose likelihood is not 1/alpha
times below the grid's mean form the interval (Robbins 1970; Lindon and Malek 2022; Ville 1939 for the guarantee).

It describes the present step. It is for people; the lanes decide without it. It is not intersected with what it was
before, because the ratio itself may change. The ends lie between grid points, 15 % apart, where lines through the
neighbours cross the level. The logarithm of the likelihood is concave in log r, so it lies below such a line beyond the
two points that the line goes through: the interval may come out too wide, by a little, and never too narrow.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import exp, lgamma, log, log1p

POINTS = 97
GRID = tuple(10.0 ** (-3.0 + 6.0 * i / (POINTS - 1)) for i in range(POINTS))
_LOGS = tuple(log(r) for r in GRID)
_MORE = tuple(r - 1.0 for r in GRID)
_DOUBT = log(100.0)  # 1/alpha of a 99 % interval
_NOTHING = 50.0
_NONE = (0.0,) * POINTS
_POOL = 16
"""Failures from which on pooled blocks are a block: about as many as fall into a longer one."""


@dataclass(slots=True)
class RatioInterval:
    """What is known of the ratio in the present step.

    Attributes:
        failures: failures of the candidate.
        sums: for each `r` of the grid the sum of `failures of both * log(1 - share + share * r)`; empty before the
            first failure.
        fresh: failures of both and share of the blocks that are not in the sums yet: they cost as much as a verdict,
            and are for people, so that they are summed when somebody asks.
        pooled: finished and failed requests of the candidate, then of stable, of short blocks that are taken together
            until there are enough failures to be worth the sums.
        ends: of the interval, once somebody has asked since the last failure.
    """

    failures: int = 0
    sums: list[float] = field(default_factory=list)
    fresh: list[tuple[int, float]] = field(default_factory=list)
    pooled: tuple[int, int, int, int] = (0, 0, 0, 0)
    ends: tuple[float | None, float | None] | None = field(default=None, compare=False)

    def add(self, *, candidate_failed: int, stable_failed: int, share: float) -> None:
        """Adds one block; `share` is the candidate's part of the block's requests, between 0 and 1."""
        failed = candidate_failed + stable_failed
        if failed == 0:
            return
        self.failures += candidate_failed
        self.fresh = [*self.fresh, (failed, share)]
        self.ends = None

    def pool(self, candidate: tuple[int, int], stable: tuple[int, int]) -> None:
        """Adds one of many short blocks, each given as finished and failed requests; several of them are one to it."""
        finished, failed, others, others_failed = self.pooled
        finished, failed = finished + candidate[0], failed + candidate[1]
        others, others_failed = others + stable[0], others_failed + stable[1]
        self.pooled = (finished, failed, others, others_failed)
        if candidate[1] or stable[1]:
            self.ends = None
        if failed + others_failed >= _POOL:
            share = finished / (finished + others)
            self.add(candidate_failed=failed, stable_failed=others_failed, share=share)
            self.pooled = (0, 0, 0, 0)

    def bounds(self) -> tuple[float | None, float | None]:
        """The 99 % interval.

        Returns:
            The lower end, 0 if none is known; the upper end, None if none is known; (None, None) before any failure.
        """
        if self.ends is None:
            self._sum_up()
            self.ends = self._ends()
        return self.ends

    def _ends(self) -> tuple[float | None, float | None]:
        finished, failed, others, others_failed = self.pooled
        failures, both, sums = self.failures + failed, failed + others_failed, self.sums
        if both:
            share = finished / (finished + others)
            sums = [before + both * log1p(share * more) for before, more in zip(sums or _NONE, _MORE, strict=True)]
        if not sums:
            return None, None
        likelihood = [failures * ln - s for ln, s in zip(_LOGS, sums, strict=True)]
        highest = max(likelihood)
        # What is so much lower adds nothing to the sum.
        mean = highest + log(sum([exp(ell - highest) for ell in likelihood if ell > highest - _NOTHING]) / POINTS)
        level, first, last = mean - _DOUBT, 0, POINTS - 1
        while mean - likelihood[first] >= _DOUBT:
            first += 1
        while mean - likelihood[last] >= _DOUBT:
            last -= 1
        low = exp(_crossing(likelihood, level, first, -1)) if first > 0 else 0.0
        return low, exp(_crossing(likelihood, level, last, 1)) if last + 1 < POINTS else None

    def _sum_up(self) -> None:
        for failed, share in self.fresh:
            before = self.sums or _NONE
            if failed == 1:
                self.sums = [s + log1p(share * more) for s, more in zip(before, _MORE, strict=True)]
            else:
                self.sums = [s + failed * log1p(share * more) for s, more in zip(before, _MORE, strict=True)]
        self.fresh = []


def _crossing(likelihood: list[float], level: float, inside: int, way: int) -> float:
    """The logarithm of `r` beyond which the likelihood is certainly below the level.

    Args:
        likelihood: logarithms, one for each `r` of the grid.
        level: also a logarithm.
        inside: index of the last point above the level.
        way: 1 upwards, -1 downwards; there is a point in that direction.
    """
    outside = inside + way
    ends = [_LOGS[outside]]
    for near, far in ((inside - way, inside), (outside, outside + way)):
        if 0 <= near < POINTS and 0 <= far < POINTS and likelihood[near] > likelihood[far]:
            slope = (likelihood[far] - likelihood[near]) / (_LOGS[far] - _LOGS[near])
            ends.append(_LOGS[near] + (level - likelihood[near]) / slope)
    return min(ends, key=lambda end: abs(end - _LOGS[inside]))


def proportion_interval(failed: int, finished: int) -> tuple[float, float]:
    """The interval of a proportion that was seen as `failed` of `finished`, valid at every moment.

    All `p` whose likelihood is not 1/alpha times below the mean over the Beta(1/2, 1/2) prior (Robbins 1970).

    Returns:
        The ends of the 99 % interval, from 0 to 1.
    """
    if finished <= 0:
        return 0.0, 1.0
    passed = finished - failed
    mean = lgamma(failed + 0.5) + lgamma(passed + 0.5) - lgamma(finished + 1.0) - 2.0 * lgamma(0.5)

    def inside(p: float) -> bool:
        return mean - (failed * log(p) if failed else 0.0) - (passed * log1p(-p) if passed else 0.0) < _DOUBT

    middle = min(1.0 - 1e-9, max(1e-9, failed / finished))
    return (_edge(inside, middle, 0.0) if failed else 0.0), (_edge(inside, middle, 1.0) if passed else 1.0)


def _edge(inside: Callable[[float], bool], within: float, beyond: float) -> float:
    """Where an interval ends between a point within it and a bound, to a millionth of their distance."""
    for _ in range(40):
        middle = (within + beyond) / 2.0
        within, beyond = (middle, beyond) if inside(middle) else (within, middle)
    return beyond
