"""Leases: who may advance which run. Each change of holder raises the environment's epoch, the fencing number."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, false, func, or_, select, true, update

from fairway.adapters.stores.sql.database import Database
from fairway.adapters.stores.sql.schema import environments, runs
from fairway.ports.journal import Claim


class SqlLeases:
    """The port `Leases`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, holder: str, *, now: float, ttl: float, limit: int) -> tuple[Claim, ...]:
        """Takes due runs that nobody else holds; only reads if all of them are own ones with half their lease."""
        clock = self._database.lease_clock(now)
        settled = (runs.c.holder == holder) & (runs.c.lease_until > clock + ttl / 2)
        due = (
            select(runs.c.id, runs.c.service, runs.c.environment, runs.c.holder, runs.c.epoch, settled.label("settled"))
            .where(runs.c.wake_at <= now, self._free(holder, clock))
            .order_by(runs.c.wake_at, runs.c.number)
            .limit(limit)
        )
        with self._database.reading() as connection:
            found = connection.execute(due).all()
        if all(row.settled for row in found):
            return tuple(Claim(row.id, row.epoch) for row in found)
        with self._database.writing() as connection:
            taken = connection.execute(due.with_for_update(skip_locked=True)).all()
            return tuple(_take(connection, row, holder, clock + ttl) for row in taken)

    def renew(self, holder: str, *, now: float, ttl: float) -> tuple[Claim, ...]:
        """Renews all leases of the holder, also those that ended and that nobody took."""
        until = self._database.lease_clock(now) + ttl
        change = (
            update(runs).where(runs.c.holder == holder).values(lease_until=until).returning(runs.c.id, runs.c.epoch)
        )
        with self._database.writing() as connection:
            return tuple(Claim(row.id, row.epoch) for row in connection.execute(change).all())

    def release(self, holder: str) -> None:
        """Gives up all leases of the holder; they can be taken at once."""
        with self._database.writing() as connection:
            connection.execute(update(runs).where(runs.c.holder == holder).values(holder=None, lease_until=None))

    def next_wake(self, holder: str, *, now: float) -> float | None:
        """When `claim` may find something next, as far as it is known now."""
        clock = self._database.lease_clock(now)
        free = self._free(holder, clock)
        query = select(
            func.min(runs.c.wake_at).filter(free),
            func.min(runs.c.lease_until - clock).filter(~free),
        ).where(runs.c.wake_at.is_not(None))
        with self._database.reading() as connection:
            wake, left = connection.execute(query).one()
        times = [time for time in (wake, None if left is None else now + left) if time is not None]
        return min(times) if times else None

    def _free(self, holder: str, clock: ColumnElement[float]) -> ColumnElement[bool]:
        """The run's lease is free, ended or the holder's own; all are free to the only controller."""
        anyway = true() if self._database.exclusive else false()
        return or_(runs.c.holder.is_(None), runs.c.holder == holder, runs.c.lease_until <= clock, anyway)


def _take(connection: Connection, row: Row[*tuple[Any, ...]], holder: str, until: ColumnElement[float]) -> Claim:
    """Writes the lease; with a new epoch unless it was the holder's own already."""
    epoch = row.epoch
    if row.holder != holder:
        place = (environments.c.service == row.service) & (environments.c.environment == row.environment)
        raised = update(environments).where(place).values(epoch=environments.c.epoch + 1)
        epoch = connection.execute(raised.returning(environments.c.epoch)).scalar_one()
    connection.execute(update(runs).where(runs.c.id == row.id).values(holder=holder, lease_until=until, epoch=epoch))
    return Claim(row.id, epoch)
