"""The figures as tables for a terminal."""

from collections.abc import Sequence
from math import isinf

from benchmarks.canary_bench.contest import CONTESTANTS
from benchmarks.canary_bench.score import Guarantee, Row, Score, guarantees, prices, wins

SHORT = {
    "Fairway": "Fairway",
    "Argo 1m/.99/0": "Argo 0",
    "Argo 1m/.99/3": "Argo 3",
    "Argo 5m/.95/3": "Argo docs",
    "Flagger 1m/99/5": "Flagger",
    "Kayenta end/1.0": "Kayenta end",
    "Kayenta 5m/1.0": "Kayenta 5m",
    "Kayenta end/1.2": "end, 1.2",
    "Kayenta 5m/1.2": "5m, 1.2",
    "z-test each minute": "z",
    "exact test each 10 s": "exact",
    "Bayes P>.99 each 10 s": "Bayes",
}


def text(rows: Sequence[Row], *, seed: int) -> str:
    """Everything for a terminal."""
    harmless = [row for row in rows if row.played.cell.scenario.harmless]
    others = [row for row in rows if not row.played.cell.scenario.harmless]
    return "\n".join(
        [
            f"seed {seed}, {sum(row.ours.runs for row in rows):,} rollouts, each judged by {len(CONTESTANTS)} rules",
            "",
            "Harmless candidates: % rolled back, which is always wrong (± standard error: Fairway's)",
            _table(["", "runs", *SHORT.values(), "±", "undecided"], [_harmless(row) for row in harmless]),
            "",
            "Others: % rolled back / median seconds from the fault / median requests failed on the candidate",
            _table(["", "runs", *SHORT.values()], [_other(row) for row in others]),
            "",
            "The same: 90 % quantiles of seconds / of failed requests; undecided: Fairway leaves it to a person",
            _table(["", "undecided", *SHORT.values()], [_tails(row) for row in others]),
            "",
            "Rows in which another does better than Fairway: % rolled back and median seconds",
            *win_lines(rows),
            "",
            *(_guarantee(one) for one in guarantees(rows)),
        ]
    )


def _harmless(row: Row) -> list[str]:
    shares = [f"{100.0 * row.scores[one.name].share:.1f}" for one in CONTESTANTS]
    return [row.played.cell.label, str(row.ours.runs), *shares, f"{100.0 * row.ours.error:.1f}", str(row.ours.stopped)]


def _other(row: Row) -> list[str]:
    return [row.played.cell.label, str(row.ours.runs), *(_found(row.scores[one.name]) for one in CONTESTANTS)]


def _found(score: Score) -> str:
    return f"{100.0 * score.share:.0f}/{seconds(score.delay[0])}/{score.failed[0]:.0f}"


def _tails(row: Row) -> list[str]:
    scores = [row.scores[one.name] for one in CONTESTANTS]
    tails = [f"{seconds(one.delay[1])}/{one.failed[1]:.0f}" for one in scores]
    return [row.played.cell.label, f"{row.ours.stopped} of {row.ours.runs}", *tails]


def seconds(value: float) -> str:
    """Seconds for people; a dash where it never ended."""
    if isinf(value):
        return "–"
    return f"{value:.2f}".rstrip("0").rstrip(".") if value < 10.0 else f"{value:.0f}"


def win_lines(rows: Sequence[Row]) -> list[str]:
    """A line for each row in which another does better, and what each of them does to harmless candidates."""
    found = wins(rows)
    if not found:
        return ["no row in which another does better"]
    lines = []
    for row in rows:
        others = [f"{SHORT[one.name]} {one.sentence}" for one in found if one.row is row]
        if others:
            score = row.ours
            mine = f"{score.share:.0%}" + ("" if isinf(score.delay[0]) else f" after {seconds(score.delay[0])} s")
            lines.append(f"{row.played.cell.label}: Fairway {mine}; {', '.join(others)}")
    lines.append("what they do to harmless candidates (% rolled back in their worst row)")
    for name, (share, where) in prices(rows).items():
        if any(one.name == name for one in found):
            lines.append(f"  {SHORT[name]}: {share:.0%} ({where})")
    return lines


def _guarantee(one: Guarantee) -> str:
    verdict = "holds" if one.holds else "BROKEN"
    return f"{verdict}: at most 1 % wrong roll-backs: {one.name}: {one.wrong} of {one.runs} (limit {one.limit})"


def _table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    widths = [max(len(line[n]) for line in [header, *lines]) for n in range(len(header))]

    def drawn(line: Sequence[str]) -> str:
        cells = [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        return "  ".join([line[0].ljust(widths[0]), *cells]).rstrip()

    return "\n".join(drawn(line) for line in [header, *lines])
