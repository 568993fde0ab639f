"""Limits of a proportion that was seen as `failed` of `finished`, for rules that need no guarantee over time."""

from math import sqrt

Z99 = 2.3263
"""One-sided 99 % quantile of the normal distribution."""


def lower_limit(failed: int, finished: int) -> float:
    """One-sided 99 % Wilson limit (Wilson 1927); 0 when nothing was seen."""
    return _wilson(failed, finished, -Z99) if finished > 0 else 0.0


def upper_limit(failed: int, finished: int) -> float:
    """One-sided 99 % Wilson limit; 1 when nothing was seen."""
    return _wilson(failed, finished, Z99) if finished > 0 else 1.0


def _wilson(failed: int, finished: int, z: float) -> float:
    share = failed / finished
    square = z * z / finished
    spread = z * sqrt(max(0.0, share * (1.0 - share)) / finished + square / (4.0 * finished))
    return min(1.0, max(0.0, (share + square / 2.0 + spread) / (1.0 + square)))
