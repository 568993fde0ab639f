"""Events: appended with the version that was read, in one transaction with everything that follows from them."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, cast

from sqlalchemy import BigInteger, Connection, Row, bindparam, delete, func, insert, select, text, update

from fairway.adapters.stores.sql.database import Database
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
from fairway.adapters.stores.sql.schema import environments, outbox, quarantine, runs
from fairway.adapters.stores.sql.schema import events as event_log
from fairway.domain.codec import from_json, to_json
from fairway.domain.errors import PermanentError, TransientError, UserError
from fairway.domain.rollout.events import ArtifactQuarantined, Event, QuarantineLifted, RunStarted
from fairway.domain.rollout.revision import Revision
from fairway.domain.rollout.run import Run, evolve, fold, start
from fairway.ports.journal import Journal


class SqlJournal(Journal):
    """The port `Journal`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, run: str, event: RunStarted) -> str | None:
        """Begins a run, unless another one is under way; a second call with the same run changes nothing."""
        state = start(run, event)
        plan = event.plan
        place = (environments.c.service == plan.service) & (environments.c.environment == plan.environment)
        with self._database.writing() as connection:
            connection.execute(_ADD_ENVIRONMENT, {"service": plan.service, "environment": plan.environment})
            present = connection.execute(
                select(environments.c.run, environments.c.live).where(place).with_for_update()
            ).one()
            if present.run is not None:
                return None if present.run == run else cast("str", present.run)
            _require_fresh(state, present.live)
            connection.execute(update(environments).where(place).values(run=run))
            connection.execute(insert(runs).values(identity_columns(state) | state_columns(state, event.at)))
            connection.execute(_ADD_EVENTS, event_rows(run, [event], after=0))
            _write_messages(connection, [(state, event)])
        return None

    def append(self, run: Run, events: Sequence[Event], *, wake: float | None, epoch: int | None = None) -> Run:
        """Appends events to the state that was read, with everything that follows from them."""
        states = list(_states(run, events))
        after = states[-1][0] if states else run
        values = {"run": run.id, "expected": run.version, "fence": epoch, **state_columns(after, wake)}
        with self._database.writing() as connection:
            if connection.execute(_ADVANCE, values).rowcount == 0:
                raise _conflict(connection, run, epoch)
            if events:
                connection.execute(_ADD_EVENTS, event_rows(run.id, events, after=run.version))
                _write_consequences(connection, run, after, changed_at(run, states))
                _write_quarantine(connection, run, events)
                _write_messages(connection, states)
        return after

    def load(self, run: str, *, known: Run | None = None) -> Run:
        """The state of a run; with an earlier state at hand only later events are read."""
        later = self.list_events(run, after=known.version if known is not None else 0)
        if later or known is not None:
            return fold(run, later, known)
        with self._database.reading() as connection:
            latest = connection.execute(select(runs.c.id).order_by(runs.c.number.desc()).limit(3)).scalars().all()
        hint = f"the latest runs are {', '.join(latest)}" if latest else "there are no runs yet"
        raise UserError("unknown-run", f"there is no run {run!r}", hint)

    def list_events(self, run: str, *, after: int = 0) -> tuple[Event, ...]:
        """The events of a run with a version above `after`, in order."""
        with self._database.reading() as connection:
            rows = connection.execute(_LATER_EVENTS, {"id": storable(run), "after": after}).all()
        return tuple(_read_event(run, row) for row in rows)


# Statements that run often are built once: that costs more than running them.
_ADD_EVENTS = insert(event_log)
_LATER_EVENTS = (
    select(event_log.c.version, event_log.c.type, event_log.c.data)
    .where(event_log.c.run == bindparam("id"), event_log.c.version > bindparam("after"))
    .order_by(event_log.c.version)
)
# Changes the row only if nobody else has meanwhile; where a fencing number is given, only if it is still the run's.
_ADVANCE = (
    update(runs)
    .where(runs.c.id == bindparam("run"), runs.c.version == bindparam("expected"))
    .where(runs.c.epoch == func.coalesce(bindparam("fence", type_=BigInteger()), runs.c.epoch))
)
_ADD_ENVIRONMENT = text(
    "INSERT INTO fairway_environments (service, environment) VALUES (:service, :environment) ON CONFLICT DO NOTHING"
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
    planned = state.plan.candidate if state.plan.kind == "scale" else state.plan.stable
    if planned is None or planned.id != now.id:
        raise TransientError(
            "plan-outdated",
            f"{state.plan.environment} serves {now.version} ({now.id}) by now, but the plan starts from "
            + (f"{planned.version} ({planned.id})" if planned is not None else "nothing"),
            "plan again",
        )


def _conflict(connection: Connection, run: Run, epoch: int | None) -> Exception:
    present = connection.execute(select(runs.c.version, runs.c.epoch).where(runs.c.id == run.id)).one_or_none()
    if present is None:
        return UserError("unknown-run", f"there is no run {run.id!r}", "")
    if epoch is not None and present.epoch != epoch:
        return stale_epoch(run.id, epoch, present.epoch)
    return TransientError(
        "version-conflict", f"run {run.id} is at version {present.version} by now, not {run.version}", "load it again"
    )


def stale_epoch(run: str, epoch: int, present: int) -> PermanentError:
    """Another controller has taken the run."""
    return PermanentError("stale-epoch", f"run {run} is held under epoch {present}, not {epoch}", "")


def _write_consequences(connection: Connection, before: Run, after: Run, at: float) -> None:
    """What the environment serves, if that has changed; and once the run has ended, that none is under way."""
    plan = after.plan
    place = (environments.c.service == plan.service) & (environments.c.environment == plan.environment)
    served: dict[str, Any] = {}
    if is_live(before) != is_live(after):
        connection.execute(update(runs).where(runs.c.id == after.id).values(promoted_at=at if is_live(after) else None))
        served = _served_by(after, at) if is_live(after) else _served_again(connection, after, at)
    if plan.kind == "scale" and after.outcome == "completed":
        served = {"instances": plan.instances}
    if served:
        connection.execute(update(environments).where(place).values(served))
    if after.outcome is not None:
        connection.execute(update(environments).where(place, environments.c.run == after.id).values(run=None))
        connection.execute(update(runs).where(runs.c.id == after.id).values(holder=None, lease_until=None))


def _served_by(run: Run, at: float) -> dict[str, Any]:
    live = write_json(to_json(run.plan.candidate))
    return {"live": live, "instances": run.plan.instances, "made_by": run.id, "since": at}


def _served_again(connection: Connection, run: Run, at: float) -> dict[str, Any]:
    """Stable is live again: as it was, made live by the last run before this one that did so for good."""
    plan = run.plan
    if plan.stable is None:
        return {"live": None, "instances": 0, "made_by": None, "since": None}
    earlier = (
        select(runs.c.id)
        .where(runs.c.service == plan.service, runs.c.environment == plan.environment)
        .where(runs.c.promoted_at.is_not(None), runs.c.id != run.id)
        .order_by(runs.c.number.desc())
        .limit(1)
    )
    return {
        "live": write_json(to_json(plan.stable)),
        "instances": plan.stable_instances,
        "made_by": connection.execute(earlier).scalar(),
        "since": at,
    }


def _write_quarantine(connection: Connection, run: Run, facts: Iterable[Event]) -> None:
    for fact in facts:
        if isinstance(fact, (ArtifactQuarantined, QuarantineLifted)):
            connection.execute(delete(quarantine).where(quarantine.c.digest == fact.digest))
        if isinstance(fact, ArtifactQuarantined):
            connection.execute(insert(quarantine).values(quarantine_row(run, fact)))


def _write_messages(connection: Connection, states: Iterable[tuple[Run, Event]]) -> None:
    rows = [row for state, fact in states for row in message_rows(state, fact)]
    if rows:
        connection.execute(insert(outbox), rows)


def _read_event(run: str, row: Row[*tuple[Any, ...]]) -> Event:
    try:
        return from_json(cast("type[Event]", Event), json.loads(row.data))
    except ValueError as error:
        raise PermanentError(
            "event-unknown",
            f"run {run} has at version {row.version} an event {row.type!r} that this version of Fairway cannot read "
            f"({error})",
            "upgrade Fairway here too",
        ) from error
