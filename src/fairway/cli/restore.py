"""restore."""

from typing import TYPE_CHECKING, Any

from fairway.cli.follow import follow
from fairway.cli.options import DEFAULTS, Options
from fairway.cli.output import Exit, complain, note, print_json, say, seconds, table
from fairway.usecases.answers import Declined

if TYPE_CHECKING:
    from fairway.bootstrap import Project
    from fairway.usecases.recovery.restore import Outlook, Restorer, Wish


def restore(  # noqa: PLR0913 -- its options
    backup: str,
    /,
    *,
    env: str,
    database: str | None = None,
    into: str | None = None,
    reason: str = "",
    confirm: str = "",
    dry_run: bool = False,
    other_schema: bool = False,
    wait: bool = True,
    options: Options = DEFAULTS,
) -> int:
    """Restore a database from a backup.

    In place, by a run: what is there is backed up before, the backup is restored beside it and compared, the instances
    are stopped for the swap, and the checks of the environment come last. What they say is the answer; nothing is
    swapped back by itself.

    Args:
        backup: its id.
        env: the environment that it is of.
        database: the database that it is of, to be sure.
        into: restore into a new database of this name, and touch nothing else.
        reason: why, for the record and for everybody who is told.
        confirm: the word CONFIRM, so that nobody loses data by accident.
        dry_run: say what would be done, and what would be lost.
        other_schema: restore also where tables were defined otherwise since.
        wait: stay until it has been done and checked.
    """
    from fairway import bootstrap
    from fairway.bootstrap.recovery import restorer_of
    from fairway.usecases.recovery.restore import Wish, insist

    project = bootstrap.open_project(options.config)
    restorer = restorer_of(project)
    wish = Wish(backup, env, database, other_schema)
    if into is not None:
        return _restore_into(restorer, wish, into, dry_run=dry_run, options=options)
    if not dry_run:
        insist(reason, confirm)
    outlook = restorer.prepare(wish)
    if isinstance(outlook, Declined):
        return _say_no(outlook, options)
    if dry_run:
        return _show(outlook, options)
    note(outlook.lost)
    for planned in outlook.plan.forward:
        note(f"  {planned.stage}: {planned.step.title}")
    answer = restorer.start(outlook, reason=reason, confirmation=confirm)
    if isinstance(answer, Declined):
        return _say_no(answer, options)
    return _carry_out(project, outlook, wait=wait, options=options)


def _carry_out(project: "Project", outlook: "Outlook", *, wait: bool, options: Options) -> int:
    """The controller does it; this command only looks on."""
    from fairway import bootstrap

    environment = outlook.plan.environment
    bootstrap.resume(project, environment)
    bootstrap.ensure_controller(project)
    if wait:
        return follow(project, outlook.run, as_json=options.json)
    if options.json:
        print_json({"run": outlook.run, "environment": environment, "plan": _plan_object(outlook)})
    else:
        say(f"{outlook.run} started; fairway watch {outlook.run}")
    return Exit.YES


def _restore_into(restorer: "Restorer", wish: "Wish", name: str, *, dry_run: bool, options: Options) -> int:
    """A new database; needs no reason and no word, because nothing is lost by it."""
    if dry_run:
        looked = restorer.look_into(wish, name)
        if isinstance(looked, Declined):
            return _say_no(looked, options)
        return _say_into(
            looked.id, name, f"{looked.id} would be restored into {name}; nothing else is touched", options
        )
    done = restorer.restore_into(wish, name)
    if isinstance(done, Declined):
        return _say_no(done, options)
    sentence = f"{done.backup.id} is restored into {name}: {done.backup.contents.words}, as recorded"
    return _say_into(done.backup.id, name, sentence, options)


def _say_into(backup: str, name: str, sentence: str, options: Options) -> int:
    if options.json:
        print_json({"backup": backup, "into": name, "reason": sentence})
    else:
        say(sentence)
    return Exit.YES


def _show(outlook: "Outlook", options: Options) -> int:
    if options.json:
        print_json(_plan_object(outlook))
        return Exit.YES
    plan, rows = outlook.plan, []
    for index, planned in enumerate(plan.forward):
        if index == plan.commit:
            rows.append(["", "— commit point: from here only another restore goes back —", ""])
        rows.append([planned.stage, planned.step.title, seconds(planned.seconds)])
    rows += [[stage, f"skipped: {why}", ""] for stage, why in plan.skipped]
    say(f"{plan.strategy} in {plan.environment}: {outlook.lost}\n")
    say(table(["STAGE", "STEP", "ABOUT"], rows))
    say("\nWay back, at any moment before the commit point:")
    for planned in plan.rollback:
        say(f"  {planned.step.title}")
    return Exit.YES


def _plan_object(outlook: "Outlook") -> dict[str, Any]:
    plan, recovery = outlook.plan, outlook.plan.recovery
    names = {} if recovery is None else {"backup": recovery.backup, "saved": recovery.saved, "aside": recovery.aside}
    return {
        "kind": plan.kind,
        "environment": plan.environment,
        **names,
        "lost": outlook.lost,
        "commit_point": plan.commit,
        "forward": [{"stage": s.stage, "name": s.step.title, "seconds": s.seconds} for s in plan.forward],
        "rollback": [{"stage": s.stage, "name": s.step.title, "seconds": s.seconds} for s in plan.rollback],
        "skipped": [{"stage": stage, "reason": why} for stage, why in plan.skipped],
    }


def _say_no(answer: Declined, options: Options) -> int:
    complain(answer.code, answer.sentence, answer.hint, as_json=options.json)
    return Exit.NO
