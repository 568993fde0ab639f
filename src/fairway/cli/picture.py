"""A run as a picture on the terminal."""

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fairway.cli.output import seconds
from fairway.domain.analysis.same_age import baseline_share
from fairway.domain.rollout.run import Run
from fairway.domain.rollout.steps import Watch
from fairway.usecases.report import list_steps, outlook_of, reason_of

_MARKS = {
    "done": ("✓", "green"),
    "advanced": ("»", "green"),
    "failed": ("✗", "red"),
    "errored": ("!", "red"),
    "aborted": ("■", "yellow"),
    "under-way": ("▶", "cyan"),
    "skipped": ("–", "dim"),
    "planned": ("·", "dim"),
    "not-reached": ("·", "dim"),
}
#: Lines that the picture needs beside the steps, at 80 columns; and how many steps it shows in any case.
_OTHER_LINES, _FEWEST_STEPS = 12, 5
#: Rows about requests that these lines hold.
_USUAL_ROWS = 3


def draw(run: Run, evidence: dict[str, Any] | None, at: float, *, height: int = 1000) -> RenderableType:
    """Weight and time left, requests of both revisions, evidence, and as many steps as there is room for.

    Args:
        run: the state.
        evidence: what the judge saved last.
        at: now, seconds since the epoch, UTC.
        height: lines of the terminal.
    """
    parts: list[RenderableType] = [_headline(run, at)]
    room = height - _OTHER_LINES
    if evidence is not None and run.outcome is None:
        traffic = _traffic(run, evidence)
        parts += [
            traffic,
            Text(f"{evidence['assessment']['sentence']} {outlook_of(run, evidence)}".rstrip(), style="dim"),
        ]
        room -= max(0, traffic.row_count - _USUAL_ROWS)
    parts.append(_steps(run, at, room=max(room, _FEWEST_STEPS)))
    return Group(*parts)


def _headline(run: Run, at: float) -> Text:
    plan = run.plan
    before = plan.stable.version if plan.stable is not None else "nothing"
    line = Text.assemble(
        (f"{plan.service} {before} → {plan.candidate.version}", "bold"),
        f" in {plan.environment} · {plan.strategy} · ",
        (run.phase, "red bold" if run.track == "rollback" else "cyan bold"),
        f" · weight {run.weight if run.track == 'forward' else 0:g} %",
    )
    if plan.baseline is not None and run.track == "forward" and baseline_share(run.weight) > 0:
        line.append(f", baseline {baseline_share(run.weight):g} %")
    left = time_left(run, at)
    if left is not None:
        line.append(f" · about {seconds(left)} left")
    if run.phase not in {"progressing", "observing"}:
        line.append(f"\n{reason_of(run)}")
    if run.attention:
        line.append(f"\nneeds attention: {run.attention}", style="red")
    return line


def time_left(run: Run, at: float) -> float | None:
    """Seconds that the rest of the plan is expected to take; None if nobody can know."""
    if run.outcome is not None or run.paused is not None:
        return None
    left = sum(planned.seconds for planned in run.steps[run.cursor :])
    if run.under_way and run.records:
        planned = run.current
        taken = at - run.records[-1].started
        left -= min(taken, planned.seconds if planned is not None else 0.0)
    return max(left, 0.0)


def _steps(run: Run, at: float, *, room: int) -> Table:
    table = Table.grid(padding=(0, 2))
    for step in _fold(list_steps(run), room):
        mark, style = _MARKS[step["outcome"]]
        taken = seconds(step["seconds"])
        if step["outcome"] == "under-way":
            taken = seconds(at - run.records[-1].started)
        # A line each, so that it is known how many fit.
        detail = Text(step["detail"], "dim", no_wrap=True, overflow="ellipsis")
        name = Text(step["name"], style, no_wrap=True, overflow="ellipsis")
        table.add_row(Text(mark, style), step["stage"], name, taken, detail)
    return table


def _fold(steps: list[dict[str, Any]], room: int) -> list[dict[str, Any]]:
    """The steps around the one under way, and how many there are before and after them."""
    if len(steps) <= room:
        return steps
    ahead = [index for index, step in enumerate(steps) if step["outcome"] in {"under-way", "planned"}]
    first = max(0, min(min(ahead, default=len(steps)) - 2, len(steps) - room + 1))
    last = first + room - 1 - (first > 0)
    before, after = first, len(steps) - last
    return [*_count(before, "earlier", "done"), *steps[first:last], *_count(after, "more", "planned")]


def _count(number: int, which: str, outcome: str) -> list[dict[str, Any]]:
    name = f"{number} {which} step{'s' if number > 1 else ''}"
    return [{"stage": "", "name": name, "seconds": None, "outcome": outcome, "detail": ""}] if number > 0 else []


def _traffic(run: Run, evidence: dict[str, Any]) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for name in ("", "requests", "failed", "P50", "P99"):
        table.add_column(name, justify="left" if not name else "right")
    traffic = evidence.get("traffic", {})
    plan = run.plan
    for role, revision in (("candidate", plan.candidate), ("baseline", plan.baseline), ("stable", plan.stable)):
        if revision is not None and (seen := traffic.get(revision.id)) is not None:
            times = (_milliseconds(seen["p50"]), _milliseconds(seen["p99"]))
            table.add_row(f"{role} {revision.version}", str(seen["finished"]), str(seen["failed"]), *times)
    planned = run.current
    if planned is not None and isinstance(planned.step, Watch):
        watched, known = evidence["assessment"]["watched"], evidence["assessment"]["evidence"]
        bar = f"watched {seconds(watched)} of {seconds(planned.step.seconds)}"
        table.add_row(bar, "", "", "", _odds(known))
        for test in known.get("promotion", ()) if planned.step.least is not None else ():
            missing = f"about {test['missing']:,} missing" if test["missing"] else ""
            table.add_row(f"good enough in {test['name']}", missing, "", "", _odds(test))
    budget = evidence["assessment"]["evidence"].get("budget")
    if budget is not None:
        table.add_row("budget of failed requests", "", f"{budget['failed']} of {budget['limit']}", "", "")
    return table


def _odds(known: dict[str, Any]) -> str:
    return f"e {known['e_value']:.3g} of {known['threshold']:.0f}"


def _milliseconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} ms"
