"""Measurements and comparisons: rows that are added and read, never changed."""

import json
from typing import Any, TypeVar

from fairway.adapters.stores.sql.database import Database, insertion
from fairway.adapters.stores.sql.projection import storable, write_json
from fairway.domain.codec import from_json, to_json
from fairway.domain.errors import PermanentError
from fairway.domain.insight.baseline import Baseline
from fairway.domain.insight.comparison import Comparison
from fairway.ports.baselines import Baselines

Kept = TypeVar("Kept", Baseline, Comparison)

_INSERT = insertion("fairway_measurements", ("kind", "service", "name", "made", "data"))
_LATEST = "SELECT data FROM fairway_measurements WHERE service = :service AND kind = :kind ORDER BY number DESC LIMIT "
_OF_NAME = (
    "SELECT data FROM fairway_measurements WHERE service = :service AND kind = :kind AND name = :name "
    "ORDER BY number DESC LIMIT 1"
)


class SqlBaselines(Baselines):
    """The port `Baselines`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save_baselines(self, *baselines: Baseline) -> None:
        """Keeps measurements, all or none."""
        rows = [_row("baseline", one.service, one.name, one.made, one) for one in baselines]
        with self._database.writing() as connection:
            for row in rows:
                connection.execute(_INSERT, row)

    def find_baseline(self, service: str, name: str) -> Baseline | None:
        """The latest measurement of that name."""
        values = {"service": service, "kind": "baseline", "name": storable(name)}
        with self._database.reading() as connection:
            data = connection.value(_OF_NAME, values)
        return None if data is None else _read(Baseline, data)

    def list_baselines(self, service: str, *, limit: int = 100) -> tuple[Baseline, ...]:
        """The latest measurements, newest first."""
        return tuple(_read(Baseline, data) for data in self._latest(service, "baseline", limit))

    def save_comparison(self, comparison: Comparison) -> None:
        """Keeps a comparison."""
        name = f"{comparison.before} {comparison.after}"
        row = _row("comparison", comparison.service, name, comparison.made, comparison)
        with self._database.writing() as connection:
            connection.execute(_INSERT, row)

    def list_comparisons(self, service: str, *, limit: int = 100) -> tuple[Comparison, ...]:
        """The latest comparisons, newest first."""
        return tuple(_read(Comparison, data) for data in self._latest(service, "comparison", limit))

    def _latest(self, service: str, kind: str, limit: int) -> list[str]:
        with self._database.reading() as connection:
            rows = connection.rows(f"{_LATEST}:limit", {"service": service, "kind": kind, "limit": limit})
        return [data for (data,) in rows]


def _row(kind: str, service: str, name: str, made: float, value: Baseline | Comparison) -> dict[str, Any]:
    data = write_json(to_json(value))
    return {"kind": kind, "service": service, "name": storable(name), "made": made, "data": data}


def _read(kind: type[Kept], data: str) -> Kept:
    try:
        return from_json(kind, json.loads(data))
    except ValueError as error:
        sentence = f"a stored measurement cannot be read: {error}"
        raise PermanentError("measurement-unknown", sentence, "it may come from a later version of Fairway") from error
