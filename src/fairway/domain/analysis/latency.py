"""Quantiles of latency histograms."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate, repeat
from operator import itemgetter, sub

Cell = tuple[float, float, int]

_LOWER, _COUNT = itemgetter(0), itemgetter(2)


def allowed(edge: float, *, margin: float, slack: float) -> float:
    """The latency of the candidate that goes with one of stable, in microseconds.

    Args:
        edge: of stable, in microseconds.
        margin: how much slower the candidate may be, as a fraction …
        slack: … or by so many seconds, if that is more.
    """
    return max(edge * (1.0 + margin), edge + slack * 1e6)


def quantiles(cells: Sequence[Cell], shares: Sequence[float], *, before: Sequence[Cell] = ()) -> list[float] | None:
    """`quantile` of several shares in one go; None when there is no attempt.

    Args:
        cells: `(lower edge, width, count)` by lower edge, in microseconds.
        shares: between 0 and 1.
        before: an earlier state of the same growing histogram; what it holds is left out.
    """
    counts = list(map(_COUNT, cells))
    if before:
        counts = _added(cells, counts, before)
    below = list(accumulate(counts, initial=0))
    total = below[-1]
    if not total:
        return None
    found = []
    for share in shares:
        wanted = share * total
        # The first cell that reaches so many; empty ones reach nothing.
        place = bisect_left(below, wanted) or bisect_right(below, 0)
        lower, width, _ = cells[place - 1]
        found.append(lower + width * (wanted - below[place - 1]) / counts[place - 1])
    return found


def _added(cells: Sequence[Cell], counts: list[int], before: Sequence[Cell]) -> list[int]:
    """What was counted since an earlier state, by cell; cells never vanish, but new ones come."""
    if len(before) == len(cells):
        return list(map(sub, counts, map(_COUNT, before)))
    known = dict(zip(map(_LOWER, before), map(_COUNT, before), strict=True))
    return list(map(sub, counts, map(known.get, map(_LOWER, cells), repeat(0))))


def quantile(cells: Sequence[Cell], share: float) -> float | None:
    """The latency below which a share of the attempts lies, interpolated within its cell.

    Args:
        cells: `(lower edge, width, count)` by lower edge, in microseconds.
        share: between 0 and 1.

    Returns:
        Microseconds; None when there is no attempt.
    """
    found = quantiles(cells, (share,))
    return None if found is None else found[0]
