"""Leases: who may advance which run. Each change of holder raises the environment's epoch, the fencing number."""

from typing import Any

from sqlalchemy import BindParameter, Connection, Float, Row, bindparam, false, func, or_, select, true, update

from fairway.adapters.stores.sql.database import Database
from fairway.adapters.stores.sql.schema import environments, runs
from fairway.ports.journal import Claim, Leases


class SqlLeases(Leases):
    """The port `Leases`.

    `claim` runs many times a second, so its statements are built once: `me` is the holder that asks, `now` its time,
    `ttl` the seconds until the lease ends, `most` the limit.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        clock = database.clock
        holder: BindParameter[str] = bindparam("me")
        ttl: BindParameter[float] = bindparam("ttl", type_=Float())
        anyway = true() if database.exclusive else false()
        self._free = or_(runs.c.holder.is_(None), runs.c.holder == holder, runs.c.lease_until <= clock, anyway)
        settled = (runs.c.holder == holder) & (runs.c.lease_until > clock + ttl / 2)
        self._due = (
            select(runs.c.id, runs.c.service, runs.c.environment, runs.c.holder, runs.c.epoch)
            .add_columns(settled.label("settled"), (clock + ttl).label("until"))
            .where(runs.c.wake_at <= bindparam("now", type_=Float()), self._free)
            .where(true() if database.service is None else runs.c.service == database.service)
            .order_by(runs.c.wake_at, runs.c.number)
            .limit(bindparam("most"))
        )
        self._due_locked = self._due.with_for_update(skip_locked=True)

    def claim(self, holder: str, *, now: float, ttl: float, limit: int) -> tuple[Claim, ...]:
        """Takes due runs that nobody else holds; only reads if all of them are own ones with half their lease."""
        values = {"me": holder, "now": now, "ttl": ttl, "most": limit, **self._database.clock_values(now)}
        with self._database.reading() as connection:
            found = connection.execute(self._due, values).all()
        if all(row.settled for row in found):
            return tuple(Claim(row.id, row.epoch) for row in found)
        with self._database.writing() as connection:
            taken = connection.execute(self._due_locked, values).all()
            return tuple(_take(connection, row, holder) for row in taken)

    def renew(self, holder: str, *, now: float, ttl: float) -> tuple[Claim, ...]:
        """Renews all leases of the holder, also those that ended and that nobody took."""
        change = update(runs).where(runs.c.holder == holder).values(lease_until=self._database.clock + ttl)
        with self._database.reading() as connection:
            if connection.execute(select(runs.c.id).where(runs.c.holder == holder).limit(1)).first() is None:
                return ()
        with self._database.writing() as connection:
            rows = connection.execute(change.returning(runs.c.id, runs.c.epoch), self._database.clock_values(now))
            return tuple(Claim(row.id, row.epoch) for row in rows.all())

    def release(self, holder: str) -> None:
        """Gives up all leases of the holder; they can be taken at once."""
        with self._database.writing() as connection:
            connection.execute(update(runs).where(runs.c.holder == holder).values(holder=None, lease_until=None))

    def next_wake(self, holder: str, *, now: float) -> float | None:
        """When `claim` may find something next, as far as it is known now."""
        query = select(
            func.min(runs.c.wake_at).filter(self._free),
            func.min(runs.c.lease_until - self._database.clock).filter(~self._free),
        ).where(runs.c.wake_at.is_not(None))
        with self._database.reading() as connection:
            wake, left = connection.execute(query, {"me": holder, **self._database.clock_values(now)}).one()
        times = [time for time in (wake, None if left is None else now + left) if time is not None]
        return min(times) if times else None


def _take(connection: Connection, row: Row[*tuple[Any, ...]], holder: str) -> Claim:
    """Writes the lease; with a new epoch unless it was the holder's own already."""
    epoch = row.epoch
    if row.holder != holder:
        place = (environments.c.service == row.service) & (environments.c.environment == row.environment)
        raised = update(environments).where(place).values(epoch=environments.c.epoch + 1)
        epoch = connection.execute(raised.returning(environments.c.epoch)).scalar_one()
    connection.execute(
        update(runs).where(runs.c.id == row.id).values(holder=holder, lease_until=row.until, epoch=epoch)
    )
    return Claim(row.id, epoch)
