"""Latencies as a proxy's histogram shows them: shapes, and counts per cell."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
Change = Callable[[Array], Array]

MEDIAN_US, SPREAD = 50_000.0, 0.6
"""Log-normal: P95 134 ms, P99 202 ms."""

#: Enough points that a change of the slowest thousandth still has dozens of them.
_POINTS = 200_000

#: Envoy's circular log-linear histogram: two significant decimal digits, here from 1 ms to 100 s.
_DIGITS = np.arange(10, 100)
LOWER = np.concatenate([_DIGITS * 10.0**power for power in range(2, 7)])
WIDTH = np.concatenate([np.full(90, 10.0**power) for power in range(2, 7)])

#: Draws beyond this number come from a multinomial per tick; below, one by one is faster.
_ONE_BY_ONE = 1_000_000


@cache
def ordinary() -> Array:
    """Evenly spaced quantiles of a healthy revision's latency, microseconds."""
    shares = (np.arange(_POINTS) + 0.5) / _POINTS
    quantiles: Array = MEDIAN_US * np.exp(SPREAD * ndtri(shares))
    return quantiles


def times(factor: float) -> Change:
    """Every request takes `factor` times as long."""
    return lambda latency: latency * factor


def tail(factor: float) -> Change:
    """The slowest tenth is stretched so that P99 is `factor` times what it was; the rest stays."""

    def change(latency: Array) -> Array:
        p90, p99 = np.quantile(latency, 0.9), np.quantile(latency, 0.99)
        power = np.log(factor) / np.log(p99 / p90)
        return np.where(latency > p90, latency * np.maximum(1.0, latency / p90) ** power, latency)

    return change


def some_slower(share: float, microseconds: float) -> Change:
    """A share of the requests, fast or slow, takes longer by a fixed time."""

    def change(latency: Array) -> Array:
        every = round(1.0 / share)
        slower = latency.copy()
        slower[::every] += microseconds
        return slower

    return change


def shares(latency: Array) -> Array:
    """The part of the requests that falls into each cell; adds up to 1."""
    cells = np.clip(np.searchsorted(LOWER, latency, side="right") - 1, 0, len(LOWER) - 1)
    found: Array = np.bincount(cells, minlength=len(LOWER)) / len(latency)
    return found


@dataclass(frozen=True, slots=True)
class Stretch:
    """Ticks `first` up to but not including `end` in which latency has one shape for each instance.

    Attributes:
        shares: part of the requests in each cell, by instance.
    """

    first: int
    end: int
    shares: tuple[Array, ...]


@dataclass(frozen=True, slots=True)
class Histogram:
    """Answered requests by tick, instance and cell.

    Attributes:
        cells: which of all cells; the others stay empty.
        counts: in each of them.
    """

    cells: Counts
    counts: Counts


NOTHING = Histogram(np.zeros(0, dtype=np.int64), np.zeros((0, 0, 0), dtype=np.int64))
"""Where latency is not known."""


def draw(rng: np.random.Generator, answered: Counts, stretches: list[Stretch]) -> Histogram:
    """Draws the latency of answered requests, which are given by tick and instance."""
    used = np.flatnonzero(np.sum([one for stretch in stretches for one in stretch.shares], axis=0))
    drawn = np.zeros((*answered.shape, len(used)), dtype=np.int32)
    for stretch in stretches:
        part = slice(stretch.first, stretch.end)
        for instance, wanted in enumerate(stretch.shares):
            drawn[part, instance] = _draw_alike(rng, answered[part, instance], wanted[used])
    return Histogram(used, drawn)


def _draw_alike(rng: np.random.Generator, answered: Counts, wanted: Array) -> Counts:
    total = int(answered.sum())
    if total > _ONE_BY_ONE:
        drawn: Counts = rng.multinomial(answered, wanted / wanted.sum())
        return drawn
    cells = np.minimum(np.searchsorted(np.cumsum(wanted), rng.random(total)), len(wanted) - 1)
    ticks = np.repeat(np.arange(len(answered)), answered)
    flat = np.bincount(ticks * len(wanted) + cells, minlength=len(answered) * len(wanted))
    return flat.reshape(len(answered), len(wanted))


def p99(cells: Counts, counts: Counts) -> float:
    """The 99 % quantile of counts by cell in milliseconds, interpolated; NaN without any."""
    total = int(counts.sum())
    if total == 0:
        return float("nan")
    reached = np.cumsum(counts)
    found = int(np.searchsorted(reached, 0.99 * total))
    before = reached[found] - counts[found]
    within = (0.99 * total - before) / counts[found] if counts[found] else 0.0
    cell = cells[found]
    return float(LOWER[cell] + WIDTH[cell] * within) / 1000.0
