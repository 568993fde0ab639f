"""pause, resume, promote, approve, abort."""

from fairway.cli.options import DEFAULTS, Options
from fairway.cli.output import Exit, complain, print_json, say
from fairway.domain.rollout.run import Run
from fairway.usecases.answers import Declined
from fairway.usecases.report import describe_run
from fairway.usecases.steer import Helm


def _helm(options: Options) -> Helm:
    from fairway import bootstrap

    project = bootstrap.open_project(options.config)
    bootstrap.ensure_controller(project)
    return Helm(project.store, bootstrap.now)


def _actor() -> str:
    from fairway import bootstrap

    return bootstrap.actor()


def _answer(answer: Run | Declined, what: str, options: Options) -> int:
    if isinstance(answer, Declined):
        complain(answer.code, answer.sentence, answer.hint, as_json=options.json)
        return Exit.NO
    if options.json:
        print_json(describe_run(answer, None))
    else:
        say(f"{answer.id}: {what}")
    return Exit.YES


def pause(run: str, /, *, reason: str = "", options: Options = DEFAULTS) -> int:
    """Stop the progress of a run. Its candidate keeps its share of requests and is still judged.

    Args:
        run: id of the run.
        reason: why, for the record.
    """
    return _answer(_helm(options).pause_run(run, actor=_actor(), reason=reason), "paused", options)


def resume(run: str, /, *, options: Options = DEFAULTS) -> int:
    """Let a paused run go on. A watch that had no answer begins again.

    Args:
        run: id of the run.
    """
    return _answer(_helm(options).resume_run(run, actor=_actor()), "goes on", options)


def promote(run: str, /, *, options: Options = DEFAULTS) -> int:
    """Skip the rest of the watch that a run is in.

    Args:
        run: id of the run.
    """
    return _answer(_helm(options).promote_run(run, actor=_actor()), "skips the rest of this step", options)


def approve(run: str, /, *, options: Options = DEFAULTS) -> int:
    """Approve a run, now or before it asks.

    Args:
        run: id of the run.
    """
    return _answer(_helm(options).approve_run(run, actor=_actor()), f"approved by {_actor()}", options)


def abort(run: str, /, *, reason: str = "", options: Options = DEFAULTS) -> int:
    """Take the candidate of a run back, by the run's own plan.

    Args:
        run: id of the run.
        reason: why, for the record.
    """
    return _answer(_helm(options).abort_run(run, actor=_actor(), reason=reason), "goes back", options)
