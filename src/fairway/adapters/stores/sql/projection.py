"""What is projected from the events of a run: computed here, written by `journal.py` in the same transaction.

Nothing here is set by hand: every value follows from the run before and after the events.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from fairway.domain.codec import to_json
from fairway.domain.rollout.events import ArtifactQuarantined, Event
from fairway.domain.rollout.messages import message_for
from fairway.domain.rollout.run import Run
from fairway.domain.rollout.spec import Adapter
from fairway.ports.journal import AT_ONCE

if TYPE_CHECKING:
    from fairway.domain.pipeline.events import ReleaseEvent


def write_json(value: Any) -> str:
    """The text of a JSON value: ASCII, so that no database has to know the characters in it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True)


def storable(words: str) -> str:
    """Text that every database takes: output of commands may hold zero bytes and broken characters."""
    return words.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\N{REPLACEMENT CHARACTER}")


def is_live(run: Run) -> bool:
    """The run has made its candidate the live revision of the environment; one that keeps what is live has not."""
    return not run.plan.keeps_live and (run.promoted or run.outcome == "completed")


def changed_at(run: Run, states: Iterable[tuple[Run, Event]]) -> float:
    """When it changed last whether the run's candidate is live: the time of that event."""
    at, before = run.started, is_live(run)
    for state, event in states:
        at, before = (event.at, is_live(state)) if is_live(state) != before else (at, before)
    return at


def explain(run: Run) -> str:
    """The sentence that says best why a run stands where it stands; in the end, why it ended so."""
    failure = run.failure.reason if run.failure is not None else None
    words = run.ended_reason or run.attention or failure or run.paused or run.held_reason or run.reason
    # Why it was not held back is told for good, whatever became of it.
    return storable(f"{words} [{run.passage}]".strip() if run.passage is not None else words)


def identity_columns(run: Run) -> dict[str, Any]:
    """What never changes about a run."""
    plan, artifact = run.plan, run.plan.candidate.artifact
    return {
        "id": run.id,
        "kind": plan.kind,
        "service": plan.service,
        "environment": plan.environment,
        "release": storable(artifact.version),
        "digest": artifact.digest,
        "commit_id": artifact.commit,
        "strategy": storable(plan.strategy),
        "actor": storable(run.actor),
        "started": run.started,
        "revision": write_json(to_json(plan.candidate)),
    }


def state_columns(run: Run, wake: float | None) -> dict[str, Any]:
    """What follows from the events; a run that has ended is never due again."""
    return {
        "version": run.version,
        "wake_at": wake if run.outcome is None else None,
        "phase": run.phase,
        "verdict": run.verdict,
        "reason": explain(run),
        "ended": run.ended,
    }


def event_rows(run: str, events: "Iterable[Event | ReleaseEvent]", *, after: int) -> list[dict[str, Any]]:
    """The rows of the events that follow version `after`."""
    return [
        {
            "run": run,
            "version": version,
            "at": event.at,
            "type": type(event).__name__,
            "data": write_json(to_json(event)),
        }
        for version, event in enumerate(events, after + 1)
    ]


def quarantine_row(run: Run, event: ArtifactQuarantined) -> dict[str, Any]:
    """The entry of the artifact that the run rejected: its candidate, or what a rollback by hand came from."""
    rejected, stable = run.plan.candidate, run.plan.stable
    if stable is not None and stable.artifact.digest == event.digest:
        rejected = stable
    return {
        "digest": event.digest,
        "service": run.plan.service,
        "release": storable(rejected.version),
        "reason": storable(event.reason),
        "run": run.id,
        "at": event.at,
    }


def message_rows(run: Run, event: Event) -> Iterator[dict[str, Any]]:
    """One row a receiver that wants to be told of the event.

    Args:
        run: the state after the event.
        event: the fact.
    """
    message = message_for(run, event)
    if message is None:
        return
    for place, receiver in enumerate(run.plan.notify):
        wanted = receiver.get("events")
        if wanted is None or message["event"] in wanted:
            described = describe_receiver(receiver)
            yield {
                "id": f"{run.id}.{run.version}.{place}",
                "queue": hashlib.sha256(f"{run.plan.service}\n{described}".encode()).hexdigest(),
                "service": run.plan.service,
                "receiver": described,
                "body": write_json(message),
                # Not the time of the event: the clock of the machine that wrote it may be ahead.
                "due": AT_ONCE,
            }


def describe_receiver(receiver: Adapter) -> str:
    """A receiver of messages as the outbox keeps it."""
    settings = {name: to_json(value) for name, value in receiver.settings}
    return json.dumps({"kind": receiver.kind, "settings": settings}, sort_keys=True)
