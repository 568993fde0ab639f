"""Events: appended with the version that was read, in one transaction with everything that follows from them."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, cast

from fairway.adapters.stores.sql.database import Connection, Database, insertion
from fairway.adapters.stores.sql.projection import (
    changed_at,
    event_rows,
    identity_columns,
    is_live,
    message_rows,
    quarantine_row,
    state_columns,
    storable,
    write_json,
)
from fairway.domain.codec import from_json, to_json
from fairway.domain.errors import PermanentError, TransientError, UserError
from fairway.domain.rollout.events import ArtifactQuarantined, Event, QuarantineLifted, RunStarted
from fairway.domain.rollout.revision import Revision
from fairway.domain.rollout.run import Run, evolve, fold, start
from fairway.ports.journal import AT_ONCE, Journal


class SqlJournal(Journal):
    """The port `Journal`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, run: str, event: RunStarted) -> str | None:
        """Begins a run, unless another one is under way; a second call with the same run changes nothing."""
        state = start(run, event)
        plan = event.plan
        place = {"service": plan.service, "environment": plan.environment}
        with self._database.writing() as connection:
            connection.execute(_ADD_ENVIRONMENT, place)
            query = f"SELECT run, live FROM fairway_environments {_PLACE}{self._database.lock}"
            ((present, live),) = connection.rows(query, place)
            if present is not None:
                return None if present == run else cast("str", present)
            _require_fresh(state, live)
            connection.execute(f"UPDATE fairway_environments SET run = :run {_PLACE}", place | {"run": run})
            row = identity_columns(state) | state_columns(state, AT_ONCE)
            connection.execute(insertion("fairway_runs", tuple(row)), row)
            _add_events(connection, run, [event], after=0)
            _write_messages(connection, [(state, event)])
        return None

    def append(self, run: Run, events: Sequence[Event], *, wake: float | None, epoch: int | None = None) -> Run:
        """Appends events to the state that was read, with everything that follows from them."""
        states = list(_states(run, events))
        after = states[-1][0] if states else run
        values = {"run": run.id, "expected": run.version, "fence": epoch, **state_columns(after, wake)}
        with self._database.writing() as connection:
            if connection.change(_ADVANCE, values) == 0:
                raise _conflict(connection, run, epoch)
            if events:
                _add_events(connection, run.id, events, after=run.version)
                write_consequences(connection, run, after, changed_at(run, states))
                write_quarantine(connection, run, events)
                _write_messages(connection, states)
        return after

    def load(self, run: str, *, known: Run | None = None) -> Run:
        """The state of a run; with an earlier state at hand only later events are read."""
        later = self.list_events(run, after=known.version if known is not None else 0)
        if later or known is not None:
            return fold(run, later, known)
        with self._database.reading() as connection:
            latest = [name for (name,) in connection.rows("SELECT id FROM fairway_runs ORDER BY number DESC LIMIT 3")]
        hint = f"the latest runs are {', '.join(latest)}" if latest else "there are no runs yet"
        raise UserError("unknown-run", f"there is no run {run[:60]!r}", hint)

    def list_events(self, run: str, *, after: int = 0) -> tuple[Event, ...]:
        """The events of a run with a version above `after`, in order."""
        with self._database.reading() as connection:
            rows = connection.rows(_LATER_EVENTS, {"id": storable(run), "after": after})
        return tuple(read_event(run, *row) for row in rows)


_PLACE = "WHERE service = :service AND environment = :environment"
_ADD_ENVIRONMENT = (
    "INSERT INTO fairway_environments (service, environment) VALUES (:service, :environment) ON CONFLICT DO NOTHING"
)
_LATER_EVENTS = "SELECT version, type, data FROM fairway_events WHERE run = :id AND version > :after ORDER BY version"
# Changes the row only if nobody else has meanwhile; where a fencing number is given, only if it is still the run's.
_ADVANCE = (
    "UPDATE fairway_runs SET version = :version, wake_at = :wake_at, phase = :phase, verdict = :verdict, "
    "reason = :reason, ended = :ended WHERE id = :run AND version = :expected AND epoch = coalesce(:fence, epoch)"
)
# The last run before this one that made its revision live for good.
_EARLIER = (
    f"SELECT id FROM fairway_runs {_PLACE} AND promoted_at IS NOT NULL AND id <> :run ORDER BY number DESC LIMIT 1"
)


def _states(run: Run, facts: Iterable[Event]) -> Iterable[tuple[Run, Event]]:
    """Each event with the state after it."""
    for fact in facts:
        run = evolve(run, fact)
        yield run, fact


def _require_fresh(state: Run, live: str | None) -> None:
    """The plan was made for what is live now; another run may have come and gone since.

    Raises:
        TransientError: code `plan-outdated`.
    """
    if live is None:
        return
    now = from_json(Revision, json.loads(live))
    planned = state.plan.candidate if state.plan.keeps_live else state.plan.stable
    if planned is None or planned.id != now.id:
        raise TransientError(
            "plan-outdated",
            f"{state.plan.environment} serves {now.version} ({now.id}) by now, but the plan starts from "
            + (f"{planned.version} ({planned.id})" if planned is not None else "nothing"),
            "plan again",
        )


def _conflict(connection: Connection, run: Run, epoch: int | None) -> Exception:
    present = connection.row("SELECT version, epoch FROM fairway_runs WHERE id = :run", {"run": run.id})
    if present is None:
        return UserError("unknown-run", f"there is no run {run.id!r}", "")
    version, held = present
    if epoch is not None and held != epoch:
        return stale_epoch(run.id, epoch, held)
    return TransientError(
        "version-conflict", f"run {run.id} is at version {version} by now, not {run.version}", "load it again"
    )


def stale_epoch(run: str, epoch: int, present: int) -> PermanentError:
    """Another controller has taken the run."""
    return PermanentError("stale-epoch", f"run {run} is held under epoch {present}, not {epoch}", "")


def write_consequences(connection: Connection, before: Run, after: Run, at: float) -> None:
    """What the environment serves, if that has changed; and once the run has ended, that none is under way."""
    plan = after.plan
    place = {"service": plan.service, "environment": plan.environment, "run": after.id}
    served: dict[str, Any] = {}
    if is_live(before) != is_live(after):
        promoted = {"run": after.id, "at": at if is_live(after) else None}
        connection.execute("UPDATE fairway_runs SET promoted_at = :at WHERE id = :run", promoted)
        served = _served_by(after, at) if is_live(after) else _served_again(connection, after, at)
    if plan.kind == "scale" and after.outcome == "completed":
        served = {"instances": plan.instances}
    if served:
        settings = ", ".join(f"{name} = :{name}" for name in served)
        connection.execute(f"UPDATE fairway_environments SET {settings} {_PLACE}", place | served)
    if after.outcome is not None:
        connection.execute(f"UPDATE fairway_environments SET run = NULL {_PLACE} AND run = :run", place)
        connection.execute("UPDATE fairway_runs SET holder = NULL, lease_until = NULL WHERE id = :run", place)


def _served_by(run: Run, at: float) -> dict[str, Any]:
    live = write_json(to_json(run.plan.candidate))
    return {"live": live, "instances": run.plan.instances, "made_by": run.id, "since": at}


def _served_again(connection: Connection, run: Run, at: float) -> dict[str, Any]:
    """Stable is live again: as it was, made live by the last run before this one that did so for good."""
    plan = run.plan
    if plan.stable is None:
        return {"live": None, "instances": 0, "made_by": None, "since": None}
    place = {"service": plan.service, "environment": plan.environment, "run": run.id}
    return {
        "live": write_json(to_json(plan.stable)),
        "instances": plan.stable_instances,
        "made_by": connection.value(_EARLIER, place),
        "since": at,
    }


def write_quarantine(connection: Connection, run: Run, facts: Iterable[Event]) -> None:
    """What the facts say of rejected artifacts."""
    for fact in facts:
        if isinstance(fact, (ArtifactQuarantined, QuarantineLifted)):
            connection.execute("DELETE FROM fairway_quarantine WHERE digest = :digest", {"digest": fact.digest})
        if isinstance(fact, ArtifactQuarantined):
            row = quarantine_row(run, fact)
            connection.execute(insertion("fairway_quarantine", tuple(row)), row)


def _write_messages(connection: Connection, states: Iterable[tuple[Run, Event]]) -> None:
    for state, fact in states:
        for row in message_rows(state, fact):
            connection.execute(insertion("fairway_outbox", tuple(row)), row)


def _add_events(connection: Connection, run: str, facts: Iterable[Event], *, after: int) -> None:
    for row in event_rows(run, facts, after=after):
        connection.execute(insertion("fairway_events", tuple(row)), row)


def read_event(run: str, version: int, kind: str, data: str) -> Event:
    """The event of a row.

    Raises:
        PermanentError: this version of Fairway does not know it.
    """
    if kind == "ReleaseStarted":
        raise UserError("not-a-rollout", f"{run} is a release, not a rollout", f"fairway release status {run}")
    try:
        return from_json(cast("type[Event]", Event), json.loads(data))
    except ValueError as error:
        raise PermanentError(
            "event-unknown",
            f"run {run} has at version {version} an event {kind!r} that this version of Fairway cannot read ({error})",
            "upgrade Fairway here too",
        ) from error
