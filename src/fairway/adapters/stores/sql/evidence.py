"""The analysis of runs under way: one value a run, replaced under the lease."""

import json
from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import select, text

from fairway.adapters.stores.sql.database import Database
from fairway.adapters.stores.sql.journal import stale_epoch
from fairway.adapters.stores.sql.projection import write_json
from fairway.adapters.stores.sql.schema import evidence, runs
from fairway.domain.errors import UserError
from fairway.ports.journal import Evidence

_REPLACE = text(
    "INSERT INTO fairway_evidence (run, data) VALUES (:run, :data) ON CONFLICT (run) DO UPDATE SET data = excluded.data"
)


class SqlEvidence(Evidence):
    """The port `Evidence`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load_evidence(self, run: str) -> dict[str, Any] | None:
        """The value saved last; None if none was."""
        with self._database.reading() as connection:
            data = connection.execute(select(evidence.c.data).where(evidence.c.run == run)).scalar()
        return None if data is None else cast("dict[str, Any]", json.loads(data))

    def save_evidence(self, run: str, value: Mapping[str, Any], *, epoch: int) -> None:
        """Replaces the value, if the lease has not been taken."""
        data = write_json(dict(value))
        with self._database.writing() as connection:
            # The row lock keeps a takeover from coming between the question and the answer.
            present = connection.execute(select(runs.c.epoch).where(runs.c.id == run).with_for_update()).scalar()
            if present is None:
                raise UserError("unknown-run", f"there is no run {run!r}")
            if present != epoch:
                raise stale_epoch(run, epoch, present)
            connection.execute(_REPLACE, {"run": run, "data": data})
