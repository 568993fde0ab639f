"""The outbox: messages written with the events that caused them, handed out in order for each receiver."""

import json
import secrets

from sqlalchemy import ColumnElement, func, literal_column, or_, select, true, update

from fairway.adapters.stores.sql.database import Database
from fairway.adapters.stores.sql.projection import storable
from fairway.adapters.stores.sql.schema import outbox
from fairway.ports.journal import Message, Outbox

#: How long another controller leaves a message alone that was handed out, in seconds.
_RESERVED = 30.0
#: Written out in the statement: with a parameter in its place SQLite would not see that the index applies.
_WAITING: ColumnElement[str] = literal_column("'waiting'")


class SqlOutbox(Outbox):
    """The port `Outbox`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._identity = secrets.token_hex(8)

    def list_due(self, *, now: float, limit: int) -> tuple[Message, ...]:
        """The first waiting message of each receiver, if it is due; where several controllers work, for this one."""
        queued = outbox.alias("queued")
        heads = select(func.min(queued.c.number)).where(queued.c.state == _WAITING).group_by(queued.c.queue)
        query = (
            select(outbox.c.id, outbox.c.receiver, outbox.c.body, outbox.c.tries)
            .where(outbox.c.number.in_(heads), outbox.c.due <= now)
            .where(true() if self._database.service is None else outbox.c.service == self._database.service)
            .order_by(outbox.c.number)
            .limit(limit)
        )
        if not self._database.shared:
            with self._database.reading() as connection:
                rows = connection.execute(query).all()
        else:
            clock, values = self._database.clock, self._database.clock_values(now)
            mine = or_(outbox.c.reserved_by == self._identity, outbox.c.reserved_until.is_(None))
            query = query.where(or_(mine, outbox.c.reserved_until <= clock))
            with self._database.writing() as connection:
                rows = connection.execute(query.with_for_update(skip_locked=True), values).all()
                if rows:
                    connection.execute(
                        update(outbox)
                        .where(outbox.c.id.in_([row.id for row in rows]))
                        .values(reserved_by=self._identity, reserved_until=clock + _RESERVED),
                        values,
                    )
        return tuple(Message(row.id, json.loads(row.receiver), json.loads(row.body), row.tries) for row in rows)

    def mark_delivered(self, message: str) -> None:
        """The receiver has it; a second call changes nothing."""
        with self._database.writing() as connection:
            connection.execute(update(outbox).where(outbox.c.id == message).values(state="delivered", error=None))

    def postpone(self, message: str, *, until: float, error: str, give_up: bool = False) -> None:
        """It could not be delivered; later messages to the same receiver wait for it, unless it is given up."""
        values = {"due": until, "error": storable(error), "state": "abandoned" if give_up else "waiting"}
        with self._database.writing() as connection:
            connection.execute(
                update(outbox)
                .where(outbox.c.id == message, outbox.c.state == "waiting")
                .values(values | {"tries": outbox.c.tries + 1})
            )
