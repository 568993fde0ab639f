"""One database: connections for reading and for writing, its clock, and its failures in our own words."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from fairway.adapters.stores.sql.pool import Pool
from fairway.domain.errors import FairwayError, TransientError

_NONE: Mapping[str, object] = {}


class Connection:
    """A connection in use. Statements name their values `:name`, whatever the driver wants to see.

    Attributes:
        driver: the driver's own connection.
    """

    def __init__(self, driver: Any, spell: Callable[[str], str]) -> None:
        self.driver = driver
        self._spell = spell

    def execute(self, statement: str, values: Mapping[str, object] = _NONE) -> Any:
        """Runs a statement and gives the driver's cursor."""
        return self.driver.execute(self._spell(statement), values)

    def rows(self, statement: str, values: Mapping[str, object] = _NONE) -> list[tuple[Any, ...]]:
        """All rows of the answer."""
        found: list[tuple[Any, ...]] = self.execute(statement, values).fetchall()
        return found

    def row(self, statement: str, values: Mapping[str, object] = _NONE) -> tuple[Any, ...] | None:
        """The first row of the answer; None if it has none."""
        return next(iter(self.rows(statement, values)), None)

    def value(self, statement: str, values: Mapping[str, object] = _NONE) -> Any:
        """The first value of the answer; None if it has none."""
        return (self.row(statement, values) or (None,))[0]

    def change(self, statement: str, values: Mapping[str, object] = _NONE) -> int:
        """Runs a statement and says how many rows it changed."""
        return int(self.execute(statement, values).rowcount)


class Database(ABC):
    """A database that the journal is kept in.

    Attributes:
        name: what error sentences call it: a path, or host and database; never a password.
        exclusive: nobody else advances runs in it, so that other leases are those of the dead.
        service: whose runs may be claimed and whose messages delivered; None: anybody's.
        failures: what its driver raises.
        begin: the statement that begins a transaction that writes.
        lock, lock_free: end a SELECT in such a transaction: nobody else changes its rows meanwhile; `lock_free` leaves
            out those that somebody holds.
    """

    failures: type[Exception]
    begin: str
    lock: str
    lock_free: str

    def __init__(self, name: str, *, read: Pool, write: Pool, clock: Callable[[], float] | None) -> None:
        self.name = name
        self.exclusive = False
        self.service: str | None = None
        self._read = read
        self._write = write
        self._clock = clock

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for statements that read, each by itself: no transaction is held open between them."""
        with self._lent(self._read) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, committed at the end of the block and durable then."""
        with self._lent(self._write) as connection:
            connection.execute(self.begin)
            try:
                yield connection
            except FairwayError:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def _lent(self, pool: Pool) -> Iterator[Connection]:
        """A connection of the pool. One in which something unforeseen happened is closed, which ends what it began."""
        driver = None
        usable = False
        try:
            driver = pool.take()
            yield Connection(driver, self.spell)
            usable = True
        except FairwayError:
            usable = True
            raise
        except TimeoutError as error:
            if driver is not None:
                raise
            raise TransientError("database-busy", f"{self.name} has no free connection", "try again") from error
        except self.failures as error:
            dropped = driver is not None and self.is_gone(driver)
            if dropped or self.is_superseded(error):
                pool.clear()
            raise self.translate(error, dropped=dropped) from error
        finally:
            if driver is not None:
                pool.give_back(driver, usable=usable)

    @property
    def clock(self) -> str:
        """The time that lease ends are measured by, as a part of statements that are executed with `clock_values`."""
        return (self.server_clock if self._clock is None else None) or ":clock"

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
        self._read.clear()
        self._write.clear()

    @property
    @abstractmethod
    def server_clock(self) -> str | None:
        """The clock of the database itself, as a part of a statement; None if it has none and the caller's counts."""

    @abstractmethod
    def connect(self) -> Any:
        """A new connection of the driver that may write, each statement by itself until `begin`."""

    @abstractmethod
    def spell(self, statement: str) -> str:
        """A statement as the driver wants to see it."""

    @abstractmethod
    def is_gone(self, driver: Any) -> bool:
        """The connection has been lost."""

    def is_superseded(self, error: BaseException) -> bool:  # noqa: ARG002 -- a file is never
        """The server that said so may have left its place to another, which new connections reach."""
        return False

    @abstractmethod
    def translate(self, error: BaseException, *, dropped: bool) -> FairwayError:
        """The error of the driver in our own words.

        Args:
            error: what the driver raised.
            dropped: the connection is gone.
        """

    @abstractmethod
    def has_table(self, connection: Connection, name: str) -> bool:
        """A table of that name exists."""

    @abstractmethod
    def lock_schema(self, connection: Connection) -> None:
        """Begins a transaction that is the only one that changes tables."""

    @property
    @abstractmethod
    def dialect(self) -> str:
        """What SQLAlchemy calls it, for migrations."""

    @property
    @abstractmethod
    def shared(self) -> bool:
        """Several controllers may work on it at once."""


def insertion(table: str, names: Sequence[str]) -> str:
    """The statement that adds a row with these columns."""
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"


def first_line(error: BaseException) -> str:
    """The first line of what a driver said, without its full stop."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
