"""Releases in the journal's tables: a run of the kind `release` in a place that no environment can have as its name.

Such a run is never due, so that controllers, those of earlier versions too, leave it alone; who carries it on takes its
lease by its id.

What a release is made of is loaded when one is asked for: every command opens the journal, and few care for releases.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

from fairway.adapters.stores.sql.database import Connection, Database, insertion
from fairway.adapters.stores.sql.journal import stale_epoch
from fairway.adapters.stores.sql.projection import describe_receiver, event_rows, storable, write_json
from fairway.adapters.stores.sql.records import FIELDS, SUMMARY
from fairway.domain.codec import from_json
from fairway.domain.errors import PermanentError, TransientError, UserError
from fairway.ports.journal import AT_ONCE, RunSummary
from fairway.ports.releases import ReleaseJournal, ReleaseLeases

if TYPE_CHECKING:
    from fairway.domain.pipeline.events import ReleaseEvent, ReleaseStarted
    from fairway.domain.pipeline.release import Release

#: Where releases stand in place of an environment; names of environments begin with a letter.
PLACE = "@release"
_KIND = "release"

_AT_PLACE = f"service = :service AND environment = '{PLACE}'"
_ADVANCE = (
    "UPDATE fairway_runs SET version = :version, phase = :phase, verdict = :verdict, reason = :reason, ended = :ended "
    "WHERE id = :run AND version = :expected AND epoch = coalesce(:fence, epoch)"
)
_WAITING_BEFORE = (
    f"SELECT id FROM fairway_runs WHERE {_AT_PLACE} AND phase = 'queued' AND ended IS NULL "
    "AND number < (SELECT number FROM fairway_runs WHERE id = :run) ORDER BY number LIMIT 1"
)


class SqlReleases(ReleaseJournal, ReleaseLeases):
    """The ports `ReleaseJournal` and `ReleaseLeases`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start_release(self, release: str, event: "ReleaseStarted") -> None:
        """Begins a release; a second call with the same id changes nothing."""
        from fairway.domain.pipeline.release import start  # noqa: PLC0415

        state = start(release, event)
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO fairway_environments (service, environment) VALUES (:service, :place) "
                "ON CONFLICT DO NOTHING",
                {"service": event.plan.service, "place": PLACE},
            )
            if connection.row("SELECT 1 FROM fairway_runs WHERE id = :run", {"run": release}) is not None:
                return
            row = _identity(state) | _columns(state)
            connection.execute(insertion("fairway_runs", tuple(row)), row)
            _add(connection, release, [event], after=0)
            _tell(connection, [(state, event)])

    def append_release(
        self, release: "Release", events: "Sequence[ReleaseEvent]", *, epoch: int | None = None
    ) -> "Release":
        """Appends events to the state that was read, with everything that follows from them."""
        from fairway.domain.pipeline.release import evolve  # noqa: PLC0415

        after, states = release, []
        for event in events:
            after = evolve(after, event)
            states.append((after, event))
        values = {"run": release.id, "expected": release.version, "fence": epoch, **_columns(after)}
        with self._database.writing() as connection:
            if connection.change(_ADVANCE, values) == 0:
                raise _conflict(connection, release, epoch)
            _add(connection, release.id, events, after=release.version)
            if after.phase not in ("queued", "running"):
                connection.execute(
                    f"UPDATE fairway_environments SET run = NULL WHERE {_AT_PLACE} AND run = :run",
                    {"service": after.plan.service, "run": after.id},
                )
            _tell(connection, states)
        return after

    def load_release(self, release: str, *, known: "Release | None" = None) -> "Release":
        """The state of a release; with an earlier state at hand only later events are read."""
        from fairway.domain.pipeline.release import fold  # noqa: PLC0415

        query = (
            "SELECT version, type, data FROM fairway_events JOIN fairway_runs ON fairway_runs.id = run "
            "WHERE run = :id AND kind = :kind AND fairway_events.version > :after ORDER BY fairway_events.version"
        ).replace("SELECT version", "SELECT fairway_events.version")
        values = {"id": storable(release), "kind": _KIND, "after": known.version if known is not None else 0}
        with self._database.reading() as connection:
            rows = connection.rows(query, values)
            if rows or known is not None:
                return fold(release, (_read(release, *row) for row in rows), known)
            latest = connection.rows(
                "SELECT id FROM fairway_runs WHERE kind = :kind ORDER BY number DESC LIMIT 3", {"kind": _KIND}
            )
        names = ", ".join(name for (name,) in latest)
        hint = f"the latest releases are {names}" if names else "there are no releases yet"
        raise UserError("unknown-release-run", f"there is no release {release[:60]!r} under way or past", hint)

    def list_releases(self, service: str, *, limit: int = 20) -> tuple[RunSummary, ...]:
        """The latest releases, newest first."""
        query = f"SELECT {SUMMARY} FROM fairway_runs WHERE {_AT_PLACE} ORDER BY number DESC LIMIT :limit"
        with self._database.reading() as connection:
            rows = connection.rows(query, {"service": service, "limit": limit})
        return tuple(RunSummary(*row[:FIELDS]) for row in rows)

    def take_turn(self, service: str, release: str) -> str | None:
        """Makes the release the one under way, if none is and no earlier one waits."""
        values = {"service": service, "run": release}
        with self._database.writing() as connection:
            query = f"SELECT run FROM fairway_environments WHERE {_AT_PLACE}{self._database.lock}"
            present = connection.value(query, values)
            if present is not None:
                return None if present == release else cast("str", present)
            before = connection.value(_WAITING_BEFORE, values)
            if before is not None:
                return cast("str", before)
            connection.execute(f"UPDATE fairway_environments SET run = :run WHERE {_AT_PLACE}", values)
        return None

    def hold(self, release: str, holder: str, *, now: float, ttl: float) -> int | None:
        """Takes the lease of this release, or renews an own one; each change of holder raises the fencing number."""
        clock = self._database.clock
        values: dict[str, Any] = {"run": release, "me": holder, "ttl": ttl, **self._database.clock_values(now)}
        query = (
            f"SELECT service, holder, epoch, (holder IS NULL OR holder = :me OR lease_until <= {clock}) AS free, "
            f"{clock} + :ttl AS until FROM fairway_runs WHERE id = :run{self._database.lock}"
        )
        with self._database.writing() as connection:
            found = connection.row(query, values)
            if found is None or not found[3]:
                return None
            service, before, epoch, _, until = found
            if before != holder:
                raising = f"UPDATE fairway_environments SET epoch = epoch + 1 WHERE {_AT_PLACE} RETURNING epoch"
                epoch = connection.value(raising, {"service": service})
            connection.execute(
                "UPDATE fairway_runs SET holder = :me, lease_until = :until, epoch = :epoch WHERE id = :run",
                {"run": release, "me": holder, "until": until, "epoch": epoch},
            )
        return int(epoch)


def _identity(release: "Release") -> dict[str, Any]:
    plan = release.plan
    return {
        "id": release.id,
        "kind": _KIND,
        "service": plan.service,
        "environment": PLACE,
        "release": storable(plan.version),
        "digest": "",
        "commit_id": plan.commit,
        "strategy": "",
        "actor": storable(release.actor),
        "started": release.started,
        "revision": "null",
        "wake_at": None,
    }


def _columns(release: "Release") -> dict[str, Any]:
    return {
        "version": release.version,
        "phase": release.phase,
        "verdict": release.verdict,
        "reason": storable(release.explained),
        "ended": release.ended,
    }


def _add(connection: Connection, run: str, facts: "Iterable[ReleaseEvent]", *, after: int) -> None:
    for row in event_rows(run, facts, after=after):
        connection.execute(insertion("fairway_events", tuple(row)), row)


def _tell(connection: Connection, states: "Iterable[tuple[Release, ReleaseEvent]]") -> None:
    """The messages that follow from the events, into the outbox."""
    from fairway.domain.pipeline.messages import message_for  # noqa: PLC0415

    for state, event in states:
        message = message_for(state, event)
        for place, receiver in enumerate(state.plan.notify if message is not None else ()):
            wanted = receiver.get("events")
            if message is None or (wanted is not None and message["event"] not in wanted):
                continue
            described = describe_receiver(receiver)
            row = {
                "id": f"{state.id}.{state.version}.{place}",
                "queue": hashlib.sha256(f"{state.plan.service}\n{described}".encode()).hexdigest(),
                "service": state.plan.service,
                "receiver": described,
                "body": write_json(message),
                "due": AT_ONCE,
            }
            connection.execute(insertion("fairway_outbox", tuple(row)), row)


def _conflict(connection: Connection, release: "Release", epoch: int | None) -> Exception:
    present = connection.row("SELECT version, epoch FROM fairway_runs WHERE id = :run", {"run": release.id})
    if present is None:
        return UserError("unknown-release-run", f"there is no release {release.id!r}", "")
    version, held = present
    if epoch is not None and held != epoch:
        return stale_epoch(release.id, epoch, held)
    sentence = f"release {release.id} is at version {version} by now, not {release.version}"
    return TransientError("version-conflict", sentence, "load it again")


def _read(run: str, version: int, kind: str, data: str) -> "ReleaseEvent":
    from fairway.domain.pipeline.events import ReleaseEvent  # noqa: PLC0415

    try:
        return from_json(cast("type[ReleaseEvent]", ReleaseEvent), json.loads(data))
    except ValueError as error:
        sentence = f"release {run} has at version {version} an event {kind!r} that cannot be read ({error})"
        raise PermanentError("event-unknown", sentence, "upgrade Fairway here too") from error
