"""The decision of Kayenta's NetflixACAJudge-v1.0 on two metrics: error percentage and P99, one point a minute.

Both are critical and may only be too high. The judge takes 0 for a minute without data, which is its default. Error
ratios are fed as percentages: the root finder stops at 0.0001 of whatever unit it is given.

The test is Mann and Whitney's with tie and continuity correction. The interval of the shift consists of the shifts at
which the statistic crosses its 1 % and 99 % quantiles, the estimate of the one at which it crosses 0. A metric is high
when the interval's lower end lies above a quarter of the estimate and the ratio of the means is at least the allowed
increase.
"""

from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtri

from benchmarks.canary_bench.trace import Minutes, Trace
from benchmarks.canary_bench.verdict import PROMOTE, RULE, Contestant, Verdict

SOURCE = (
    f"spinnaker/kayenta@a69573be kayenta-judge/…/NetflixACAJudge.scala, …/MannWhitneyClassifier.scala, "
    f"kayenta-mannwhitney/…/MannWhitney.scala ({RULE})"
)

TOLERANCE, CONFIDENCE = 0.25, 0.98
"""Literals of the judge."""

PRECISION = 1e-4
"""Absolute, of its root finder."""

Array = NDArray[np.float64]


def is_high(
    candidate: Array, stable: Array, *, allowed: float, tolerance: float = TOLERANCE, confidence: float = CONFIDENCE
) -> bool:
    """Whether the judge calls the candidate's metric high.

    Args:
        candidate: a value for each minute.
        stable: likewise.
        allowed: least ratio of the means that counts.
        tolerance: part of the estimated shift that the interval must stay above.
        confidence: of the interval.
    """
    if np.array_equal(np.sort(candidate), np.sort(stable)) or len(np.unique(np.concatenate([candidate, stable]))) == 1:
        return False
    low, estimate = _shift(candidate.tobytes(), stable.tobytes(), confidence)
    if low <= tolerance * abs(estimate):
        return False
    means = float(candidate.mean()), float(stable.mean())
    # An effect that cannot be computed is no reason to pass.
    return 0.0 in means or means[0] / means[1] >= allowed


@lru_cache(maxsize=64)
def _shift(candidate: bytes, stable: bytes, confidence: float) -> tuple[float, float]:
    """The same series are judged with several allowed increases."""
    return shift(np.frombuffer(candidate), np.frombuffer(stable), confidence=confidence)


def shift(candidate: Array, stable: Array, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Lower end of the interval of the shift of candidate against stable, and its estimate."""
    if len(np.unique(candidate)) == 1 and len(np.unique(stable)) == 1:
        # The judge adds noise of a hundred-thousandth (and gives up if a side is all 0, which is not imitated).
        difference = float(candidate[0] - stable[0])
        return difference, difference
    ends = float(candidate.min() - stable.max()), float(candidate.max() - stable.min())
    quantile = float(ndtri((1.0 - confidence) / 2.0))
    return _root(candidate, stable, -quantile, ends), _root(candidate, stable, 0.0, ends)


def _root(candidate: Array, stable: Array, quantile: float, ends: tuple[float, float]) -> float:
    """The shift at which the statistic is `quantile`; an end of the range where it is nowhere."""
    statistic = partial(_statistic, candidate, stable, quantile)
    if statistic(ends[0]) <= 0.0:
        return ends[0]
    if statistic(ends[1]) >= 0.0:
        return ends[1]
    return float(brentq(statistic, ends[0], ends[1], xtol=PRECISION / 2.0))


def _statistic(candidate: Array, stable: Array, quantile: float, moved: float) -> float:
    """Standardised rank sum of the candidate after moving it back, less `quantile`; falls as `moved` grows."""
    m, n = len(candidate), len(stable)
    shifted = candidate - moved
    ordered = np.sort(stable)
    below = np.searchsorted(ordered, shifted, side="left"), np.searchsorted(ordered, shifted, side="right")
    _, ties = np.unique(np.concatenate([shifted, ordered]), return_counts=True)
    distance = float(below[0].sum() + below[1].sum()) / 2.0 - m * n / 2.0
    variance = m * n / 12.0 * (m + n + 1 - float((ties.astype(float) ** 3 - ties).sum()) / ((m + n) * (m + n - 1)))
    return float((distance - 0.5 * np.sign(distance)) / np.sqrt(variance)) - quantile


def kayenta(*, every: int, allowed: float) -> Callable[[Trace, Minutes], Verdict]:
    """Judges all minutes so far, every so many minutes; rolls back when a metric is high."""

    def judge(_: Trace, minutes: Minutes) -> Verdict:
        pairs = [
            (_percent(minutes.failed_c, minutes.finished_c), _percent(minutes.failed_s, minutes.finished_s)),
            (minutes.p99_c, minutes.p99_s),
        ]
        known = [(_filled(one, minutes), _filled(other, minutes)) for one, other in pairs]
        for end in range(every, len(minutes.weights) + 1, every):
            if any(is_high(one[:end], other[:end], allowed=allowed) for one, other in known):
                return Verdict("rollback", 60.0 * end, "high")
        return PROMOTE

    return judge


def _filled(series: Array, minutes: Minutes) -> Array:
    """0 where a minute has no data."""
    known: Array = np.where(minutes.readable & ~np.isnan(series), series, 0.0)
    return known


def _percent(failed: NDArray[np.int64], finished: NDArray[np.int64]) -> Array:
    ratio: Array = 100.0 * failed / np.maximum(finished, 1)
    return ratio


CONTESTANTS = (
    Contestant("Kayenta end/1.0", SOURCE, "judged once, at the end", kayenta(every=30, allowed=1.0), sees_latency=True),
    Contestant("Kayenta 5m/1.0", SOURCE, "judged every 5 min", kayenta(every=5, allowed=1.0), sees_latency=True),
    Contestant(
        "Kayenta end/1.2", SOURCE, "at the end, allowedIncrease 1.2", kayenta(every=30, allowed=1.2), sees_latency=True
    ),
    Contestant(
        "Kayenta 5m/1.2", SOURCE, "every 5 min, allowedIncrease 1.2", kayenta(every=5, allowed=1.2), sees_latency=True
    ),
)
