"""What came of one query: numbers, nothing, or trouble. The three are never mistaken for one another.

`NaN` and infinite numbers are no data: a ratio of nothing by nothing says nothing about the candidate.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite

MOST_SERIES = 500
"""More series than that are surely not meant."""

Series = tuple[str, float]
"""What tells a series from others, and its number."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Finite numbers, one or more."""

    series: tuple[Series, ...]

    @property
    def value(self) -> float:
        """The first number; a gauge has no other."""
        return self.series[0][1]


@dataclass(frozen=True, slots=True)
class NoData:
    """The query was answered, but without a number.

    Attributes:
        why: half a sentence.
        idle: nothing could have been there, as where nobody sent a request: no reason to wait for it.
    """

    why: str
    idle: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """The query was not answered.

    Attributes:
        why: half a sentence.
    """

    why: str


Outcome = Sample | NoData | Trouble


def of_gauge(series: Iterable[Series]) -> Outcome:
    """The outcome of a query that must give one number."""
    found = tuple(series)
    if len(found) > 1:
        return Trouble(f"its query gives {len(found)} series where one is wanted: write sum, max or avg around it")
    return _finite(found)


def of_counter(series: Iterable[Series], *, absent: bool) -> Outcome:
    """The outcome of one half of a counter.

    Args:
        series: what the query gave.
        absent: nothing is as good as zero: of failures there is no series before the first one.
    """
    found = tuple(series)
    if len(found) > MOST_SERIES:
        return Trouble(f"its query gives {len(found)} series: write sum around it")
    if not found and absent:
        return Sample(())
    return _finite(found)


def _finite(found: tuple[Series, ...]) -> Outcome:
    if not found:
        return NoData("its query gives no series")
    kept = tuple(one for one in found if isfinite(one[1]))
    return Sample(kept) if len(kept) == len(found) else NoData(f"its query gives {_shown(found)}")


def _shown(found: tuple[Series, ...]) -> str:
    return next("NaN" if value != value else "an infinite number" for _, value in found if not isfinite(value))  # noqa: PLR0124
