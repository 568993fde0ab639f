"""What one simulated rollout did, tick by tick: the truth that every contestant is shown its own view of."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.canary_bench.latency import Counts, Histogram, p99

DURATION = 1800.0
LADDER = (1.0, 5.0, 10.0, 25.0, 50.0)
BAKE = DURATION / len(LADDER)
"""Seconds of each step of the ladder; all contestants see the same schedule."""


@dataclass(frozen=True, slots=True)
class Side:
    """One revision.

    Attributes:
        finished: first tries that ended, by tick and instance.
        failed: those of them that failed.
        latency: answered first tries.
        ejected: tick in which the proxy ejected an instance, by instance; -1: never.
        abandoned: first tries that the client gave up, by tick, in none of the others; None: nobody does.
    """

    finished: Counts
    failed: Counts
    latency: Histogram
    ejected: tuple[int, ...]
    abandoned: Counts | None = None

    @property
    def left(self) -> Counts:
        """First tries that clients gave up, by tick; zeros where nobody does."""
        nobody: Counts = np.zeros(len(self.finished), dtype=np.int64)
        return nobody if self.abandoned is None else self.abandoned


@dataclass(frozen=True, slots=True)
class Before:
    """Requests of an earlier rollout's candidate, by stretch of time and instance, cumulative.

    Attributes:
        seconds: length of a stretch.
    """

    seconds: float
    finished: Counts
    failed: Counts


@dataclass(frozen=True, slots=True)
class Trace:
    """One rollout.

    Attributes:
        tick: seconds of a tick.
        weights: percent of the requests that go to the candidate, by tick.
        again: failed tries of the candidate that stable answered in its place, by tick and instance of stable.
        again_failed: those of them that failed on stable as well.
        readable: the counters could be read at the end of the tick.
        crashed: tick from which the candidate's processes die at once; None: never.
        onset: seconds at which the candidate became bad; None: never.
        before: requests by instance of an earlier, healthy rollout that brought stable; None: there was none.
    """

    tick: float
    weights: NDArray[np.float64]
    candidate: Side
    stable: Side
    again: Counts
    again_failed: Counts
    readable: NDArray[np.bool_]
    crashed: int | None
    onset: float | None
    before: Before | None

    @property
    def ticks(self) -> int:
        """How many ticks it lasts."""
        return len(self.weights)

    def tick_at(self, seconds: float) -> int:
        """How many ticks have ended after so many seconds."""
        return min(self.ticks, round(seconds / self.tick))


@dataclass(frozen=True, slots=True)
class Minutes:
    """What a metrics server would say of each minute; index 0 is the first.

    Attributes:
        weights: percent to the candidate.
        finished_c: finished by the candidate; `failed_c`, `finished_s`, `failed_s` likewise.
        p99_c: milliseconds; NaN without answers.
        readable: the whole minute could be read.
    """

    weights: NDArray[np.float64]
    finished_c: Counts
    failed_c: Counts
    finished_s: Counts
    failed_s: Counts
    p99_c: NDArray[np.float64]
    p99_s: NDArray[np.float64]
    readable: NDArray[np.bool_]


def minutes(trace: Trace) -> Minutes:
    """Sums the trace up by minute."""
    per = round(60.0 / trace.tick)

    def total(counts: Counts) -> Counts:
        by_minute: Counts = counts.reshape(-1, per, counts.shape[-1]).sum(axis=(1, 2))
        return by_minute

    def slow(side: Side) -> NDArray[np.float64]:
        cells, counts = side.latency.cells, side.latency.counts
        if not len(cells):
            return np.full(trace.ticks // per, np.nan)
        by_minute = counts.sum(axis=1).reshape(-1, per, len(cells)).sum(axis=1)
        return np.array([p99(cells, one) for one in by_minute])

    return Minutes(
        weights=trace.weights[::per],
        finished_c=total(trace.candidate.finished),
        failed_c=total(trace.candidate.failed),
        finished_s=total(trace.stable.finished),
        failed_s=total(trace.stable.failed),
        p99_c=slow(trace.candidate),
        p99_s=slow(trace.stable),
        readable=trace.readable.reshape(-1, per).all(axis=1),
    )
