"""pause, resume, promote, approve, abort."""

from collections.abc import Callable

from fairway.cli.options import DEFAULTS, Options
from fairway.cli.output import Exit, complain, print_json, say
from fairway.domain.rollout.run import Run
from fairway.usecases.answers import Declined
from fairway.usecases.report import describe_run
from fairway.usecases.steer import Helm


def _steer(command: Callable[[Helm], Run | Declined], what: str, options: Options) -> int:
    """Gives one command, and makes sure that somebody acts on it."""
    from fairway import bootstrap

    project = bootstrap.open_known(options.config)
    answer = command(Helm(project.store, bootstrap.now))
    if isinstance(answer, Declined):
        complain(answer.code, answer.sentence, answer.hint, as_json=options.json)
        return Exit.NO
    bootstrap.ensure_controller(project)
    if options.json:
        print_json(describe_run(answer, None))
    else:
        say(f"{answer.id}: {what}")
    return Exit.YES


def _actor() -> str:
    from fairway import bootstrap

    return bootstrap.actor()


def pause(run: str, /, *, reason: str = "", options: Options = DEFAULTS) -> int:
    """Stop the progress of a run. Its candidate keeps its share of requests and is still judged.

    Args:
        run: id of the run.
        reason: why, for the record.
    """
    return _steer(lambda helm: helm.pause_run(run, actor=_actor(), reason=reason), "paused", options)


def resume(run: str, /, *, options: Options = DEFAULTS) -> int:
    """Let a paused run go on. A watch that had no answer begins again.

    Args:
        run: id of the run.
    """
    return _steer(lambda helm: helm.resume_run(run, actor=_actor()), "goes on", options)


def promote(run: str, /, *, options: Options = DEFAULTS) -> int:
    """Skip the rest of the watch that a run is in.

    Args:
        run: id of the run.
    """
    return _steer(lambda helm: helm.promote_run(run, actor=_actor()), "skips the rest of this step", options)


def approve(run: str, /, *, options: Options = DEFAULTS) -> int:
    """Approve a run, now or before it asks.

    Args:
        run: id of the run.
    """
    return _steer(lambda helm: helm.approve_run(run, actor=_actor()), f"approved by {_actor()}", options)


def abort(run: str, /, *, reason: str = "", options: Options = DEFAULTS) -> int:
    """Take the candidate of a run back, by the run's own plan.

    Args:
        run: id of the run.
        reason: why, for the record.
    """
    return _steer(lambda helm: helm.abort_run(run, actor=_actor(), reason=reason), "goes back", options)
