"""release, and what is said of releases."""

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from fairway.cli.options import DEFAULTS, Options
from fairway.cli.output import Exit, complain, note, print_json, say, seconds, table
from fairway.cli.passing import NO_PASSING, Passing
from fairway.domain.errors import UserError
from fairway.domain.pipeline.plan import ReleasePlan
from fairway.domain.pipeline.release import Release
from fairway.usecases.answers import Declined
from fairway.usecases.releasing.report import describe_plan, describe_release

if TYPE_CHECKING:
    from fairway.bootstrap import Project

release = App(name="release", help="Build, test, check, sign and publish a version.")


@release.default
def make_release(
    version: str | None = None,
    /,
    *,
    bump: Literal["major", "minor", "patch"] | None = None,
    pre: str | None = None,
    commit: str | None = None,
    to: str | None = None,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    passing: Passing = NO_PASSING,
    options: Options = DEFAULTS,
) -> int:
    """Build, test, check, sign and publish a version.

    What is done is kept: a release that stopped goes on by `fairway release resume`. While another release of the
    service is under way, this one waits for its turn.

    Args:
        version: the version; default: the next one, as `fairway next` says it.
        bump: in place of what the commits say.
        pre: token of a pre-release, such as rc.
        commit: what to release; default: the commit of the version's tag if there is one, else what is checked out.
        to: an environment to deploy to afterwards.
        dry_run: print the plan and change nothing.
    """
    from fairway import bootstrap
    from fairway.bootstrap import releasing
    from fairway.usecases.releasing.start import Request

    project = bootstrap.open_project(options.config)
    desk = releasing.desk_of(project)
    found = _wanted(project, version, bump, pre)
    if isinstance(found, Declined):
        return _say_no(found, options)
    request = Request(found[0], bootstrap.actor(), commit, to, found[1], passing.passage)
    _tell_what_is_left_out(project)
    answer = desk.plan(request) if dry_run else desk.start(request)
    if isinstance(answer, Declined):
        return _say_no(answer, options)
    return _show_plan(answer, options) if isinstance(answer, ReleasePlan) else carry_on(project, answer, options)


def _tell_what_is_left_out(project: "Project") -> None:
    if project.is_dirty():
        note("fairway: the work tree has changes that are not committed; only what is committed is released")


def _wanted(
    project: "Project", version: str | None, bump: str | None, pre: str | None
) -> tuple[str, str | None] | Declined:
    """The version that is asked for, with its tag where the history says it; or why there is none."""
    from fairway.bootstrap import releasing

    if version is None:
        return releasing.next_of(project, bump, pre)
    if bump is not None or pre is not None:
        raise UserError("usage", f"{version[:60]!r} and --bump or --pre cannot both be given", "leave one of them out")
    return version, None


@release.command(name="resume", help="Let a release go on that stopped, after a look at what is there already.")
def resume_release(
    id: str | None = None,  # noqa: A002 -- its name on the command line
    /,
    *,
    passing: Passing = NO_PASSING,
    options: Options = DEFAULTS,
) -> int:
    """Let a release go on that stopped: what failed is tried again, after a look at what is there already.

    Windows and freezes are asked again, unless it passes them, or passed them when it began.

    Args:
        id: the release; default: the latest that is not over.
    """
    from fairway import bootstrap
    from fairway.bootstrap import releasing

    project = bootstrap.open_project(options.config)
    desk = releasing.desk_of(project)
    name = id or desk.latest_open()
    if releasing.is_carried(project, name):
        complain("release-held", f"another process carries {name} on", "wait for it", as_json=options.json)
        return Exit.NO
    answer = desk.resume(
        name,
        actor=bootstrap.actor(),
        lost=lambda: releasing.find_lost(project, name),
        passage=passing.passage,
    )
    if isinstance(answer, Declined):
        return _say_no(answer, options)
    return carry_on(project, answer, options)


@release.command(name="abandon", help="Give a release up as it is. What is published stays.")
def abandon_release(id: str, /, *, reason: str = "", options: Options = DEFAULTS) -> int:  # noqa: A002
    """Give a release up as it is. What is published stays; the next release may have its turn.

    Args:
        id: the release.
        reason: why, for the record.
    """
    from fairway import bootstrap
    from fairway.bootstrap import releasing

    project = bootstrap.open_project(options.config)
    answer = releasing.desk_of(project).abandon(id, actor=bootstrap.actor(), reason=reason)
    if isinstance(answer, Declined):
        return _say_no(answer, options)
    return _conclude(answer, options) and Exit.YES


@release.command(name="status", help="Say what became of a release, task by task; without an id, list the latest ones.")
def show_release(id: str | None = None, /, *, options: Options = DEFAULTS) -> int:  # noqa: A002
    """Say what became of a release, task by task; without an id, list the latest ones.

    Args:
        id: the release.
    """
    from fairway import bootstrap

    project = bootstrap.open_project(options.config)
    if id is not None:
        return _show_release(project.store.load_release(id), options)
    rows = project.store.list_releases(project.spec.service)
    if options.json:
        fields = ("id", "release", "commit", "phase", "verdict", "reason", "actor", "started", "ended")
        print_json({"releases": [{name: getattr(one, name) for name in fields} for one in rows]})
    else:
        lines = [(one.id, one.release, one.phase, one.reason.partition("\n")[0][:120]) for one in rows]
        say(table(("RELEASE", "VERSION", "PHASE", "REASON"), lines) if lines else "nothing has been released")
    return Exit.YES


@release.command(name="logs", help="Print what the commands of a task wrote, the last time that they ran.")
def show_log(id: str, task: str, /, *, options: Options = DEFAULTS) -> int:  # noqa: A002
    """Print what the commands of a task wrote, the last time that they ran.

    Args:
        id: the release.
        task: the task.
    """
    from fairway import bootstrap
    from fairway.bootstrap import releasing

    project = bootstrap.open_project(options.config)
    state = project.store.load_release(id)
    if task not in state.tasks:
        raise UserError("unknown-task", f"{id} has no task {task[:60]!r}", f"known are {', '.join(state.tasks)}")
    place = releasing.log_path(project, id, task)
    text = place.read_text(encoding="utf-8", errors="replace") if place.exists() else ""
    if options.json:
        print_json({"release": id, "task": task, "lines": text.splitlines()})
    elif text:
        say(text.rstrip("\n"))
    else:
        note(f"{task} ran no command: {state.tasks[task].detail or state.tasks[task].phase}")
    return Exit.YES


def carry_on(project: "Project", state: Release, options: Options, *, quiet: bool = False) -> int:
    """Is the host of a release until it rests, and shows it meanwhile.

    Args:
        project: whose release it is.
        state: the release.
        options: of every command.
        quiet: leave saying what became of it to the caller.
    """
    from fairway import bootstrap
    from fairway.bootstrap import releasing
    from fairway.cli.release_progress import progress_of

    if project.spec.notify:
        bootstrap.ensure_controller(project)
    with progress_of(state) as progress:

        def look() -> None:
            nonlocal state
            state = project.store.load_release(state.id, known=state)
            progress.show(state, bootstrap.now())

        try:
            releasing.carry_on(project, state.id, log=progress.log, waits=progress.wait, look=look)
        except KeyboardInterrupt:
            note(f"\nfairway: stopped; fairway release resume {state.id} goes on")
            return Exit.UNKNOWN
        look()
    return status_of(state) if quiet else _conclude(state, options)


def _conclude(state: Release, options: Options) -> int:
    if options.json:
        print_json(describe_release(state))
    elif state.outcome is not None:
        say(f"{state.plan.service} {state.plan.version}: {state.phase}. {state.ended_reason}")
    else:
        failed = next((one for one in state.tasks.values() if one.phase in ("failed", "errored")), None)
        say(f"{state.plan.service} {state.plan.version}: {state.phase}. {state.halted}")
        if failed is not None and failed.hint:
            note(f"  {failed.hint}")
        note(f"  fairway release resume {state.id} goes on from there")
    return status_of(state)


def status_of(state: Release) -> int:
    """The exit status that says what became of a release."""
    if state.outcome == "completed":
        return Exit.YES
    return Exit.UNKNOWN if state.cause == "errored" else Exit.NO


def _say_no(answer: Declined, options: Options) -> int:
    complain(answer.code, answer.sentence, answer.hint, as_json=options.json)
    return Exit.NO


def _show_plan(plan: ReleasePlan, options: Options) -> int:
    if options.json:
        print_json(describe_plan(plan))
        return Exit.YES
    rows = [[task.stage, task.id, task.action.title] for task in plan.tasks]
    rows += [[stage, "", f"skipped: {reason}"] for stage, reason in plan.skipped]
    say(f"{plan.service} {plan.version}, tag {plan.tag}, commit {plan.commit[:12]}\n")
    say(table(["STAGE", "TASK", "WHAT"], rows))
    return Exit.YES


def _show_release(state: Release, options: Options) -> int:
    if options.json:
        print_json(describe_release(state))
        return Exit.YES
    rows = []
    for task in state.plan.tasks:
        one = state.tasks[task.id]
        took = seconds(one.finished - one.started) if one.finished and one.started else ""
        rows.append([task.stage, task.id, one.phase, took, one.detail.partition("\n")[0][:100]])
    reason = state.ended_reason or state.halted or ""
    say(f"{state.plan.service} {state.plan.version}: {state.phase}" + (f". {reason}" if reason else "") + "\n")
    say(table(["STAGE", "TASK", "OUTCOME", "TOOK", "DETAIL"], rows))
    return Exit.YES
