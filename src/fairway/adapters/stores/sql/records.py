"""What is projected from the events, as people and use cases ask for it."""

import json

from fairway.adapters.stores.sql.database import Database
from fairway.adapters.stores.sql.projection import storable, write_json
from fairway.domain.codec import from_json
from fairway.domain.rollout.revision import Revision
from fairway.ports.journal import EnvironmentState, Quarantine, Records, RunSummary

#: The columns of a `RunSummary`, in its order.
SUMMARY = (
    "id, kind, service, environment, release, digest, commit_id, "
    "strategy, phase, verdict, reason, actor, started, ended"
)
FIELDS = len(SUMMARY.split(", "))
_ENVIRONMENT = (
    "SELECT live, instances, run, made_by, since, epoch FROM fairway_environments "
    "WHERE service = :service AND environment = :environment"
)
# Each environment's first run is found in an index, however many there are.
_ENVIRONMENTS = (
    "SELECT environment FROM (SELECT environment, (SELECT min(number) FROM fairway_runs AS run "
    "WHERE run.service = place.service AND run.environment = place.environment) AS first "
    "FROM fairway_environments AS place WHERE service = :service) AS places WHERE first IS NOT NULL ORDER BY first"
)
_REVISIONS = (
    f"SELECT {SUMMARY}, revision FROM fairway_runs "
    "WHERE service = :service AND environment = :environment AND promoted_at IS NOT NULL{named} "
    "ORDER BY number DESC LIMIT :limit"
)
# A revision's JSON begins with its type and its id.
_NAMED = (
    " AND (id = :name OR digest = :name OR commit_id = :name OR substr(commit_id, 1, 12) = :name "
    "OR release = :name OR 'v' || release = :name OR substr(revision, 1, :length) = :beginning)"
)


class SqlRecords(Records):
    """The port `Records`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def environment(self, service: str, environment: str) -> EnvironmentState:
        """The state of an environment; an empty one if nothing ever happened there."""
        with self._database.reading() as connection:
            row = connection.row(_ENVIRONMENT, {"service": service, "environment": environment})
        if row is None:
            return EnvironmentState(service, environment, None, 0, None, None, None, 0)
        live, *others = row
        return EnvironmentState(
            service, environment, None if live is None else from_json(Revision, json.loads(live)), *others
        )

    def list_environments(self, service: str) -> tuple[str, ...]:
        """The environments in which anything ever happened, in the order of their first run."""
        with self._database.reading() as connection:
            return tuple(name for (name,) in connection.rows(_ENVIRONMENTS, {"service": service}) if name[:1] != "@")

    def list_runs(
        self, *, service: str | None = None, environment: str | None = None, limit: int = 20
    ) -> tuple[RunSummary, ...]:
        """The latest runs, newest first."""
        wanted = {"service": service, "environment": environment}
        conditions = [f"{name} = :{name}" for name, value in wanted.items() if value is not None]
        if service is not None and environment is None:
            # From the latest run backwards: by the index of places all runs of the service would be read and sorted.
            conditions[0] = "service || '' = :service"
        where = " AND ".join(["kind <> 'release'", *conditions])
        query = f"SELECT {SUMMARY} FROM fairway_runs WHERE {where} ORDER BY number DESC LIMIT :limit"
        with self._database.reading() as connection:
            rows = connection.rows(query, wanted | {"limit": limit})
        return tuple(RunSummary(*row) for row in rows)

    def list_revisions(
        self, service: str, environment: str, *, named: str | None = None, limit: int = 20
    ) -> tuple[tuple[RunSummary, Revision], ...]:
        """The latest runs that made a revision live, with that revision, newest first; not those that took it back."""
        values: dict[str, object] = {"service": service, "environment": environment, "limit": limit}
        if named == "":
            return ()
        if named is not None:
            beginning = f'{{"type":"Revision","id":{write_json(named)},'
            values |= {"name": storable(named), "beginning": beginning, "length": len(beginning)}
        with self._database.reading() as connection:
            rows = connection.rows(_REVISIONS.format(named="" if named is None else _NAMED), values)
        return tuple((RunSummary(*row[:FIELDS]), from_json(Revision, json.loads(row[FIELDS]))) for row in rows)

    def quarantine(self, digest: str) -> Quarantine | None:
        """The entry of a rejected artifact; None if it may be deployed."""
        query = "SELECT digest, service, release, reason, run, at FROM fairway_quarantine WHERE digest = :digest"
        with self._database.reading() as connection:
            row = connection.row(query, {"digest": digest})
        return None if row is None else Quarantine(*row)
