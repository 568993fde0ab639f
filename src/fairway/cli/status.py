"""status, watch and history."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairway.cli.follow import WAITING, follow
from fairway.cli.options import DEFAULTS, Options
from fairway.cli.output import Exit, print_json, say, table
from fairway.usecases.report import describe_run, timestamp
from fairway.usecases.status import Question, describe_environment

if TYPE_CHECKING:
    from fairway.usecases.course import Course


def status(
    *,
    env: str | None = None,
    run: str | None = None,
    evidence: bool = False,
    plot: Path | None = None,
    options: Options = DEFAULTS,
) -> int:
    """Say what runs where, and what is under way.

    Args:
        env: one environment; default: all.
        run: this run with its evidence, also one of long ago; default: the latest of each environment.
        evidence: draw the evidence over time: ratio with its confidence sequence, e-value, weight, decisions.
        plot: write the same picture to this file; its name ends in .svg or .png.
    """
    from fairway import bootstrap

    if plot is not None:
        from fairway.cli.evidence import check_plot

        check_plot(plot)
    service, store = bootstrap.open_reader(options.config)
    found = _find(service, store, env, run, options)
    # A plain status is asked for often, and should not wait for what draws.
    courses = _courses(store, found) if evidence or plot is not None or run is not None else []
    if plot is not None:
        from fairway.cli.evidence import save

        save(courses, plot)
    if options.json:
        _print_objects(service, found, courses, alone=env is not None or run is not None)
    elif courses and (evidence or plot is None):
        from fairway.cli.evidence import show

        show(courses)
    elif plot is None:
        say("\n".join(describe_environment(entry) for entry in found) or "nothing was ever deployed here")
    return Exit.WAITING if {entry["phase"] for entry in found} & WAITING else Exit.YES


def _find(service: str, store: Any, env: str | None, run: str | None, options: Options) -> list[dict[str, Any]]:
    """What there is to say of one run, or of one environment or all of them."""
    from fairway import bootstrap

    if run is not None:
        return [describe_run(store.load(run), store.load_evidence(run))]
    question = Question(service, store, lambda name: bootstrap.is_down(options.config, service, name))
    found = [question.ask(name) for name in ([env] if env is not None else question.list_environments())]
    if env is not None and found[0]["run"] is None:
        bootstrap.insist_on_environment(options.config, env)
    return found


def _courses(store: Any, found: list[dict[str, Any]]) -> "list[Course]":
    from fairway.usecases.course import tell_course

    return [tell_course(store, entry["run"]) for entry in found if entry["run"] is not None]


def _print_objects(service: str, found: list[dict[str, Any]], courses: "list[Course]", *, alone: bool) -> None:
    """One object: of the run or environment asked for, or of all environments."""
    told: dict[str, Any] = {}
    if courses:
        from fairway.usecases.course import describe_course

        told = {course.run.id: {"course": describe_course(course)} for course in courses}
    entries = [entry | told.get(entry["run"], {}) for entry in found]
    print_json(entries[0] if alone else {"service": service, "environments": entries})


def watch(run: str, /, *, timeout: str | None = None, options: Options = DEFAULTS) -> int:
    """Follow a run until it has ended.

    Args:
        run: id of the run.
        timeout: how long to stay at most, such as 10m.
    """
    from fairway import bootstrap

    limit = bootstrap.duration(timeout) if timeout is not None else None
    return follow(bootstrap.open_known(options.config), run, as_json=options.json, limit=limit)


def history(*, env: str | None = None, limit: int = 20, run: str | None = None, options: Options = DEFAULTS) -> int:
    """List the runs of an environment, newest first, or everything about one run.

    Args:
        env: one environment; default: all.
        limit: how many.
        run: show this one with all its steps.
    """
    from fairway import bootstrap

    service, store = bootstrap.open_reader(options.config)
    if run is not None:
        print_json(describe_run(store.load(run), store.load_evidence(run)))
        return Exit.YES
    runs = store.list_runs(service=service, environment=env, limit=limit)
    if env is not None and not runs:
        bootstrap.insist_on_environment(options.config, env)
    if options.json:
        print_json({"runs": [_entry(entry) for entry in runs]})
        return Exit.YES
    header = ["RUN", "ENVIRONMENT", "RELEASE", "COMMIT", "KIND", "STRATEGY", "OUTCOME", "STARTED", "BY", "WHY"]
    rows = []
    for e in runs:
        started = (timestamp(e.started) or "")[:19] + "Z"
        why = e.reason if len(e.reason) < 70 else e.reason[:69] + "…"
        row = [e.id, e.environment, e.release, e.commit[:12], e.kind, e.strategy, e.phase, started, e.actor, why]
        rows.append(row)
    say(table(header, rows) if rows else "no run yet")
    return Exit.YES


def _entry(summary: Any) -> dict[str, Any]:
    names = ("kind", "service", "environment", "release", "commit", "digest", "strategy", "phase", "verdict", "reason")
    entry = {"run": summary.id} | {name: getattr(summary, name) for name in names}
    return entry | {
        "actor": summary.actor,
        "started": timestamp(summary.started),
        "finished": timestamp(summary.ended),
    }
