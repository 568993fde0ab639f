"""Leases: who may advance which run. Each change of holder raises the environment's epoch, the fencing number."""

from typing import Any

from fairway.adapters.stores.sql.database import Connection, Database
from fairway.ports.journal import Claim, Leases


class SqlLeases(Leases):
    """The port `Leases`.

    `claim` runs many times a second, so its statements are built once: `me` is the holder that asks, `now` its time,
    `ttl` the seconds until the lease ends, `most` the limit.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        clock = database.clock
        anyway = " OR 1 = 1" if database.exclusive else ""
        own = "" if database.service is None else "AND service = :service "
        self._free = f"(holder IS NULL OR holder = :me OR lease_until <= {clock}{anyway})"
        self._due = (
            "SELECT id, service, environment, holder, epoch, "
            f"(holder = :me AND lease_until > {clock} + :half) AS settled, {clock} + :ttl AS until "
            f"FROM fairway_runs WHERE wake_at <= :now AND {self._free} {own}ORDER BY wake_at, number LIMIT :most"
        )

    def claim(self, holder: str, *, now: float, ttl: float, limit: int) -> tuple[Claim, ...]:
        """Takes due runs that nobody else holds; only reads if all of them are own ones with half their lease."""
        values = {"me": holder, "now": now, "ttl": ttl, "half": ttl / 2, "most": limit}
        values |= {"service": self._database.service, **self._database.clock_values(now)}
        with self._database.reading() as connection:
            found = connection.rows(self._due, values)
        if all(settled for *_, settled, _ in found):
            return tuple(Claim(run, epoch) for run, _, _, _, epoch, _, _ in found)
        with self._database.writing() as connection:
            taken = connection.rows(self._due + self._database.lock_free, values)
            return tuple(_take(connection, row, holder) for row in taken)

    def renew(self, holder: str, *, now: float, ttl: float) -> tuple[Claim, ...]:
        """Renews all leases of the holder, also those that ended and that nobody took."""
        change = f"UPDATE fairway_runs SET lease_until = {self._database.clock} + :ttl WHERE holder = :me"
        values = {"me": holder, "ttl": ttl, **self._database.clock_values(now)}
        with self._database.reading() as connection:
            if connection.row("SELECT 1 FROM fairway_runs WHERE holder = :me LIMIT 1", {"me": holder}) is None:
                return ()
        with self._database.writing() as connection:
            return tuple(Claim(*row) for row in connection.rows(f"{change} RETURNING id, epoch", values))

    def release(self, holder: str) -> None:
        """Gives up all leases of the holder; they can be taken at once."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE fairway_runs SET holder = NULL, lease_until = NULL WHERE holder = :me", {"me": holder}
            )


def _take(connection: Connection, row: tuple[Any, ...], holder: str) -> Claim:
    """Writes the lease; with a new epoch unless it was the holder's own already."""
    run, service, environment, before, epoch, _, until = row
    if before != holder:
        epoch = connection.value(_RAISE, {"service": service, "environment": environment})
    connection.execute(_HOLD, {"run": run, "me": holder, "until": until, "epoch": epoch})
    return Claim(run, epoch)


_RAISE = (
    "UPDATE fairway_environments SET epoch = epoch + 1 "
    "WHERE service = :service AND environment = :environment RETURNING epoch"
)
_HOLD = "UPDATE fairway_runs SET holder = :me, lease_until = :until, epoch = :epoch WHERE id = :run"
