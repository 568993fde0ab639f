"""One database: connections for reading and for writing, its clock, and its failures in our own words."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, Connection, Double, Engine, bindparam
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from fairway.domain.errors import FairwayError, TransientError


class Database(ABC):
    """A database that the journal is kept in.

    Attributes:
        name: what error sentences call it: a path, or host and database; never a password.
        exclusive: nobody else advances runs in it, so that other leases are those of the dead.
        service: whose runs may be claimed and whose messages delivered; None: anybody's.
    """

    def __init__(self, name: str, *, read: Engine, write: Engine, clock: Callable[[], float] | None) -> None:
        self.name = name
        self.exclusive = False
        self.service: str | None = None
        self._read = read
        self._write = write
        self._clock = clock

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for one statement that reads; it never holds a transaction open."""
        with self._translated(), self._read.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, committed at the end of the block and durable then."""
        with self._translated(), self._write.begin() as connection:
            yield connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except PoolTimeout as error:
            raise TransientError("database-busy", f"{self.name} has no free connection", "try again") from error
        except DBAPIError as error:
            if error.orig is None:
                raise
            raise self.translate(error.orig, dropped=error.connection_invalidated) from error

    @property
    def clock(self) -> ColumnElement[float]:
        """The time that lease ends are measured by, as a part of statements that are executed with `clock_values`."""
        own = self.server_clock if self._clock is None else None
        return bindparam("clock", type_=Double()) if own is None else own

    def clock_values(self, now: float) -> dict[str, float]:
        """What a statement with `clock` in it needs.

        Args:
            now: the caller's time, seconds since the epoch, UTC.
        """
        if self._clock is not None:
            return {"clock": self._clock()}
        return {"clock": now} if self.server_clock is None else {}

    def close(self) -> None:
        """Closes all connections; a second call does nothing."""
        self._read.dispose()
        self._write.dispose()

    @property
    @abstractmethod
    def server_clock(self) -> ColumnElement[float] | None:
        """The clock of the database itself; None if it has none and the caller's counts."""

    @abstractmethod
    def translate(self, error: BaseException, *, dropped: bool) -> FairwayError:
        """The error of the driver in our own words.

        Args:
            error: what the driver raised.
            dropped: the connection is gone.
        """

    @abstractmethod
    def lock_schema(self, connection: Connection) -> None:
        """Makes this transaction the only one that changes tables."""

    @property
    @abstractmethod
    def shared(self) -> bool:
        """Several controllers may work on it at once."""


def first_line(error: BaseException) -> str:
    """The first line of what a driver said, without its full stop."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


def run_settings(connection: Any, statements: tuple[str, ...]) -> None:
    """Runs settings on a new connection of a driver."""
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    cursor.close()
