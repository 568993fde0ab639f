"""Everything measured as one page: HTML with its charts and its style inside, no script, nothing from a network."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from fairway.cli import bench_charts as charts
from fairway.cli.bench_tables import FIGURES, NAMES, VERDICTS, moment, number, percent
from fairway.domain.insight.baseline import Baseline
from fairway.domain.insight.comparison import TITLES, UNITS, Change, Comparison
from fairway.domain.insight.expectations import Expectations, hold_against

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --rule: #d5dae1; --back: #fff; --good: #1a7f4b;
  --bad: #c0362c; --open: #9a6700; --band: #1a7f4b1c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #9aa5b4; --rule: #3a424e; --back: #14181e;
  --good: #4cc38a; --bad: #ff7b72; --open: #e3b341; --band: #4cc38a22; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back); max-width: 62rem;
  margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.25; } h2 { margin-top: 2.5rem; } .soft { color: var(--soft); }
table { border-collapse: collapse; width: 100%; margin: .8rem 0; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } .scroll { overflow-x: auto; }
.regression, .missed { color: var(--bad); } .no-regression, .met { color: var(--good); }
.inconclusive { color: var(--open); }
svg { width: 100%; height: auto; font: 12px system-ui, sans-serif; } svg text { fill: var(--soft); }
svg .rule { stroke: var(--rule); } svg .band { fill: var(--band); } svg .line { fill: none; stroke-width: 1.8; }
svg .interval { stroke-width: 3; stroke: var(--soft); } svg circle { fill: var(--soft); }
svg .interval.regression { stroke: var(--bad); } svg circle.regression { fill: var(--bad); }
svg .interval.no-regression { stroke: var(--good); } svg circle.no-regression { fill: var(--good); }
svg .interval.inconclusive { stroke: var(--open); } svg circle.inconclusive { fill: var(--open); }
.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; font-size: 13px; }
.legend li::before { content: "● "; }
""" + "".join(
    f"svg .line.c{place} {{ stroke: {color}; }} svg .dot.c{place} {{ fill: {color}; }} "
    f".legend .c{place}::before {{ color: {color}; }}\n"
    for place, color in enumerate(("#3b82f6", "#e8590c", "#0ca678", "#ae3ec9", "#b08800", "#868e96"))
)


def render(
    service: str,
    baselines: Sequence[Baseline],
    comparisons: Sequence[Comparison],
    expect: Expectations,
    *,
    at: float,
) -> str:
    """The page.

    Args:
        service: whose measurements these are.
        baselines: newest first, one at least.
        comparisons: newest first.
        expect: limits that measurements are held against.
        at: now, seconds since the epoch, UTC.
    """
    title = f"{escape(service)}: measured performance"
    parts = [
        f"<h1>{title}</h1>",
        f'<p class="soft">Written {moment(at)} UTC. Latencies count from the moment when a request should have been '
        f"sent. Load from: {escape(baselines[0].machine)}.</p>",
    ]
    if comparisons:
        parts.append("<h2>Comparisons</h2>")
        parts += [_comparison(one, baselines) for one in comparisons]
    parts += ["<h2>Measurements</h2>", charts.trend(baselines), _measurements(baselines)]
    parts += ["<h2>Latency by percentile</h2>", charts.percentiles(_latest_of_each(baselines)), _percentiles(baselines)]
    parts += ["<h2>Each measurement</h2>", *(_measurement(one, expect) for one in baselines)]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>\n'
        f"<body>{''.join(part for part in parts if part)}</body></html>\n"
    )


def _latest_of_each(baselines: Sequence[Baseline]) -> list[Baseline]:
    return list({one.name: one for one in reversed(baselines)}.values())[::-1]


def _comparison(found: Comparison, baselines: Sequence[Baseline]) -> str:
    header = ("", escape(found.before), escape(found.after), "change", "at least", "at most", "")
    rows = [_change(change) for change in found.changes]
    remarks = "".join(f"<li>{escape(remark)}</li>" for remark in found.remarks)
    return (
        f"<h3>{escape(found.before)} → {escape(found.after)}: "
        f'<span class="{found.verdict}">{VERDICTS[found.verdict]}</span></h3>'
        f'<p>{escape(found.reason)}. <span class="soft">{moment(found.made)} UTC, intervals of '
        f"{found.policy.confidence:.0%} together.</span></p>"
        + charts.changes(found)
        + _table(header, rows)
        + (f'<ul class="soft">{remarks}</ul>' if remarks else "")
        + _in_turn(found, baselines)
    )


def _in_turn(found: Comparison, baselines: Sequence[Baseline]) -> str:
    """The rounds of the two, if they were run in turn and are on the page."""
    # Kept newest first, so that of two measurements of one name the one that came first stands behind.
    pair = [one for one in reversed(baselines) if found.measured and one.made == found.measured]
    return charts.rounds(pair, "p50", "P50 of each round, ms") if len(pair) == 2 else ""


def _change(change: Change) -> tuple[str, ...]:
    verdict = f'<span class="{change.verdict}">{VERDICTS[change.verdict]}</span>' if change.is_judged else "shown"
    if change.metric == "errors":
        points = [f"{value * 100:+.2f} points" for value in (change.change, change.lower, change.upper)]
        return "failed requests", f"{change.before:.2%}", f"{change.after:.2%}", *points, verdict
    name = f"{TITLES[change.metric]}, {UNITS.get(change.metric, 'ms')}"
    ends = [percent(value) for value in (change.change, change.lower, change.upper)]
    return name, number(change.before), number(change.after), *ends, verdict


def _measurements(baselines: Sequence[Baseline]) -> str:
    header = ("name", "measured (UTC)", "what", "rounds", "good/s", "mean ms", "P50 ms", "P95 ms", "P99 ms", "failed")
    names = ("throughput", "mean", "p50", "p95", "p99")
    rows = [
        (
            escape(one.name),
            moment(one.made),
            escape(one.subject.title),
            str(len(one.rounds)),
            *(number(one.value(name)) for name in names),
            f"{one.value('errors') or 0.0:.2%}",
        )
        for one in baselines
    ]
    return _table(header, rows)


def _percentiles(baselines: Sequence[Baseline]) -> str:
    names = ("p50", "p90", "p95", "p99", "p999", "longest")
    rows = [(escape(one.name), *(number(one.value(name)) for name in names)) for one in _latest_of_each(baselines)]
    return _table(("median of the rounds", *(NAMES[name] for name in names)), rows)


def _measurement(one: Baseline, expect: Expectations) -> str:
    load = one.load
    pace = f"{load.rate:g} requests a second" if load.rate else "as many requests as the connections carry"
    about = (
        f"{escape(load.mix)} on {escape(' '.join(load.paths))}, {pace}, at most {load.connections} at once; "
        f"{len(one.rounds)} rounds of {load.duration:g} s; {escape(one.machine)}"
    )
    rows = [row for name in FIGURES if (row := _spread(one, name))]
    limits = "".join(_limits(one, expect))
    remarks = "".join(f"<li>{escape(remark)}</li>" for remark in one.remarks)
    return (
        f'<h3>{escape(one.name)} <span class="soft">{escape(one.subject.title)}, {moment(one.made)} UTC</span></h3>'
        f'<p class="soft">{about}</p>'
        + _table(("", "median", "least", "most"), rows)
        + (f"<ul>{limits}</ul>" if limits else "")
        + (f'<ul class="soft">{remarks}</ul>' if remarks else "")
    )


def _spread(one: Baseline, name: str) -> tuple[str, ...] | None:
    values = [value for each in one.rounds if (value := each.value(name)) is not None]
    return (NAMES[name], number(one.value(name)), number(min(values)), number(max(values))) if values else None


def _limits(one: Baseline, expect: Expectations) -> Iterator[str]:
    for limit in hold_against(one, expect):
        kind = {True: "met", False: "missed", None: "inconclusive"}[limit.is_met]
        value = "not measured" if limit.value is None else number(limit.value)
        yield f'<li class="{kind}">{limit.name}: {value}, expected {number(limit.limit)}</li>'


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are HTML already."""
    head = "".join(f"<th>{cell}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
