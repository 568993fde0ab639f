"""Measurements, comparisons and indicators as lines for people."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from math import isfinite

from fairway.cli.output import table
from fairway.domain.insight.baseline import Baseline, Round
from fairway.domain.insight.comparison import TITLES, UNITS, Change, Comparison
from fairway.domain.insight.expectations import Expected
from fairway.domain.insight.indicators import Row

FIGURES = ("throughput", "mean", "p50", "p90", "p95", "p99", "p999", "longest", "processor")
"""In the order of tables."""

NAMES = {
    "throughput": "good answers a second",
    "mean": "mean ms",
    "p50": "P50 ms",
    "p90": "P90 ms",
    "p95": "P95 ms",
    "p99": "P99 ms",
    "p999": "P99.9 ms",
    "longest": "longest ms",
    "processor": "processor µs a request",
}
MARKS = {"good": "✓", "warning": "!", "critical": "✗", "unknown": "?"}
VERDICTS = {
    "regression": "REGRESSION",
    "no-regression": "no regression",
    "inconclusive": "no answer",
}


def number(value: float | None) -> str:
    """Three significant digits; empty for nothing."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def moment(at: float) -> str:
    """Date and time of day, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


def percent(value: float) -> str:
    """A change."""
    return f"{value:+.1%}" if isfinite(value) else ("−∞" if value < 0 else "∞")


def round_line(position: int, count: int, name: str, one: Round) -> str:
    """One round, on one line."""
    limit = f"; limited by {one.limit}" if one.limit else ""
    cost = "" if one.processor is None else f", {one.processor:.0f} µs a request"
    return (
        f"[{position}/{count}] {name}: {one.throughput:.1f}/s, P50 {number(one.p50)} ms, P99 {number(one.p99)} ms"
        f"{cost}, {one.failed} of {one.sent} failed{limit}"
    )


def baseline_lines(baseline: Baseline, expected: Sequence[Expected]) -> Iterator[str]:
    """What was measured, and what of it was expected."""
    load = baseline.load
    pace = f"{load.rate:g} requests a second" if load.rate else f"{load.connections} connections, one after the other"
    yield f"{baseline.name}: {baseline.subject.title}, {len(baseline.rounds)} rounds of {load.duration:g} s, {pace}"
    yield table(("", "median", "least", "most"), [row for name in FIGURES if (row := _figure(baseline, name))])
    failed, sent = sum(one.failed for one in baseline.rounds), sum(one.sent for one in baseline.rounds)
    yield f"{failed:,} of {sent:,} requests failed{_problems(baseline)}"
    for one in expected:
        mark = {True: "✓", False: "✗", None: "?"}[one.is_met]
        sign = "≥" if one.name == "rate" else "≤"
        yield f"{mark} {one.name} {sign} {_shown(one.name, one.limit)}: {_shown(one.name, one.value)}"
    for remark in baseline.remarks:
        yield f"! {remark}"


def _figure(baseline: Baseline, name: str) -> tuple[str, ...] | None:
    values = [value for one in baseline.rounds if (value := one.value(name)) is not None]
    if not values:
        return None
    return NAMES[name], number(baseline.value(name)), number(min(values)), number(max(values))


def _problems(baseline: Baseline) -> str:
    counts: dict[str, int] = {}
    for one in baseline.rounds:
        for kind, count in one.problems:
            counts[kind] = counts.get(kind, 0) + count
    return ": " + ", ".join(f"{kind} × {count:,}" for kind, count in counts.items()) if counts else ""


def _shown(name: str, value: float | None) -> str:
    if value is None:
        return "not measured"
    if name == "errors":
        return f"{value:.3%}"
    return f"{number(value)} {'/s' if name == 'rate' else 'µs' if name == 'processor' else 'ms'}"


def list_table(found: Sequence[Baseline]) -> str:
    """One line a measurement."""
    rows = [
        (
            one.name,
            moment(one.made),
            one.subject.title,
            str(len(one.rounds)),
            number(one.value("throughput")),
            number(one.value("p50")),
            number(one.value("p99")),
            f"{one.value('errors') or 0.0:.2%}",
        )
        for one in found
    ]
    return table(("name", "measured (UTC)", "what", "rounds", "per s", "P50 ms", "P99 ms", "failed"), rows)


def comparison_lines(found: Comparison) -> Iterator[str]:
    """The table, then the verdict, then what limits it."""
    header = ("", found.before, found.after, "change", f"{found.policy.confidence:.0%} interval", "")
    yield table(header, [_change(change) for change in found.changes])
    yield f"{VERDICTS[found.verdict]}: {found.reason}"
    for remark in found.remarks:
        yield f"! {remark}"


def _change(change: Change) -> tuple[str, ...]:
    verdict = VERDICTS[change.verdict] if change.is_judged else f"({VERDICTS[change.verdict].lower()})"
    if change.metric == "errors":
        interval = f"{_points(change.lower)} to {_points(change.upper)}"
        values = f"{change.before:.2%}", f"{change.after:.2%}", _points(change.change)
        return "failed requests", *values, interval, verdict
    unit = UNITS.get(change.metric, "ms")
    values = number(change.before), number(change.after), percent(change.change)
    return f"{TITLES[change.metric]}, {unit}", *values, f"{percent(change.lower)} to {percent(change.upper)}", verdict


def _points(value: float) -> str:
    return f"{value * 100:+.2f}" if isfinite(value) else percent(value)


def indicator_table(rows: Sequence[Row]) -> str:
    """The table of indicators."""
    lines = [
        (
            f"{MARKS[row.status]} {row.indicator.title}",
            figure(row.indicator.unit, row.value),
            limit(row, row.indicator.target),
            limit(row, row.indicator.critical),
            row.status,
            row.source,
        )
        for row in rows
    ]
    return table(("indicator", "now", "target", "critical threshold", "status", "source"), lines)


def limit(row: Row, value: float) -> str:
    """A threshold with its sign."""
    return f"{'<' if row.indicator.better == 'lower' else '>'} {figure(row.indicator.unit, value)}"


def figure(unit: str, value: float | None) -> str:
    """A figure with its unit."""
    if value is None:
        return "–"
    return f"{number(value)} ms" if unit == "ms" else f"{value * 100:.4g} %"
