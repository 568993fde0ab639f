"""PostgreSQL: several controllers and commands at once, on READ COMMITTED with row locks and guarded updates."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import URL, ColumnElement, Connection, Double, Engine, cast, create_engine, event, func, text

from fairway.adapters.stores.sql.database import Database, first_line, run_settings
from fairway.domain.errors import FairwayError, PermanentError, TransientError, UserError

#: A server that vanished without a word, as in a failover, is given up after some ten seconds; Linux would take a
#: quarter of an hour. Seconds, and milliseconds in the last one.
_SILENCE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}
#: Key of the advisory lock under which tables are changed: "fairway" in ASCII.
_SCHEMA_LOCK = 0x66616972776179


class PostgresDatabase(Database):
    """A journal on a server.

    Args:
        url: with any driver name; psycopg is used.
        patience: seconds to wait for a row lock, and for a free connection.
        clock: for lease ends; None: the server's.
    """

    def __init__(self, url: URL, *, patience: float, clock: Callable[[], float] | None) -> None:
        _require_driver()
        self._url = url.set(drivername="postgresql+psycopg")
        self._host = _host(url)
        engine = _open_engine(self._url, patience)
        super().__init__(
            f"PostgreSQL database {url.database or url.username or ''!r} on {self._host}",
            read=engine.execution_options(isolation_level="AUTOCOMMIT"),
            write=engine,
            clock=clock,
        )

    @property
    def server_clock(self) -> ColumnElement[float] | None:
        """The server's, because the clocks of several controllers differ."""
        return cast(func.extract("epoch", func.clock_timestamp()), Double())

    @property
    def shared(self) -> bool:
        """Any number of controllers."""
        return True

    def lock_schema(self, connection: Connection) -> None:
        """Waits for others that change tables; the lock ends with the transaction."""
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SCHEMA_LOCK})

    def translate(self, error: BaseException, *, dropped: bool) -> FairwayError:
        """By SQLSTATE, or by asking the server if there is none.

        The codes are in https://www.postgresql.org/docs/current/errcodes-appendix.html.
        """
        from psycopg import OperationalError  # noqa: PLC0415 -- an extra, and only PostgreSQL needs it

        state = getattr(error, "sqlstate", None) or ""
        if not dropped and not state and isinstance(error, OperationalError):
            return self._refused(error)
        if dropped or state.startswith(("08", "57P")):
            return TransientError(
                "database-unreachable", f"the connection to the {self.name} was lost", "it is tried again by itself"
            )
        for states, kind, name, sentence, hint in _FAILURES:
            if state.startswith(states):
                return kind(name, sentence.format(name=self.name), hint)
        return PermanentError(
            "database-failed", f"the {self.name} refused: {first_line(error)}", f"SQLSTATE {state}" if state else ""
        )

    def _refused(self, error: BaseException) -> FairwayError:
        """No connection came about. The driver gives no code for that, so the server is asked whether it is there."""
        from psycopg import conninfo, pq  # noqa: PLC0415

        where = {name: _join(value) for name, value in self._url.query.items() if name in ("host", "port")}
        where |= {"host": self._url.host} if self._url.host else {}
        where |= {"port": str(self._url.port)} if self._url.port else {}
        answer = pq.PGconn.ping(conninfo.make_conninfo(connect_timeout=5, **where).encode())
        if answer == pq.Ping.OK:
            return PermanentError(
                "database-refused",
                f"PostgreSQL on {self._host} refused user {self._url.username!r} for database {self._url.database!r}: "
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
        ("25006",),
        PermanentError,
        "database-read-only",
        "the {name} is read-only",
        "name the primary server, not a standby",
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


def _require_driver() -> None:
    try:
        import psycopg  # noqa: F401, PLC0415 -- an extra
    except ImportError as error:
        raise UserError(
            "driver-missing",
            "the driver for PostgreSQL, psycopg, is not installed",
            "pip install 'fairway[postgres]'",
        ) from error


def _host(url: URL) -> str:
    """Where the server is, for people: host and port, or the folder of its socket."""
    place = url.host or _join(url.query.get("host", "localhost"))
    return f"{place}:{url.port}" if url.port else place


def _join(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ",".join(value)


def _open_engine(url: URL, patience: float) -> Engine:
    """Opens no connection yet."""
    engine = create_engine(
        url,
        isolation_level="READ COMMITTED",
        pool_size=5,
        max_overflow=15,
        pool_timeout=patience,
        connect_args={"connect_timeout": 5, "application_name": "fairway", **_SILENCE},
    )

    @event.listens_for(engine, "connect")
    def _(connection: Any, _record: Any) -> None:
        # A process that was stopped in the middle of a transaction must not keep its row locks.
        run_settings(
            connection,
            (
                "SET idle_in_transaction_session_timeout = '10s'",
                f"SET lock_timeout = {int(patience * 1000)}",
            ),
        )
        connection.commit()

    return engine
