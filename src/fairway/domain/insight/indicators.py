"""The table of indicators: each with a target and a critical threshold, filled from wherever there is data.

A row without data is unknown. It is never good, and a table with nothing but unknown rows is unknown as a whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Status = Literal["good", "warning", "critical", "unknown"]
Unit = Literal["ms", "share"]

#: Code of a latency where requests ended and none was answered well. It is a finding: no other source stands in for it.
NO_GOOD_ANSWER = "no-good-answer"


@dataclass(frozen=True, slots=True)
class Indicator:
    """One row as it is wanted.

    Attributes:
        title: for people.
        unit: `ms`, or `share`, a fraction of 1.
        target: beyond it the row is a warning.
        critical: beyond it the row is critical.
        better: which way is better.
        query: asks the metric source, and nobody else; None: load results, the data plane or the machine are asked. A
            query for a time gives seconds, and one for a share a fraction.
    """

    name: str
    title: str
    unit: Unit
    target: float
    critical: float
    better: Literal["lower", "higher"] = "lower"
    query: str | None = None


DEFAULTS: tuple[Indicator, ...] = (
    Indicator("p50", "Request latency (P50)", "ms", 100.0, 200.0),
    Indicator("p95", "Request latency (P95)", "ms", 500.0, 1000.0),
    Indicator("p99", "Request latency (P99)", "ms", 1000.0, 2000.0),
    Indicator("errors", "Error rate", "share", 0.001, 0.01),
    Indicator("availability", "Availability", "share", 0.999, 0.99, "higher"),
    Indicator("cpu", "CPU usage", "share", 0.7, 0.9),
    Indicator("memory", "Memory usage", "share", 0.8, 0.95),
    Indicator("connections", "Database connections", "share", 0.8, 0.95),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A figure and where it comes from.

    Attributes:
        value: in the unit of the row: milliseconds or a fraction; None: there is none.
        source: such as `load v1.2.3`, `metrics`, `data plane`; why there is no figure, where there is none.
        code: stable name of why there is no figure; empty where there is one.
    """

    value: float | None
    source: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it is.

    Attributes:
        code: stable name of why there is no figure; empty where there is one.
    """

    indicator: Indicator
    value: float | None
    source: str
    status: Status
    code: str = ""


def fill(indicators: Sequence[Indicator], *sources: Mapping[str, Reading]) -> tuple[Row, ...]:
    """The table. The first source that has a figure for a row gives it; reasons why others have none are kept.

    A row with a query has the answer to it or none: another figure would stand for something else, unnoticed.

    Args:
        indicators: the rows.
        sources: readings by name of the row, the most trusted first.
    """
    return tuple(_row(one, [source[one.name] for source in sources if one.name in source]) for one in indicators)


def overall(rows: Sequence[Row]) -> Status:
    """The worst of the rows that are known; unknown if none is, or if one that somebody asked for by a query is not."""
    present = {row.status for row in rows}
    if "critical" not in present and any(row.indicator.query is not None and row.status == "unknown" for row in rows):
        return "unknown"
    order: tuple[Status, ...] = ("critical", "warning", "good")
    return next((status for status in order if status in present), "unknown")


def _row(indicator: Indicator, readings: Sequence[Reading]) -> Row:
    if indicator.query is not None:
        readings = readings[:1]
    codes = [reading.code for reading in readings]
    if NO_GOOD_ANSWER in codes:
        readings = readings[: codes.index(NO_GOOD_ANSWER) + 1]
    for reading in readings:
        if reading.value is not None:
            return Row(indicator, reading.value, reading.source, _status(indicator, reading.value))
    why = "; ".join(dict.fromkeys(reading.source for reading in readings)) or "nothing measures it"
    code = next((reading.code for reading in readings if reading.code), "unmeasured")
    return Row(indicator, None, why, "unknown", code)


def _status(indicator: Indicator, value: float) -> Status:
    if value != value:  # noqa: PLR0124 -- not a number, which some sources answer with
        return "unknown"
    sign = 1.0 if indicator.better == "lower" else -1.0
    # The thresholds are strict, as in "below 100 ms": a value that reaches one has missed it.
    if sign * value >= sign * indicator.critical:
        return "critical"
    return "warning" if sign * value >= sign * indicator.target else "good"
