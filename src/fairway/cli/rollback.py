"""rollback."""

from fairway.cli.follow import follow
from fairway.cli.options import DEFAULTS, Options
from fairway.cli.output import Exit, complain, note, print_json, say
from fairway.usecases.answers import Declined, Started
from fairway.usecases.rollback import Return


def rollback(
    *,
    env: str,
    to: str | None = None,
    reason: str = "",
    confirm: str = "",
    wait: bool = True,
    options: Options = DEFAULTS,
) -> int:
    """Go back to an earlier release; a run under way is taken back by its own plan. The release left is quarantined.

    Args:
        env: where.
        to: a version, tag, commit, digest, or run of the history; default: what was live before.
        reason: why, for the record and for everybody who is told.
        confirm: the word CONFIRM, so that nobody goes back by accident.
        wait: stay until it has been done and verified.
    """
    from fairway import bootstrap

    project = bootstrap.open_project(options.config)
    wanted = Return(env, bootstrap.actor(), reason, confirm, to)
    answer = project.returner().start(wanted)
    if isinstance(answer, Declined):
        complain(answer.code, answer.sentence, answer.hint, as_json=options.json)
        return Exit.NO
    if not isinstance(answer, Started):
        if options.json:
            print_json({"unchanged": True, "release": answer.live.version, "reason": answer.sentence})
        else:
            say(f"nothing to do: {answer.sentence}")
        return Exit.YES
    bootstrap.resume(project, env)
    bootstrap.ensure_controller(project)
    if answer.taken_back:
        note(f"run {answer.run} is under way: it goes back by its own plan")
    if wait:
        return follow(project, answer.run, as_json=options.json, going_back=answer.taken_back)
    if options.json:
        print_json({"run": answer.run, "environment": env})
    else:
        say(f"{answer.run} started; fairway watch {answer.run}")
    return Exit.YES
