"""Textbook tests on the errors, looked at again and again: what somebody writes in an afternoon.

Each compares all requests since the present step began, because the candidate's share differs from step to step, and
takes the candidate back at the first look that shows a difference at 1 %. None of them corrects for the looks.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, ndtri

from benchmarks.canary_bench.trace import Minutes, Trace
from benchmarks.canary_bench.verdict import PROMOTE, Contestant, Verdict

LEVEL = 0.01

Array = NDArray[np.float64]
Test = Callable[[Array, Array, Array, Array], NDArray[np.bool_]]
"""Finished and failed of the candidate, finished and failed of stable, at each look: whether it speaks."""


def z_test(n: Array, x: Array, m: Array, y: Array) -> NDArray[np.bool_]:
    """Difference of two shares with pooled variance, one-sided."""
    pooled = (x + y) / np.maximum(n + m, 1)
    deviation = np.sqrt(pooled * (1.0 - pooled) * (1.0 / np.maximum(n, 1) + 1.0 / np.maximum(m, 1)))
    certain = x / np.maximum(n, 1) - y / np.maximum(m, 1)
    return (n > 0) & (m > 0) & (deviation > 0) & (certain > -ndtri(LEVEL) * deviation)


def exact_test(n: Array, x: Array, m: Array, y: Array) -> NDArray[np.bool_]:
    """Given all failures, those of the candidate are binomial; P(at least so many) is an incomplete beta function."""
    share = n / np.maximum(n + m, 1)
    return (x > 0) & (m > 0) & (betainc(np.maximum(x, 1), y + 1.0, share) < LEVEL)


def bayes(n: Array, x: Array, m: Array, y: Array) -> NDArray[np.bool_]:
    """P(candidate's error rate > stable's) > 99 %, gamma posteriors, a prior of one failure in one request for each."""
    share = (n + 1.0) / (n + m + 2.0)
    return (n > 0) & (m > 0) & (betainc(x + 1.0, y + 1.0, share) < LEVEL)


def peeking(test: Test, *, every: float) -> Callable[[Trace, Minutes], Verdict]:
    """Looks at the present step's counts every so many seconds; nothing is counted while nothing can be read."""

    def judge(trace: Trace, _: Minutes) -> Verdict:
        per = round(every / trace.tick)
        seen = trace.readable[per - 1 :: per]
        series = (trace.candidate.finished, trace.candidate.failed, trace.stable.finished, trace.stable.failed)
        counts = [_since_step(each.sum(axis=1), trace.weights)[per - 1 :: per] for each in series]
        found = np.flatnonzero(test(*counts) & seen)
        return Verdict("rollback", float(every * (found[0] + 1)), "significant") if len(found) else PROMOTE

    return judge


def _since_step(counts: NDArray[np.int64], weights: Array) -> Array:
    """Running totals that begin again at each change of weight."""
    total = np.cumsum(counts).astype(float)
    begins = np.flatnonzero(np.diff(weights, prepend=np.nan) != 0.0)
    before = np.where(begins > 0, total[begins - 1], 0.0)
    since: Array = total - np.repeat(before, np.diff(np.append(begins, len(weights))))
    return since


CONTESTANTS = (
    Contestant("z-test each minute", "textbook", "one-sided 1 %, looked at every minute", peeking(z_test, every=60.0)),
    Contestant("exact test each 10 s", "textbook", "one-sided 1 %, every 10 s", peeking(exact_test, every=10.0)),
    Contestant("Bayes P>.99 each 10 s", "textbook", "gamma posteriors, every 10 s", peeking(bayes, every=10.0)),
)
