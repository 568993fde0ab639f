"""SQLite: one file, one writer at a time, readers beside it.

Writers begin with BEGIN IMMEDIATE, so that a transaction that reads and then writes never finds out at its end that
it was overtaken. Reads run on connections of their own that take no lock and may not write.
"""

import os
import sqlite3
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from fairway.adapters.stores.sql.database import Connection, Database, first_line
from fairway.adapters.stores.sql.pool import Pool
from fairway.domain.errors import FairwayError, PermanentError, TransientError

#: Readers at once, and how many of their connections stay open. There is one writer: threads queue for it here, and
#: not in the file's lock.
_READERS, _KEPT = 25, 5


class SqliteDatabase(Database):
    """A journal in one file.

    Raises PermanentError where the file is empty or gone although a copy of it was kept.

    Args:
        path: the file; it is made with mode 0600, and its folder with 0700, if they do not exist.
        patience: seconds to wait for another writer.
        clock: for lease ends; None: the caller's time.
        exclusive: the caller holds the file's controller lock.
    """

    failures = sqlite3.Error
    begin = "BEGIN IMMEDIATE"
    lock = lock_free = ""
    dialect = "sqlite"
    shared = False

    def __init__(self, path: Path, *, patience: float, clock: Callable[[], float] | None, exclusive: bool) -> None:
        self._path = path
        self._patience = patience
        _require_history(path)
        _create(path)
        reader = partial(_connect, path, patience, "PRAGMA query_only = ON")
        super().__init__(
            str(path),
            read=Pool(reader, most=_READERS, kept=_KEPT, patience=patience),
            write=Pool(self.connect, most=1, kept=1, patience=patience),
            clock=clock,
        )
        self.exclusive = exclusive
        self._use_wal(time.monotonic() + patience)

    def _use_wal(self, deadline: float) -> None:
        """Opens the writing connection, which turns on the write-ahead log; the file keeps it on.

        SQLite does not wait by itself for another process that does it at the same moment.
        """
        while True:
            try:
                with self._lent(self._write):
                    return
            except TransientError as error:
                if error.code != "database-busy" or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    @property
    def server_clock(self) -> None:
        """None: one machine has one clock, the caller's."""

    def connect(self) -> sqlite3.Connection:
        """A new connection that may write, each statement by itself until `begin`."""
        return _connect(self._path, self._patience, "PRAGMA journal_mode = WAL")

    def spell(self, statement: str) -> str:
        """As it is: the driver knows values by name."""
        return statement

    def is_gone(self, driver: sqlite3.Connection) -> bool:  # noqa: ARG002 -- of a server it may be
        """Never: it is a file."""
        return False

    def has_table(self, connection: Connection, name: str) -> bool:
        """A table of that name exists."""
        found = connection.value("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = :name", {"name": name})
        return found is not None

    def lock_schema(self, connection: Connection) -> None:
        """Begins a transaction; that locks everybody else out."""
        connection.execute(self.begin)

    def translate(self, error: BaseException, *, dropped: bool) -> FairwayError:  # noqa: ARG002 -- a file is never gone
        """By the error's code; 5, for example, is SQLITE_BUSY in https://sqlite.org/rescode.html."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        for codes, kind, name, sentence, hint in _FAILURES:
            if code in codes:
                return kind(name, sentence.format(path=self._path), hint)
        return PermanentError("database-failed", f"{self._path}: {first_line(error)}", "")


_REPAIR = "fairway doctor --repair makes it anew from what can be read of it"

_FAILURES: tuple[tuple[set[int], type[FairwayError], str, str, str], ...] = (
    (
        {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED},
        TransientError,
        "database-busy",
        "{path} is locked by another process",
        "try again; if it lasts, look for a process that has the file open",
    ),
    (
        {sqlite3.SQLITE_FULL},
        TransientError,
        "database-full",
        "{path} cannot grow: the disk is full",
        "free some space; nothing was written",
    ),
    (
        {sqlite3.SQLITE_IOERR},
        TransientError,
        "database-io",
        "{path} could not be read or written: the disk reports an error",
        "look at the system's log and the free space; keep the file on a local disk",
    ),
    (
        {sqlite3.SQLITE_READONLY},
        PermanentError,
        "database-read-only",
        "{path} may not be written",
        "look at the owner and mode of the file and its folder",
    ),
    (
        {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH},
        PermanentError,
        "database-unopened",
        "{path} could not be opened",
        "look at the owner and mode of the file and its folder",
    ),
    (
        {sqlite3.SQLITE_CORRUPT},
        PermanentError,
        "database-corrupt",
        "{path} is damaged",
        _REPAIR,
    ),
    (
        {sqlite3.SQLITE_NOTADB},
        PermanentError,
        "database-not-sqlite",
        "{path} is not an SQLite database",
        "if it was the journal: " + _REPAIR + "; else name another file",
    ),
)


def kept_copy_of(path: Path) -> Path:
    """Where a copy of the file is kept, of a time when it was sound."""
    return path.with_name(f"{path.name}.kept")


def _require_history(path: Path) -> None:
    """An empty file would be taken for a new journal, and with it all that was ever done would be forgotten."""
    try:
        is_empty = path.stat().st_size == 0
    except FileNotFoundError:
        is_empty = True
    except OSError:
        return
    if is_empty and kept_copy_of(path).exists():
        what = "is empty" if path.exists() else "is gone"
        raise PermanentError("database-lost", f"{path} {what}, although it was in use", _REPAIR)


def _create(path: Path) -> None:
    """Makes the file and its folder with their modes. An existing file is not opened here.

    Closing a second descriptor of a file would drop the locks that SQLite holds on it in this process.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        if path.parent.is_dir():
            return
        raise PermanentError("database-unopened", f"{path.parent} is not a folder", "name another one") from None
    except OSError as error:
        raise PermanentError("database-unopened", f"{path} could not be made: {error.strerror}", "") from error


def _connect(path: Path, patience: float, own: str) -> sqlite3.Connection:
    """A connection that threads may hand on to each other, and that begins no transaction by itself."""
    connection = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
    try:
        for setting in ("PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON", own):
            connection.execute(setting).close()
    except BaseException:
        connection.close()
        raise
    return connection
