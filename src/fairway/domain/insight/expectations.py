"""Limits that a measurement must keep, such as "P99 below 500 ms at 500 requests a second, none failed"."""

from dataclasses import dataclass, fields

from fairway.domain.insight.baseline import Baseline


@dataclass(frozen=True, slots=True)
class Expectations:
    """Limits; None: none. Times are milliseconds.

    Attributes:
        rate: good answers a second, at least.
        errors: largest share of failed requests, 0 to 1.
        processor: microseconds of processor time for a request, at most.
    """

    rate: float | None = None
    mean: float | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    errors: float | None = None
    processor: float | None = None

    @property
    def is_empty(self) -> bool:
        """Nothing is expected."""
        return all(getattr(self, field.name) is None for field in fields(self))


@dataclass(frozen=True, slots=True)
class Expected:
    """One limit and what came.

    Attributes:
        name: of the limit.
        limit: in the unit of the figure.
        value: what was measured; None: it was not.
        is_met: None: nothing was measured, so that nobody knows.
    """

    name: str
    limit: float
    value: float | None
    is_met: bool | None


def hold_against(baseline: Baseline, wanted: Expectations) -> tuple[Expected, ...]:
    """Each limit with what came: the median over the rounds, and for failures all rounds together."""
    found = []
    for field in fields(wanted):
        limit: float | None = getattr(wanted, field.name)
        if limit is None:
            continue
        value = baseline.value("throughput" if field.name == "rate" else field.name)
        # A rate is asked for, and the last request of a round may end after it.
        met = None if value is None else value >= limit * 0.99 if field.name == "rate" else value <= limit
        found.append(Expected(field.name, limit, value, met))
    return tuple(found)
