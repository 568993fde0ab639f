"""What is projected from the events, as people and use cases ask for it."""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, Select, select

from fairway.adapters.stores.sql.database import Database
from fairway.adapters.stores.sql.schema import environments, quarantine, runs
from fairway.domain.codec import from_json
from fairway.domain.rollout.revision import Revision
from fairway.ports.journal import EnvironmentState, Quarantine, Records, RunSummary

_SUMMARY = (
    runs.c.id,
    runs.c.kind,
    runs.c.service,
    runs.c.environment,
    runs.c.release,
    runs.c.digest,
    runs.c.commit_id,
    runs.c.strategy,
    runs.c.phase,
    runs.c.verdict,
    runs.c.reason,
    runs.c.actor,
    runs.c.started,
    runs.c.ended,
)


class SqlRecords(Records):
    """The port `Records`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def environment(self, service: str, environment: str) -> EnvironmentState:
        """The state of an environment; an empty one if nothing ever happened there."""
        query = select(environments).where(environments.c.service == service, environments.c.environment == environment)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return EnvironmentState(service, environment, None, 0, None, None, None, 0)
        return EnvironmentState(
            service,
            environment,
            live=None if row.live is None else from_json(Revision, json.loads(row.live)),
            instances=row.instances,
            run=row.run,
            by=row.made_by,
            since=row.since,
            epoch=row.epoch,
        )

    def list_runs(
        self, *, service: str | None = None, environment: str | None = None, limit: int = 20
    ) -> tuple[RunSummary, ...]:
        """The latest runs, newest first."""
        query = select(*_SUMMARY)
        if service is not None:
            query = query.where(runs.c.service == service)
        if environment is not None:
            query = query.where(runs.c.environment == environment)
        return tuple(_summary(row) for row in self._rows(query.order_by(runs.c.number.desc()).limit(limit)))

    def list_revisions(self, service: str, environment: str) -> tuple[tuple[RunSummary, Revision], ...]:
        """The runs that made a revision live, with that revision, newest first; not those that took it back."""
        query = (
            select(*_SUMMARY, runs.c.revision)
            .where(runs.c.service == service, runs.c.environment == environment, runs.c.promoted_at.is_not(None))
            .order_by(runs.c.number.desc())
        )
        return tuple((_summary(row), from_json(Revision, json.loads(row.revision))) for row in self._rows(query))

    def quarantine(self, digest: str) -> Quarantine | None:
        """The entry of a rejected artifact; None if it may be deployed."""
        with self._database.reading() as connection:
            row = connection.execute(select(quarantine).where(quarantine.c.digest == digest)).one_or_none()
        if row is None:
            return None
        return Quarantine(row.digest, row.service, row.release, row.reason, row.run, row.at)

    def _rows(self, query: Select[Any]) -> Iterable[Row[Any]]:
        with self._database.reading() as connection:
            return connection.execute(query).all()


def _summary(row: Row[Any]) -> RunSummary:
    return RunSummary(*row[: len(_SUMMARY)])
