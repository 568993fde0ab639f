"""Making a damaged journal anew, with nobody else at work on it."""

import fcntl
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from fairway.bootstrap.ambient import now
from fairway.bootstrap.controller import UNIT, ensure_controller, take_lock
from fairway.bootstrap.private import open_private
from fairway.bootstrap.project import Project, open_known
from fairway.domain.errors import FairwayError, PermanentError, TransientError, UserError

if TYPE_CHECKING:
    from fairway.adapters.stores.sql.repair import Repair


#: Seconds between two copies, of a journal of so many bytes and of a larger one.
COPY_EVERY, COPY_LARGE_EVERY, LARGE = 600.0, 86400.0, 64 << 20


def journal_file(project: Project) -> Path | None:
    """The journal's file; None if it is kept on a server."""
    kind, _, rest = project.database.partition("://")
    if not rest:
        return Path(project.database).absolute()
    return Path(rest.partition("?")[0].removeprefix("/")).absolute() if kind.partition("+")[0] == "sqlite" else None


def keep_journal(project: Project, report: Callable[[str, BaseException], None]) -> float:
    """Keeps a copy of the journal, if it is a file; says after how many seconds to come again."""
    from fairway.adapters.stores.sql.repair import keep_copy

    journal = journal_file(project)
    if journal is None:
        return COPY_LARGE_EVERY
    try:
        keep_copy(journal)
        return COPY_EVERY if journal.stat().st_size < LARGE else COPY_LARGE_EVERY
    except (FairwayError, OSError) as error:
        report("keeping a copy of the journal", error)
        return COPY_EVERY


def journal_damage(config: Path | None, state: Path) -> str | None:
    """What is wrong with the journal of the project here, in a sentence; None if nothing is, or if there is none.

    Args:
        config: the configuration; None: the nearest one.
        state: the state folder. If nobody may look into it, that is not the journal's fault.
    """
    try:
        return _damage(config) if (state / "project").exists() else None
    except PermissionError:
        return None


def _damage(config: Path | None) -> str | None:
    from fairway.adapters.stores.sql.repair import find_damage

    journal = journal_file(open_known(config))
    damage = None if journal is None else find_damage(journal)
    return None if damage is None else f"the journal {journal} is damaged: {damage}"


def repair_journal(config: Path | None) -> "Repair | None":
    """Makes a damaged journal anew; None if it is sound. A controller of the supervisor's is stopped meanwhile.

    Raises:
        UserError: the journal is kept on a server.
        PermanentError: a controller runs in the foreground; or nothing is left of the journal.
        TransientError: somebody else has the file open.
    """
    from fairway.adapters.stores.sql.repair import find_damage, repair

    project = open_known(config)
    journal = journal_file(project)
    if journal is None:
        hint = "restore it by the server's own means"
        raise UserError("database-url", "the journal is kept on a server, which Fairway does not repair", hint)
    if find_damage(journal) is None:
        return None
    controller = project.supervisor.observe().get(UNIT)
    if controller is not None:
        project.supervisor.stop_all({UNIT})
    with open_private(project.state / "controller.lock", "ab") as lock:
        if not take_lock(lock, fcntl.LOCK_EX):
            hint = "stop fairway serve first"
            raise PermanentError("controller-runs", f"another controller serves {project.state}", hint)
        _insist_on_being_alone(journal)
        made = repair(journal, at=now())
    if controller is not None:
        project.supervisor.resume_all({UNIT})
        ensure_controller(project)
    return made


def _insist_on_being_alone(journal: Path) -> None:
    """A command that is at work holds the file's lock for moments only; a damaged file may not be lockable at all."""
    import sqlite3

    if not journal.exists():
        return
    try:
        with closing(sqlite3.connect(journal, timeout=5.0, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise TransientError("database-busy", f"{journal} is locked by another process", "try again") from error
    except sqlite3.DatabaseError:
        return
