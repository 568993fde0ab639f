"""PostgreSQL: several controllers and commands at once, on READ COMMITTED with row locks and guarded updates."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from fairway.adapters.stores.sql.database import Connection, Database, first_line
from fairway.adapters.stores.sql.pool import Pool
from fairway.domain.errors import FairwayError, PermanentError, TransientError, UserError

#: A server that vanished without a word, as in a failover, is given up after some ten seconds; Linux would take a
#: quarter of an hour. Seconds, and milliseconds in the last one.
_SILENCE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}
#: Key of the advisory lock under which tables are changed: "fairway" in ASCII.
_SCHEMA_LOCK = 0x66616972776179
#: Connections in use at once, and how many stay open.
_CONNECTIONS, _KEPT = 20, 5
#: A value by its name, and not a cast, `::`.
_VALUE = re.compile(r"(?<!:):([a-z_]+)")


class PostgresDatabase(Database):
    """A journal on a server.

    Args:
        url: as PostgreSQL's own programs take it; `postgresql+psycopg` and the like in the scheme mean the same.
        patience: seconds to wait for a row lock, and for a free connection.
        clock: for lease ends; None: the server's.

    Raises:
        UserError: the URL is malformed, or the driver is not installed.
    """

    begin = "BEGIN ISOLATION LEVEL READ COMMITTED"
    lock = " FOR UPDATE"
    lock_free = " FOR UPDATE SKIP LOCKED"
    dialect = "postgresql+psycopg"
    shared = True

    def __init__(self, url: str, *, patience: float, clock: Callable[[], float] | None) -> None:
        self._given = _parameters(url)
        # Of several servers the one is meant that may be written to, whichever that is at the moment.
        self._changing = "," in str(self._given.get("host", "")) or "target_session_attrs" in self._given
        if self._changing:
            self._given.setdefault("target_session_attrs", "read-write")
        self.failures = _load_failures()
        self._patience = patience
        self._host = _host(self._given)
        self._user = self._given.get("user")
        self._base = self._given.get("dbname") or self._user or ""
        pool = Pool(self.connect, most=_CONNECTIONS, kept=_KEPT, patience=patience)
        super().__init__(f"PostgreSQL database {self._base!r} on {self._host}", read=pool, write=pool, clock=clock)

    @property
    def server_clock(self) -> str:
        """The server's, because the clocks of several controllers differ."""
        return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"

    def connect(self) -> Any:
        """A new connection, each statement by itself until `begin`."""
        import psycopg  # noqa: PLC0415

        settings: dict[str, Any] = {"connect_timeout": 5, "application_name": "fairway", **_SILENCE}
        connection = psycopg.connect(**(settings | self._given), autocommit=True)
        try:
            # A process that was stopped in the middle of a transaction must not keep its row locks.
            connection.execute("SET idle_in_transaction_session_timeout = '10s'")
            connection.execute(f"SET lock_timeout = {int(self._patience * 1000)}")
        except BaseException:
            connection.close()
            raise
        return connection

    def spell(self, statement: str) -> str:
        """With `%(name)s` in place of `:name`."""
        return _spell(statement)

    def is_gone(self, driver: Any) -> bool:
        """The connection has been lost."""
        return bool(driver.closed)

    def has_table(self, connection: Connection, name: str) -> bool:
        """A table of that name exists where unqualified names are looked up."""
        return connection.value("SELECT to_regclass(:name)", {"name": name}) is not None

    def lock_schema(self, connection: Connection) -> None:
        """Begins a transaction and waits for others that change tables; the lock ends with the transaction."""
        connection.execute(self.begin)
        connection.execute("SET LOCAL lock_timeout = 0")
        connection.execute("SELECT pg_advisory_xact_lock(:key)", {"key": _SCHEMA_LOCK})

    def is_superseded(self, error: BaseException) -> bool:
        """It may only be read from: a standby has taken its place, or is about to, perhaps behind the same name."""
        return getattr(error, "sqlstate", None) == _READ_ONLY

    def translate(self, error: BaseException, *, dropped: bool) -> FairwayError:
        """By SQLSTATE, or by asking the server if there is none.

        The codes are in https://www.postgresql.org/docs/current/errcodes-appendix.html.
        """
        from psycopg import OperationalError  # noqa: PLC0415

        state = getattr(error, "sqlstate", None) or ""
        if not dropped and not state and isinstance(error, OperationalError):
            return self._refused(error)
        if dropped or state.startswith(("08", "57P")):
            return TransientError(
                "database-unreachable", f"the connection to the {self.name} was lost", "it is tried again by itself"
            )
        if self._changing and state == _READ_ONLY:
            return self._without_primary()
        for states, kind, name, sentence, hint in _FAILURES:
            if state.startswith(states):
                return kind(name, sentence.format(name=self.name), hint)
        return PermanentError(
            "database-failed", f"the {self.name} refused: {first_line(error)}", f"SQLSTATE {state}" if state else ""
        )

    def _may_be_read(self) -> bool:
        """One of the servers takes us, though not for writing."""
        import psycopg  # noqa: PLC0415

        try:
            psycopg.connect(**(self._given | {"connect_timeout": 5, "target_session_attrs": "any"})).close()
        except psycopg.Error:
            return False
        return True

    def _without_primary(self) -> FairwayError:
        """As long as it takes until a standby has taken the place of the primary server."""
        sentence = f"none of the servers {self._host} of the database {self._base!r} may be written to at present"
        return TransientError("database-unreachable", sentence, "a standby may be taking over; it is tried again")

    def _refused(self, error: BaseException) -> FairwayError:
        """No connection came about. The driver gives no code for that, so the server is asked whether it is there."""
        from psycopg import conninfo, pq  # noqa: PLC0415

        if self._changing and self._may_be_read():
            return self._without_primary()
        where = {name: value for name, value in self._given.items() if name in ("host", "hostaddr", "port", "service")}
        answer = pq.PGconn.ping(conninfo.make_conninfo(connect_timeout=5, **where).encode())
        if answer == pq.Ping.OK:
            return PermanentError(
                "database-refused",
                f"PostgreSQL on {self._host} refused user {self._user!r} for database {self._base!r}: "
                f"{first_line(error).rpartition('FATAL:')[2].strip()}",
                "look at user, password and database name in `database`",
            )
        if answer == pq.Ping.REJECT:
            return TransientError(
                "database-starting", f"PostgreSQL on {self._host} is starting or stopping", "try again"
            )
        return TransientError(
            "database-unreachable",
            f"no PostgreSQL answers on {self._host}",
            "look at host and port in `database`, and whether the server runs",
        )


#: SQLSTATE of a statement that writes on a server that may only be read.
_READ_ONLY = "25006"

_FAILURES: tuple[tuple[tuple[str, ...], type[FairwayError], str, str, str], ...] = (
    (("55P03", "40"), TransientError, "database-busy", "the {name} is locked by another transaction", "try again"),
    (("53100",), TransientError, "database-full", "the {name} cannot grow: its disk is full", "free some space there"),
    (
        ("53",),
        TransientError,
        "database-busy",
        "the {name} has no resources left",
        "look at its memory and connections",
    ),
    (
        (_READ_ONLY,),
        TransientError,
        "database-read-only",
        "the {name} is read-only",
        "after a failover try again; else name the primary server, not a standby",
    ),
    (
        ("25P03",),
        TransientError,
        "database-unreachable",
        "the {name} ended a transaction that stood still",
        "it is tried again by itself",
    ),
    (
        ("42501", "3F"),
        PermanentError,
        "database-forbidden",
        "the user of the {name} may not do this",
        "grant it the right to create and change tables",
    ),
    (("XX001", "XX002"), PermanentError, "database-corrupt", "the {name} is damaged", "restore it from a backup"),
)


def _load_failures() -> type[Exception]:
    """What the driver raises."""
    from psycopg import Error  # noqa: PLC0415

    return Error


def _parameters(url: str) -> dict[str, Any]:
    """What the URL says, by the names of libpq.

    What the driver says of a malformed one is not passed on: it quotes the URL, which may hold a password.
    """
    try:
        from psycopg import ProgrammingError, conninfo  # noqa: PLC0415 -- an extra, and only PostgreSQL needs it
    except ImportError as error:
        raise UserError(
            "driver-missing",
            "the driver for PostgreSQL, psycopg, is not installed",
            "pip install 'fairway[postgres]'",
        ) from error
    malformed = "the PostgreSQL URL of the database is malformed"
    hint = "write postgresql://USER@HOST/DATABASE"
    try:
        given: dict[str, Any] = conninfo.conninfo_to_dict("postgresql://" + url.partition("://")[2])
    except ProgrammingError:
        raise UserError("database-url", malformed, hint) from None
    if any(port and not port.isdecimal() for port in str(given.get("port", "")).split(",")):
        raise UserError("database-url", malformed, hint)
    return given


def _host(given: dict[str, Any]) -> str:
    """Where the server is, for people: host and port, or the folder of its socket."""
    place = given.get("host", "localhost")
    return f"{place}:{given['port']}" if given.get("port") else str(place)


@lru_cache(maxsize=200)
def _spell(statement: str) -> str:
    return _VALUE.sub(r"%(\1)s", statement)
