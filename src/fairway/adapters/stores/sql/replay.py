"""Everything that follows from the events of a journal, computed again: runs, environments, quarantine."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fairway.adapters.stores.sql.database import Connection, insertion
from fairway.adapters.stores.sql.journal import read_event, write_consequences, write_quarantine
from fairway.adapters.stores.sql.projection import changed_at, event_rows, identity_columns, state_columns
from fairway.adapters.stores.sql.releases import PLACE
from fairway.domain.errors import PermanentError
from fairway.domain.rollout.events import Event, RunEnded, RunStarted
from fairway.domain.rollout.run import Run, evolve, start
from fairway.ports.journal import AT_ONCE

LOST_END = "its end was lost when the journal was damaged"


@dataclass(frozen=True, slots=True)
class _Story:
    """A run with the events that are left of it.

    Attributes:
        number: its place among all runs.
        known: the version that its row has; None if that is lost too.
    """

    id: str
    number: int
    known: int | None
    events: tuple[Event, ...]


def replay(connection: Connection, *, epoch: int) -> list[str]:
    """Computes again what follows from the events, in the order of the runs.

    Args:
        connection: in a transaction that writes.
        epoch: fencing number of all environments, higher than any that was ever granted.

    Returns:
        A sentence for each run of which something is lost.
    """
    # Rows of runs are written anew under the events that refer to them; what refers to nothing is refused at the end.
    connection.execute("PRAGMA defer_foreign_keys = ON")
    losses = list(_drop_without_events(connection))
    connection.execute("DELETE FROM fairway_environments WHERE environment <> :place", {"place": PLACE})
    connection.execute("DELETE FROM fairway_quarantine")
    losses += _shorten_releases(connection)
    order = _order(connection)
    last = {place: run for run, _, place in order}
    for run, number, place in order:
        story = _load(connection, run, number)
        if story is None:
            losses.append(f"the events of run {run} cannot be understood; it is left out")
            continue
        losses += _write(connection, story, epoch=epoch, is_last=last[place] == run)
    connection.execute("UPDATE fairway_runs SET epoch = :epoch, holder = NULL, lease_until = NULL", {"epoch": epoch})
    connection.execute("UPDATE fairway_environments SET epoch = :epoch", {"epoch": epoch})
    return losses


def _drop_without_events(connection: Connection) -> Iterator[str]:
    gone = "FROM fairway_runs WHERE id NOT IN (SELECT run FROM fairway_events)"
    for (run,) in connection.rows(f"SELECT id {gone}"):
        yield f"nothing is left of run {run}"
    connection.execute(f"DELETE {gone}")
    for table in ("fairway_evidence", "fairway_history"):
        connection.execute(f"DELETE FROM {table} WHERE run NOT IN (SELECT run FROM fairway_events)")


def _shorten_releases(connection: Connection) -> Iterator[str]:
    """Releases are not computed again: they go on from the last event that is left."""
    left = "(SELECT count(*) FROM fairway_events WHERE run = id)"
    for run, lost in connection.rows(f"SELECT id, version - {left} FROM fairway_runs WHERE kind = 'release'"):
        if lost > 0:
            yield f"of release {run} the last {lost} events are lost"
    connection.execute(f"UPDATE fairway_runs SET version = {left} WHERE kind = 'release'")


def _order(connection: Connection) -> list[tuple[str, int, tuple[str, str]]]:
    """Rollouts in the order in which they were started: id, number, and service with environment."""
    rows = connection.rows(
        "SELECT event.run, run.number, json_extract(event.data, '$.plan.service'), "
        "json_extract(event.data, '$.plan.environment') FROM fairway_events AS event "
        "LEFT JOIN fairway_runs AS run ON run.id = event.run "
        "WHERE event.version = 1 AND event.type = 'RunStarted' ORDER BY event.at, run.number"
    )
    return [(run, number or 0, (service, environment)) for run, number, service, environment in rows]


def _load(connection: Connection, run: str, number: int) -> _Story | None:
    rows = connection.rows(
        "SELECT version, type, data FROM fairway_events WHERE run = :run ORDER BY version", {"run": run}
    )
    known = connection.value("SELECT version FROM fairway_runs WHERE id = :run", {"run": run})
    try:
        return _Story(run, number, known, tuple(read_event(run, *row) for row in rows))
    except PermanentError:
        return None


def _write(connection: Connection, story: _Story, *, epoch: int, is_last: bool) -> list[str]:
    first, *later = story.events
    if not isinstance(first, RunStarted):
        return [f"run {story.id} does not begin with its start; it is left out"]
    begin = start(story.id, first)
    states = list(_states(begin, later))
    after = states[-1][0] if states else begin
    losses = []
    if story.known is not None and story.known > len(story.events):
        losses.append(f"of run {story.id} the last {story.known - len(story.events)} events are lost")
    if after.outcome is None and not is_last:
        # Another run followed, so this one had ended; what it left live is what the next one began from.
        end = RunEnded(story.events[-1].at, "completed" if after.promoted else "rolled-back", LOST_END)
        for row in event_rows(story.id, [end], after=after.version):
            connection.execute(insertion("fairway_events", tuple(row)), row)
        states.append((evolve(after, end), end))
        after = states[-1][0]
        losses.append(f"of run {story.id} the end is lost; it counts as {end.outcome}")
    _write_run(connection, story, begin, after, states, epoch)
    return losses


def _states(run: Run, facts: list[Event]) -> Iterator[tuple[Run, Event]]:
    for fact in facts:
        run = evolve(run, fact)
        yield run, fact


def _write_run(
    connection: Connection, story: _Story, begin: Run, after: Run, states: list[tuple[Run, Event]], epoch: int
) -> None:
    place = {"service": after.plan.service, "environment": after.plan.environment}
    connection.execute(
        "INSERT INTO fairway_environments (service, environment) VALUES (:service, :environment) "
        "ON CONFLICT DO NOTHING",
        place,
    )
    connection.execute("DELETE FROM fairway_runs WHERE id = :run", {"run": story.id})
    row: dict[str, Any] = identity_columns(after) | state_columns(after, AT_ONCE) | {"epoch": epoch}
    if story.number:
        row["number"] = story.number
    connection.execute(insertion("fairway_runs", tuple(row)), row)
    connection.execute(
        "UPDATE fairway_environments SET run = :run WHERE service = :service AND environment = :environment",
        place | {"run": story.id},
    )
    write_consequences(connection, begin, after, changed_at(begin, states))
    write_quarantine(connection, after, [event for _, event in states])
