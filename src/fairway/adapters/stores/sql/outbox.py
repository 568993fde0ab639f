"""The outbox: messages written with the events that caused them, handed out in order for each receiver."""

import json
import secrets

from fairway.adapters.stores.sql.database import Database
from fairway.adapters.stores.sql.projection import storable
from fairway.ports.journal import Message, Outbox

#: How long another controller leaves a message alone that was handed out, in seconds.
_RESERVED = 30.0
#: The state is written out: with a value in its place SQLite would not see that the index applies.
_DUE = (
    "SELECT id, receiver, body, tries FROM fairway_outbox WHERE due <= :now "
    "AND number IN (SELECT min(number) FROM fairway_outbox WHERE state = 'waiting' GROUP BY queue)"
)
_POSTPONE = (
    "UPDATE fairway_outbox SET due = :due, error = :error, state = :state, tries = tries + 1 "
    "WHERE id = :id AND state = 'waiting'"
)


# Messages are called RUN.VERSION.PLACE.
_DONE = "SELECT id FROM fairway_outbox WHERE state <> 'waiting'"
_ENDED = "SELECT 1 FROM fairway_runs WHERE id = :run AND ended < :before"


class SqlOutbox(Outbox):
    """The port `Outbox`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._identity = secrets.token_hex(8)

    def list_due(self, *, now: float, limit: int) -> tuple[Message, ...]:
        """The first waiting message of each receiver, if it is due; where several controllers work, for this one."""
        service = self._database.service
        query = _DUE if service is None else f"{_DUE} AND service = :service"
        values = {"now": now, "limit": limit, "service": service, **self._database.clock_values(now)}
        if not self._database.shared:
            with self._database.reading() as connection:
                rows = connection.rows(f"{query} ORDER BY number LIMIT :limit", values)
        else:
            clock = self._database.clock
            query += f" AND (reserved_by = :me OR reserved_until IS NULL OR reserved_until <= {clock})"
            query += f" ORDER BY number LIMIT :limit{self._database.lock_free}"
            reserve = (
                f"UPDATE fairway_outbox SET reserved_by = :me, reserved_until = {clock} + :reserved WHERE id = :id"
            )
            values |= {"me": self._identity, "reserved": _RESERVED}
            with self._database.writing() as connection:
                rows = connection.rows(query, values)
                for row in rows:
                    connection.execute(reserve, values | {"id": row[0]})
        return tuple(Message(key, json.loads(to), json.loads(body), tries) for key, to, body, tries in rows)

    def mark_delivered(self, message: str) -> None:
        """The receiver has it; a second call changes nothing."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE fairway_outbox SET state = 'delivered', error = NULL WHERE id = :id", {"id": message}
            )

    def postpone(self, message: str, *, until: float, error: str, give_up: bool = False) -> None:
        """It could not be delivered; later messages to the same receiver wait for it, unless it is given up."""
        state = "abandoned" if give_up else "waiting"
        with self._database.writing() as connection:
            connection.execute(_POSTPONE, {"id": message, "due": until, "error": storable(error), "state": state})

    def forget(self, *, before: float) -> int:
        """Removes what is done of runs that ended before that time; one short transaction a run."""
        service = self._database.service
        by_run: dict[str, list[str]] = {}
        with self._database.reading() as connection:
            done = _DONE if service is None else f"{_DONE} AND service = :service"
            for (message,) in connection.rows(done, {"service": service}):
                by_run.setdefault(message.rsplit(".", 2)[0], []).append(message)
            old = [run for run in by_run if connection.value(_ENDED, {"run": run, "before": before})]
        for run in old:
            with self._database.writing() as connection:
                for message in by_run[run]:
                    connection.execute("DELETE FROM fairway_outbox WHERE id = :id", {"id": message})
        return sum(len(by_run[run]) for run in old)
