"""The report: one HTML file with plots and tables, without anything from elsewhere."""

from collections.abc import Sequence
from html import escape

from benchmarks.canary_bench.contest import CONTESTANTS
from benchmarks.canary_bench.plot import Axis, dots
from benchmarks.canary_bench.score import Row, Score, guarantees, prices
from benchmarks.canary_bench.terminal import SHORT, seconds, win_lines
from benchmarks.canary_bench.trace import DURATION

#: One of each kind; all twelve in one plot could not be told apart.
PLOTTED = ("Fairway", "Argo 1m/.99/3", "Flagger 1m/99/5", "Kayenta 5m/1.0", "exact test each 10 s")

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:1180px;margin:2em auto;padding:0 1em;color:#1c2321;background:#fff}
table{border-collapse:collapse;font-size:13px;margin:1em 0;display:block;overflow-x:auto}
th,td{padding:3px 8px;text-align:right;border-bottom:1px solid #dfe5e2;white-space:nowrap}
th:first-child,td:first-child{text-align:left}
svg{width:100%;height:auto;margin:1em 0}
svg text{font:12px system-ui,sans-serif;fill:#1c2321}svg .title{font-weight:600;font-size:15px}
.grid{stroke:#dfe5e2}.row{stroke:#eef2f0}.broken{color:#a31515;font-weight:600}
pre{font-size:12px;overflow-x:auto}
"""


def page(rows: Sequence[Row], *, settings: str) -> str:
    """The whole report.

    Args:
        rows: all cells.
        settings: the command and its seed, so that the figures can be had again.
    """
    parts = [
        "<h1>Canary analysis under simulated traffic</h1>",
        f"<p>{escape(settings)}</p>",
        "<p>All contestants see the same draws: rollouts of 30 minutes through 1, 5, 10, 25 and 50 %, "
        "six minutes each. All others are re-implemented rules, not the programs.</p>",
        _guarantees(rows),
        "<h2>Harmless candidates: % rolled back</h2><p>Each of these is a mistake.</p>",
        _harmless([row for row in rows if row.played.cell.scenario.harmless]),
        "<h2>How soon, and at what cost</h2>",
        "<p>Dots are medians, lines reach to the 90 % quantile.</p>",
        *_plots(rows),
        "<h2>Everything about the others</h2>",
        "<p>% rolled back · median / 90 % quantile of seconds from the fault · of requests failed on the candidate</p>",
        _others([row for row in rows if not row.played.cell.scenario.harmless]),
        "<h2>Rows in which another does better</h2>",
        f"<pre>{escape(chr(10).join(win_lines(rows)))}</pre>",
        "<h2>The contestants</h2>",
        _sources(rows),
    ]
    head = f'<meta charset="utf-8"><title>Canary analysis under simulated traffic</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def _guarantees(rows: Sequence[Row]) -> str:
    lines = []
    for one in guarantees(rows):
        mark = "holds" if one.holds else '<span class="broken">BROKEN</span>'
        lines.append([escape(one.name), str(one.runs), str(one.wrong), str(one.limit), mark])
    title = "<h2>The promise: at most 1 % of candidates within their margins are rolled back</h2>"
    return title + _table(["", "runs", "rolled back", "limit (99.9 %)", ""], lines)


def _harmless(rows: Sequence[Row]) -> str:
    lines = []
    for row in rows:
        cells = [_shaded(row.scores[one.name]) for one in CONTESTANTS]
        lines.append([escape(row.played.cell.label), str(row.ours.runs), *cells, f"{100.0 * row.ours.error:.1f}"])
    return _table(["", "runs", *SHORT.values(), "± (Fairway)"], lines)


def _shaded(score: Score) -> str:
    """The redder, the more wrong roll-backs."""
    strength = round(min(1.0, score.share) * 0.75, 2)
    style = f"background:rgba(193,68,14,{strength});margin:-3px -8px;padding:3px 8px;display:block"
    return f'<span style="{style}">{100.0 * score.share:.1f}</span>'


def _plots(rows: Sequence[Row]) -> list[str]:
    bad = [row for row in rows if row.played.cell.scenario.kind == "bad"]
    drawn = []
    for rate in sorted({row.played.cell.rate for row in bad}):
        chosen = [row for row in bad if row.played.cell.rate == rate]
        delays = [(row.played.cell.scenario.name, {n: row.scores[n].delay for n in PLOTTED}) for row in chosen]
        costs = [(row.played.cell.scenario.name, {n: row.scores[n].failed for n in PLOTTED}) for row in chosen]
        most = max(10.0, *(tail for _, values in costs for _, tail in values.values()))
        title = f"{rate:,g} requests a second: seconds from the fault to the roll-back"
        drawn.append(dots(title, Axis(1.0, DURATION, "seconds", "not found"), delays, PLOTTED))
        title = f"{rate:,g} requests a second: requests that failed on the candidate"
        drawn.append(dots(title, Axis(1.0, most, "requests"), costs, PLOTTED))
    return drawn


def _others(rows: Sequence[Row]) -> str:
    lines = []
    for row in rows:
        cells = [_detail(row.scores[one.name]) for one in CONTESTANTS]
        lines.append([escape(row.played.cell.label), str(row.ours.runs), *cells])
    return _table(["", "runs", *SHORT.values()], lines)


def _detail(score: Score) -> str:
    undecided = f"<br>{score.stopped} undecided" if score.stopped else ""
    early = f"<br>{score.too_early} before the fault" if score.too_early else ""
    return (
        f"{100.0 * score.share:.0f} %<br>{seconds(score.delay[0])} / {seconds(score.delay[1])} s"
        f"<br>{score.failed[0]:,.0f} / {score.failed[1]:,.0f}{undecided}{early}"
    )


def _sources(rows: Sequence[Row]) -> str:
    worst = prices(rows)
    lines = []
    for one in CONTESTANTS:
        share, where = worst.get(one.name, (0.0, ""))
        lines.append([escape(one.name), escape(one.setting), f"{share:.0%}, {escape(where)}", escape(one.source)])
    return _table(["", "setting", "worst harmless row", "source"], lines)


def _table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in header)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in line) + "</tr>" for line in lines)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
