"""Charts of measurements as inline SVG: no script, nothing from outside. Beside each stands a table."""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from math import ceil, floor, isfinite, log10

from fairway.cli.bench_tables import number
from fairway.domain.insight.baseline import Baseline
from fairway.domain.insight.comparison import TITLES, Change, Comparison
from fairway.domain.insight.histogram import decode, merge

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 760.0, 150.0, 20.0, 14.0, 34.0
_PARTS = (0.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99)
#: Curves in one chart; more cannot be told apart.
MOST_CURVES = 6


def percentiles(baselines: Sequence[Baseline]) -> str:
    """Latency over the share of requests that were faster, with room for the last nines."""
    curves = [(one.name, curve) for one in baselines[:MOST_CURVES] if (curve := _curve(one))]
    if not curves:
        return ""
    values = [value for _, curve in curves for _, value in curve]
    low, high = floor(log10(max(min(values), 1e-3))), ceil(log10(max(*values, 2e-3)))
    height = 300.0

    def across(percent: float) -> float:
        nines = -log10(max(1 - percent / 100, 1e-5))
        return _LEFT + nines / 5 * (_WIDTH - _LEFT - _RIGHT)

    def down(value: float) -> float:
        share = (log10(max(value, 1e-3)) - low) / max(high - low, 1)
        return height - _BOTTOM - share * (height - _BOTTOM - _TOP)

    parts = [_text(_LEFT - 8, down(10.0**power), f"{10.0**power:g} ms", "end") for power in range(low, high + 1)]
    parts += [_rule(_LEFT, down(10.0**power), _WIDTH - _RIGHT, down(10.0**power)) for power in range(low, high + 1)]
    parts += [_text(across(each), height - 14, f"{each:g} %", "middle") for each in _PARTS]
    for place, (name, curve) in enumerate(curves):
        points = " ".join(f"{across(percent):.1f},{down(value):.1f}" for percent, value in curve)
        parts.append(f'<polyline class="line c{place}" points="{points}"><title>{escape(name)}</title></polyline>')
    legend = "".join(f'<li class="c{place}">{escape(name)}</li>' for place, (name, _) in enumerate(curves))
    return _svg(parts, height, "latency by percentile") + f'<ul class="legend">{legend}</ul>'


def _curve(baseline: Baseline) -> list[tuple[float, float]]:
    """Percent and milliseconds, at each cell of the histogram of all rounds."""
    cells = decode(merge(one.histogram for one in baseline.rounds))
    total, seen, points = sum(cells.values()), 0, [(0.0, min(cells) / 1000)] if cells else []
    for microseconds, count in cells.items():
        seen += count
        # The last one is not at 100 %: another request might be slower.
        points.append((min(seen, total - 0.5) / total * 100, microseconds / 1000))
    # A thousand points are more than the eye sees.
    step = max(1, len(points) // 1000)
    return [*points[:-1:step], points[-1]] if points else []


def changes(comparison: Comparison) -> str:
    """Each change with its interval, against what is tolerated."""
    shown = [change for change in comparison.changes if change.metric != "errors"]
    ends = [abs(end) for change in shown for end in (change.lower, change.upper, change.change) if isfinite(end)]
    reach = min(max([*ends, comparison.policy.tolerance * 2, 0.01]) * 1.1, 2.0)
    height = _TOP + 30 * len(shown) + _BOTTOM
    middle, half = (_LEFT + _WIDTH - _RIGHT) / 2, (_WIDTH - _RIGHT - _LEFT) / 2

    def across(change: float) -> float:
        return middle + max(-1.0, min(1.0, change / reach)) * half

    tolerated = comparison.policy.tolerance
    parts = [
        f'<rect class="band" x="{_LEFT}" y="{_TOP}" width="{across(tolerated) - _LEFT:.1f}" '
        f'height="{30 * len(shown)}"><title>tolerated: up to {tolerated:+.0%}</title></rect>',
        _rule(middle, _TOP, middle, height - _BOTTOM),
    ]
    marks = (-reach, tolerated, reach)
    parts += [_text(across(value), height - 14, f"{value:+.0%}", "middle") for value in marks]
    for row, change in enumerate(shown):
        parts += _change(change, _TOP + 30 * row + 15, across)
    return _svg(parts, height, f"changes from {comparison.before} to {comparison.after}")


def _change(change: Change, at: float, across: Callable[[float], float]) -> Iterable[str]:
    kind = change.verdict if change.is_judged else "shown"
    yield _text(_LEFT - 8, at + 4, TITLES[change.metric], "end")
    ends = f'x1="{across(change.lower):.1f}" x2="{across(change.upper):.1f}" y1="{at}" y2="{at}"'
    yield f'<line class="interval {kind}" {ends}/>'
    words = f"{TITLES[change.metric]} {change.change:+.1%}"
    yield f'<circle class="{kind}" cx="{across(change.change):.1f}" cy="{at}" r="4"><title>{words}</title></circle>'


def rounds(baselines: Sequence[Baseline], metric: str, title: str) -> str:
    """One figure of every round, in the order in which they were run."""
    series = [
        (one.name, [(each.at, value) for each in one.rounds if (value := each.value(metric)) is not None])
        for one in baselines
    ]
    points = [point for _, found in series for point in found]
    if not points:
        return ""
    begin, end = min(at for at, _ in points), max(at for at, _ in points)
    most = max(value for _, value in points) * 1.05 or 1.0
    height = 190.0

    def across(at: float) -> float:
        return _LEFT + (at - begin) / max(end - begin, 1e-9) * (_WIDTH - _LEFT - _RIGHT)

    def down(value: float) -> float:
        return height - _BOTTOM - value / most * (height - _BOTTOM - _TOP)

    parts = []
    for value in (0.0, most / 2, most):
        parts += [
            _rule(_LEFT, down(value), _WIDTH - _RIGHT, down(value)),
            _text(_LEFT - 8, down(value) + 4, number(value), "end"),
        ]
    parts += [
        _text(_LEFT, height - 10, title, "start"),
        _text(_WIDTH - _RIGHT, height - 10, f"{end - begin:.0f} s", "end"),
    ]
    for place, (name, found) in enumerate(series):
        for at, value in found:
            parts.append(
                f'<circle class="dot c{place}" cx="{across(at):.1f}" cy="{down(value):.1f}" r="3">'
                f"<title>{escape(name)}: {number(value)}</title></circle>"
            )
    legend = "".join(f'<li class="c{place}">{escape(name)}</li>' for place, (name, _) in enumerate(series))
    return _svg(parts, height, title) + f'<ul class="legend">{legend}</ul>'


def trend(baselines: Sequence[Baseline]) -> str:
    """P50, P95 and P99 of each measurement, oldest first."""
    ordered = list(reversed(baselines))
    names = ("p50", "p95", "p99")
    values = [value for one in ordered for name in names if (value := one.value(name)) is not None]
    if len(ordered) < 2 or not values:
        return ""
    most, height = max(values) * 1.1, 220.0
    step = (_WIDTH - _LEFT - _RIGHT) / len(ordered)
    parts = []
    for value in (0.0, most / 2, most):
        y = height - _BOTTOM - value / most * (height - _BOTTOM - _TOP)
        parts += [_rule(_LEFT, y, _WIDTH - _RIGHT, y), _text(_LEFT - 8, y + 4, f"{number(value)} ms", "end")]
    for place, one in enumerate(ordered):
        x = _LEFT + step * (place + 0.5)
        parts.append(_text(x, height - 14, one.name[: max(3, int(step / 7))], "middle"))
        for color, name in enumerate(names):
            value = one.value(name)
            if value is not None:
                y = height - _BOTTOM - value / most * (height - _BOTTOM - _TOP)
                words = f"{escape(one.name)}: {name.upper()} {number(value)} ms"
                parts.append(
                    f'<circle class="dot c{color}" cx="{x:.1f}" cy="{y:.1f}" r="4"><title>{words}</title></circle>'
                )
    legend = "".join(f'<li class="c{color}">{name.upper()}</li>' for color, name in enumerate(names))
    return _svg(parts, height, "latency of each measurement") + f'<ul class="legend">{legend}</ul>'


def _svg(parts: Iterable[str], height: float, name: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH:g} {height:g}" role="img" aria-label="{escape(name)}"><title>{escape(name)}</title>'
        + "".join(parts)
        + "</svg>"
    )


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="rule" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
