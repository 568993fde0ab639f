"""The analysis of runs under way: one value a run, replaced under the lease, and the points of its history."""

import json
from collections.abc import Mapping
from typing import Any, cast

from fairway.adapters.stores.sql.database import Connection, Database
from fairway.adapters.stores.sql.journal import stale_epoch
from fairway.adapters.stores.sql.projection import write_json
from fairway.domain.analysis.history import UNCHANGED, HistoryChange
from fairway.domain.errors import UserError
from fairway.ports.journal import Evidence

_REPLACE = (
    "INSERT INTO fairway_evidence (run, data) VALUES (:run, :data) ON CONFLICT (run) DO UPDATE SET data = excluded.data"
)
_WRITE_POINT = (
    "INSERT INTO fairway_history (run, number, data) VALUES (:run, :number, :data) "
    "ON CONFLICT (run, number) DO UPDATE SET data = excluded.data"
)


class SqlEvidence(Evidence):
    """The port `Evidence`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load_evidence(self, run: str) -> dict[str, Any] | None:
        """The value saved last; None if none was."""
        with self._database.reading() as connection:
            data = connection.value("SELECT data FROM fairway_evidence WHERE run = :run", {"run": run})
        return None if data is None else cast("dict[str, Any]", json.loads(data))

    def save_evidence(
        self, run: str, value: Mapping[str, Any], *, epoch: int, history: HistoryChange = UNCHANGED
    ) -> None:
        """Replaces the value and changes the history, if the lease has not been taken."""
        data = write_json(dict(value))
        with self._database.writing() as connection:
            # The row lock keeps a takeover from coming between the question and the answer.
            query = "SELECT epoch FROM fairway_runs WHERE id = :run" + self._database.lock
            present = connection.value(query, {"run": run})
            if present is None:
                raise UserError("unknown-run", f"there is no run {run!r}")
            if present != epoch:
                raise stale_epoch(run, epoch, present)
            connection.execute(_REPLACE, {"run": run, "data": data})
            _write_points(connection, run, history)

    def load_history(self, run: str) -> tuple[tuple[int, dict[str, Any]], ...]:
        """The points kept of the run's evidence, each after its number, in order."""
        query = "SELECT number, data FROM fairway_history WHERE run = :run ORDER BY number"
        with self._database.reading() as connection:
            rows = connection.rows(query, {"run": run})
        return tuple((number, json.loads(data)) for number, data in rows)


def _write_points(connection: Connection, run: str, change: HistoryChange) -> None:
    for number in change.dropped:
        point = {"run": run, "number": number}
        connection.execute("DELETE FROM fairway_history WHERE run = :run AND number = :number", point)
    for number, value in change.written:
        connection.execute(_WRITE_POINT, {"run": run, "number": number, "data": write_json(value)})
