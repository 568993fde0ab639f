"""Fills the table of indicators from load results, from queries, and from what the data plane counted."""

import math
from collections.abc import Mapping, Sequence

from fairway.domain.analysis.latency import Cell
from fairway.domain.errors import FairwayError
from fairway.domain.insight.baseline import Baseline
from fairway.domain.insight.indicators import NO_GOOD_ANSWER, Indicator, Reading
from fairway.ports.metrics import MetricSource
from fairway.usecases.present_traffic import Measured

Readings = Mapping[str, Reading]
_LATENCIES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def read_load(baseline: Baseline | None) -> Readings:
    """What a measurement says of latency, errors and availability."""
    if baseline is None:
        return {}
    source = f"load {baseline.name}"
    found = {name: Reading(baseline.value(name), source) for name in (*_LATENCIES, "errors", "availability")}
    return found | (_no_latencies(source) if baseline.value("availability") == 0 else {})


def read_traffic(measured: Measured | str | None) -> Readings:
    """What the data plane counted of the users' requests; in words why it did not.

    A request that failed on one instance and was answered by another counts as failed there, and as answered.
    """
    names = (*_LATENCIES, "errors", "availability")
    if measured is None or isinstance(measured, str):
        return {} if measured is None else {name: Reading(None, measured, "no-counters") for name in names}
    if not measured.finished:
        return {name: Reading(None, "the data plane has counted no request", "no-data") for name in names}
    source = "data plane"
    share = measured.failed / measured.finished
    found = {name: Reading(_quantile(measured.latency, part), source) for name, part in _LATENCIES.items()}
    if measured.failed >= measured.finished:
        found = _no_latencies(source)
    return found | {"errors": Reading(share, source), "availability": Reading(1.0 - share, source)}


def _no_latencies(source: str) -> dict[str, Reading]:
    """How fast errors come says nothing of how fast the service answers."""
    return {name: Reading(None, f"{source}: no request was answered well", NO_GOOD_ANSWER) for name in _LATENCIES}


def read_queries(indicators: Sequence[Indicator], source: MetricSource | None, at: float) -> Readings:
    """What the metric source answers to the rows' own queries; why it does not, where it does not.

    Args:
        indicators: the rows.
        source: answers; None: there is none.
        at: now, seconds since the epoch, UTC.
    """
    found: dict[str, Reading] = {}
    absent: Reading | None = None
    for one in indicators:
        if one.query is not None:
            # Who did not answer one question in its time would take as long for each of the others.
            found[one.name] = absent or _read(one, one.query, source, at)
            absent = absent or (found[one.name] if found[one.name].code in _ABSENT else None)
    return found


#: Codes of a source that is not there, or not to be waited for.
_ABSENT = frozenset({"metrics-unreachable", "metrics-timeout", "metrics-variable"})


def _read(indicator: Indicator, query: str, source: MetricSource | None, at: float) -> Reading:
    if source is None:
        return Reading(None, "there is no source of metrics that could answer its query", "no-source")
    try:
        series = source.read(query, at=at)
    except FairwayError as error:
        return Reading(None, error.message, error.code)
    if not series:
        return Reading(None, "its query gives no data at this time", "no-data")
    if len(series) > 1:
        return Reading(None, f"its query gives {len(series)} series, where one is wanted", "several-series")
    value = series[0][1]
    if not math.isfinite(value):  # a quantile of no requests, a share of nothing
        return Reading(None, f"its query gives no number but {value}", "no-data")
    return Reading(value * 1000 if indicator.unit == "ms" else value, "metrics")


def _quantile(cells: Sequence[Cell], part: float) -> float | None:
    """Milliseconds that this part of the requests did not exceed: the upper edge of its cell; None without any."""
    total = sum(count for _, _, count in cells)
    seen = 0
    for lower, width, count in cells:
        seen += count
        if total and seen >= part * total:
            return (lower + width) / 1000
    return None
