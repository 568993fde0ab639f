"""Quantiles of latency histograms."""

from collections.abc import Sequence

Cell = tuple[float, float, int]


def allowed(edge: float, *, margin: float, slack: float) -> float:
    """The latency of the candidate that goes with one of stable, in microseconds.

    Args:
        edge: of stable, in microseconds.
        margin: how much slower the candidate may be, as a fraction …
        slack: … or by so many seconds, if that is more.
    """
    return max(edge * (1.0 + margin), edge + slack * 1e6)


def quantile(cells: Sequence[Cell], share: float) -> float | None:
    """The latency below which a share of the attempts lies, interpolated within its cell.

    Args:
        cells: `(lower edge, width, count)` by lower edge, in microseconds.
        share: between 0 and 1.

    Returns:
        Microseconds; None when there is no attempt.
    """
    total = sum(count for _, _, count in cells)
    if not total:
        return None
    wanted = share * total
    for lower, width, count in cells:
        if count and wanted <= count:
            return lower + width * wanted / count
        wanted -= count
    lower, width, _ = cells[-1]
    return lower + width
