"""The whole journal on one database."""

import re
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from fairway.adapters.stores.sql.database import Database
from fairway.adapters.stores.sql.evidence import SqlEvidence
from fairway.adapters.stores.sql.journal import SqlJournal
from fairway.adapters.stores.sql.leases import SqlLeases
from fairway.adapters.stores.sql.outbox import SqlOutbox
from fairway.adapters.stores.sql.records import SqlRecords
from fairway.adapters.stores.sql.releases import SqlReleases
from fairway.adapters.stores.sql.upgrade import ensure_schema
from fairway.domain.errors import UserError

#: Seconds to wait for a lock; on PostgreSQL shorter than a lease, so that a holder notices in time.
_PATIENCE = {"sqlite": 30.0, "postgresql": 10.0}


class SqlStore(SqlJournal, SqlLeases, SqlEvidence, SqlRecords, SqlOutbox, SqlReleases):
    """All ports of the journal. Safe to share between threads; not across a fork."""

    def __init__(self, database: Database) -> None:
        SqlJournal.__init__(self, database)
        SqlLeases.__init__(self, database)
        SqlOutbox.__init__(self, database)

    @classmethod
    def open(
        cls,
        url: str,
        *,
        exclusive: bool = False,
        service: str | None = None,
        lease_clock: Callable[[], float] | None = None,
        patience: float | None = None,
    ) -> Self:
        """Opens a journal, and makes or upgrades its tables if need be.

        Args:
            url: `postgresql://…`, `sqlite:///FILE`, or the path of a file.
            exclusive: only for a file, by the controller that holds its lock: leases of others are taken over at once.
            service: claim runs and list due messages of this service only, for a controller beside those of others;
                None: of any.
            lease_clock: seconds since the epoch, UTC, by which leases end; None: the server's clock, for a file the
                caller's.
            patience: seconds to wait for locks of others; None: 30 for a file, 10 on a server.

        Raises:
            UserError: the URL is not understood, or the driver for it is not installed.
            TransientError: the server does not answer, the file is locked, the disk is full.
            PermanentError: the server refuses, or the file is damaged, not a database, not writable.
        """
        database = _open_database(url, exclusive=exclusive, clock=lease_clock, patience=patience)
        database.service = service
        try:
            ensure_schema(database)
        except BaseException:
            database.close()
            raise
        return cls(database)

    @property
    def database(self) -> Database:
        """What it is kept in."""
        return self._database

    def close(self) -> None:
        """Closes all connections; a second call does nothing."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _open_database(url: str, *, exclusive: bool, clock: Callable[[], float] | None, patience: float | None) -> Database:
    """Only the module of the database that is used is loaded: each brings its driver."""
    if "://" not in url:
        return _open_file(url, exclusive=exclusive, clock=clock, patience=patience)
    scheme, _, rest = url.partition("://")
    kind = scheme.partition("+")[0]
    file = rest.partition("?")[0].removeprefix("/")
    if kind == "sqlite" and rest.startswith("/") and file not in ("", ":memory:"):
        return _open_file(file, exclusive=exclusive, clock=clock, patience=patience)
    if kind in ("postgresql", "postgres") and not exclusive:
        from fairway.adapters.stores.sql.postgres import PostgresDatabase  # noqa: PLC0415 -- loads psycopg

        return PostgresDatabase(url, patience=patience or _PATIENCE["postgresql"], clock=clock)
    # Without user and password, and without options, which may hold one too.
    shown = re.sub(r"//.*@", "//", url.partition("?")[0])
    if exclusive:
        raise UserError("database-url", f"{shown} is shared; only a file can be held by one controller", _EXAMPLES)
    raise UserError("database-url", f"{shown} is not a database that a journal can be kept in", _EXAMPLES)


_EXAMPLES = "write postgresql://USER@HOST/DATABASE or sqlite:////FOLDER/FILE"


def _open_file(path: str, *, exclusive: bool, clock: Callable[[], float] | None, patience: float | None) -> Database:
    from fairway.adapters.stores.sql.sqlite import SqliteDatabase  # noqa: PLC0415 -- only for files

    return SqliteDatabase(
        Path(path).absolute(), patience=patience or _PATIENCE["sqlite"], clock=clock, exclusive=exclusive
    )
