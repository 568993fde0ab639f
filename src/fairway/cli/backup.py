"""backup: taking, listing, showing and proving."""

from typing import Any

from fairway.cli.options import DEFAULTS, Options
from fairway.cli.output import Exit, complain, note, print_json, say, table
from fairway.domain.recovery.backup import Backup, told
from fairway.usecases.answers import Declined
from fairway.usecases.report import timestamp


def create(*, env: str, database: str | None = None, options: Options = DEFAULTS) -> int:
    """Back up the databases of an environment, each as it is in one instant. Older backups that have expired go.

    Args:
        env: the environment.
        database: one of them; default: all.
    """
    from fairway import bootstrap
    from fairway.bootstrap.recovery import desk_of

    taken = desk_of(bootstrap.open_project(options.config)).create(env, database)
    if options.json:
        print_json({"backups": [_object(one.backup) | {"removed": list(one.removed)} for one in taken]})
        return Exit.YES
    for one in taken:
        say(f"{one.backup.id}: {_line(one.backup)}")
        if one.removed:
            note(f"expired and removed: {', '.join(one.removed)}")
    return Exit.YES


def list_(*, env: str, options: Options = DEFAULTS) -> int:
    """List the backups that are kept, newest first.

    Args:
        env: the environment.
    """
    from fairway import bootstrap
    from fairway.bootstrap.recovery import desk_of

    found = desk_of(bootstrap.open_project(options.config)).list_backups(env)
    if options.json:
        print_json({"backups": [_object(one) for one in found]})
        return Exit.YES
    header = ["BACKUP", "DATABASE", "TAKEN", "BYTES", "TABLES", "ROWS", "WHY", "PROVED"]
    rows = [[one.id, one.database, told(one.at), f"{one.size}", f"{len(one.contents.tables)}"] for one in found]
    more = [[f"{one.contents.rows}", _why(one), told(one.proved) if one.proved else "never"] for one in found]
    lines = [[*row, *rest] for row, rest in zip(rows, more, strict=True)]
    say(table(header, lines) if lines else f"no backup yet; fairway backup create --env {env}")
    return Exit.YES


def show(backup: str, /, *, options: Options = DEFAULTS) -> int:
    """Show what is recorded of a backup: when, of what, its digest, the rows of each table.

    Args:
        backup: its id.
    """
    from fairway import bootstrap
    from fairway.bootstrap.recovery import desk_of

    found = desk_of(bootstrap.open_project(options.config)).find(backup)
    if options.json:
        print_json(_object(found))
        return Exit.YES
    say(f"{found.id}: {_line(found)}")
    say(f"digest: {found.digest}")
    say(f"why: {_why(found)}{f', by {found.actor}' if found.actor else ''}")
    say(f"proved: {told(found.proved) if found.proved else 'never'}")
    say(table(["TABLE", "ROWS"], [[name, f"{count}"] for name, count in found.contents.tables]))
    return Exit.YES


def prove(backup: str, /, *, options: Options = DEFAULTS) -> int:
    """Restore a backup into a database of its own, compare it with what was recorded, and remove it again.

    Args:
        backup: its id.
    """
    from fairway import bootstrap
    from fairway.bootstrap.recovery import desk_of

    answer = desk_of(bootstrap.open_project(options.config)).prove(backup)
    if isinstance(answer, Declined):
        complain(answer.code, answer.sentence, answer.hint, as_json=options.json)
        return Exit.NO
    if options.json:
        print_json(_object(answer))
    else:
        say(f"{answer.id}: restored as a trial; {answer.contents.words}, as recorded")
    return Exit.YES


def _line(backup: Backup) -> str:
    holds = f"{backup.contents.words}, {backup.size} bytes"
    return f"{backup.database} of {backup.environment} as of {told(backup.at)}; {holds}"


def _why(backup: Backup) -> str:
    return f"before {backup.run}" if backup.run else backup.why


def _object(backup: Backup) -> dict[str, Any]:
    return {
        "backup": backup.id,
        "service": backup.service,
        "environment": backup.environment,
        "database": backup.database,
        "kind": backup.kind,
        "taken": timestamp(backup.at),
        "why": backup.why,
        "run": backup.run or None,
        "actor": backup.actor,
        "bytes": backup.size,
        "digest": backup.digest,
        "rows": backup.contents.rows,
        "tables": dict(backup.contents.tables),
        "schema": backup.contents.schema,
        "proved": timestamp(backup.proved),
    }
