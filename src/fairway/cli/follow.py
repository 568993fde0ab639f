"""Following a run: live on a terminal, plain lines otherwise; the result at the end."""

import sys
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from fairway.cli.output import Exit, note, print_json, say, seconds
from fairway.domain.rollout.run import Run, StepRecord
from fairway.domain.rollout.watching import MOST_EXTENSIONS
from fairway.usecases.report import describe_run

if TYPE_CHECKING:
    from fairway.bootstrap import Project

#: Phases in which a run waits for a person.
WAITING = frozenset({"paused", "waiting-approval"})
#: Seconds between two looks for what keeps a run from going on.
_LOOK_EVERY = 1.0


def follow(
    project: "Project", run_id: str, *, as_json: bool, limit: float | None = None, going_back: bool = False
) -> int:
    """Shows a run until it has ended, and says how.

    Args:
        project: whose run it is.
        run_id: the run.
        as_json: print the run as an object at the end.
        limit: seconds to stay at most; None: until the end.
        going_back: that the run goes back is what was asked for.
    """
    from fairway import bootstrap

    progress = _screen() if sys.stderr.isatty() and not bootstrap.is_dumb_terminal() else _lines()
    next(progress)
    run, evidence = _observe(project, run_id, progress, limit)
    progress.close()
    return conclude(run, evidence, as_json=as_json, going_back=going_back)


def conclude(run: Run, evidence: dict[str, Any] | None, *, as_json: bool, going_back: bool = False) -> int:
    """Prints the result of a run and gives the exit status."""
    report = describe_run(run, evidence)
    if as_json:
        print_json(report)
    else:
        say(f"{run.plan.service} {report['release']} in {run.plan.environment}: {run.phase}. {report['reason']}")
    if run.outcome is None:
        return Exit.WAITING if run.phase in WAITING else Exit.UNKNOWN
    if run.outcome == "completed" or (going_back and run.outcome == "rolled-back"):
        return Exit.YES
    return Exit.UNKNOWN if run.verdict == "errored" else Exit.NO


def _observe(
    project: "Project", run_id: str, progress: "Progress", limit: float | None
) -> tuple[Run, dict[str, Any] | None]:
    from fairway import bootstrap

    began = bootstrap.now()
    run: Run | None = None
    hindrances = _list_hindrances(project)
    next(hindrances)
    while True:
        run = project.store.load(run_id, known=run)
        evidence = project.store.load_evidence(run_id)
        at = bootstrap.now()
        progress.send((run, evidence, at))
        if run.outcome is not None or (limit is not None and at - began > limit):
            return run, evidence
        if hindrance := hindrances.send((run, at)):
            note(f"{run.id} waits: {hindrance}")
        bootstrap.keep_serving(project)
        bootstrap.pause(0.15)


def _list_hindrances(project: "Project") -> Generator[str | None, tuple[Run, float], None]:
    """Why the run does not go on, once each; looked for once a second, and told when it was so twice in a row."""
    from fairway import bootstrap

    before: tuple[int, str | None] = (0, None)
    told: set[str | None] = {None}
    looked = 0.0
    sentence: str | None = None
    while True:
        run, at = yield sentence
        sentence = None
        if 0.0 <= at - looked < _LOOK_EVERY:
            continue
        looked = at
        found = run.version, bootstrap.find_hindrance(project, run.plan.service, run.plan.environment)
        if found == before and found[1] not in told:
            sentence = found[1]
            told.add(sentence)
        before = found


View = tuple[Run, dict[str, Any] | None, float]
Progress = Generator[None, View, None]


def _lines() -> Progress:
    """A line for each thing that happened; what was said once is not said again."""
    told = extended = 0
    said: tuple[str, str | None] = ("", None)
    reasons: set[str] = set()
    while True:
        run, evidence, _ = yield
        for record in run.records[told:]:
            if record.finished is None:
                break
            note(_step_line(run, record))
            reasons.add(record.detail)
            told += 1
        if run.extensions > extended and run.current is not None:
            times = f"{run.extensions} of {MOST_EXTENSIONS}"
            note(f"{run.id} {run.current.stage}: {run.current.step.title}: no answer yet, watched once more ({times})")
        extended = run.extensions
        now = (run.phase, run.held)
        if now != said and run.phase not in {"progressing", "observing"}:
            reason = describe_run(run, evidence)["reason"]
            note(f"{run.id} {run.phase}" + ("" if reason in reasons else f": {reason}"))
            reasons.add(reason)
        said = now


def _step_line(run: Run, record: StepRecord) -> str:
    """What became of a step."""
    planned = (run.plan.forward if record.track == "forward" else run.plan.rollback)[record.index]
    took = seconds((record.finished or record.started) - record.started)
    return f"{run.id} {planned.stage}: {planned.step.title}: {record.outcome} in {took}. {record.detail}".rstrip(". ")


def _screen() -> Progress:
    """The whole run at a glance, redrawn as it goes."""
    from rich.console import Console
    from rich.live import Live

    from fairway.cli.picture import draw

    console = Console(stderr=True)
    with Live(console=console, refresh_per_second=8, transient=False) as live:
        while True:
            run, evidence, at = yield
            live.update(draw(run, evidence, at, height=console.height))
