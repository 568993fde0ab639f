"""The state of a release: the fold of its events. `evolve` is the only place where it changes."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from fairway.domain.cadence.policy import Passage
from fairway.domain.errors import InvariantError
from fairway.domain.pipeline.compile import TURN
from fairway.domain.pipeline.events import (
    ReleaseEnded,
    ReleaseEvent,
    ReleaseHalted,
    ReleaseResumed,
    ReleaseStarted,
    TaskFailed,
    TaskFinished,
    TaskLost,
    TaskStarted,
)
from fairway.domain.pipeline.plan import ReleasePlan
from fairway.domain.pipeline.products import Product

TaskPhase = Literal["waiting", "running", "done", "failed", "errored"]
Phase = Literal["queued", "running", "failed", "completed", "abandoned"]


@dataclass(frozen=True, slots=True)
class TaskState:
    """What became of one task. Times are seconds since the epoch, UTC.

    Attributes:
        tries: how often it was started.
    """

    phase: TaskPhase = "waiting"
    tries: int = 0
    started: float | None = None
    finished: float | None = None
    detail: str = ""
    hint: str = ""
    products: tuple[Product, ...] = ()
    data: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """One execution of a release plan.

    Attributes:
        version: number of events folded; the next event gets the next number.
        tasks: the state of each task, in the order of the plan.
        halted: why it stands still until a person acts; None if it does not.
        cause: of the halt.
        passage: why it goes on although it may not be the time for it: what was said last; None: nothing was.
    """

    id: str
    plan: ReleasePlan
    version: int
    started: float
    actor: str
    tasks: dict[str, TaskState]
    halted: str | None = None
    cause: str | None = None
    outcome: Literal["completed", "abandoned"] | None = None
    ended: float | None = None
    ended_reason: str = ""
    passage: Passage | None = None

    @property
    def phase(self) -> Phase:
        """Where it stands, in one word."""
        if self.outcome is not None:
            return self.outcome
        if self.halted is not None:
            return "failed"
        return "running" if self.tasks[TURN].phase == "done" else "queued"

    @property
    def verdict(self) -> str | None:
        """What is known of its end: passed, failed, errored; None while it is under way."""
        if self.outcome == "completed":
            return "passed"
        return self.cause if self.halted is not None or self.outcome is not None else None

    @property
    def explained(self) -> str:
        """Why it stands where it stands, and why it was not held back where somebody had to say; for lists."""
        words = self.ended_reason or self.halted or ""
        return f"{words} [{self.passage}]".strip() if self.passage is not None else words

    def products_of(self, tasks: Iterable[str]) -> tuple[Product, ...]:
        """What these tasks made, in their order."""
        return tuple(product for task in tasks for product in self.tasks[task].products)

    @property
    def products(self) -> tuple[Product, ...]:
        """What all tasks made."""
        return self.products_of(self.tasks)


def fold(release: str, events: Iterable[ReleaseEvent], known: Release | None = None) -> Release:
    """The state after these events.

    Args:
        release: id.
        events: all of them, or those after the known state.
        known: an earlier state.
    """
    state = known
    for event in events:
        state = start(release, event) if state is None else evolve(state, event)
    if state is None:
        raise InvariantError("no-events", f"release {release} has no events", "")
    return state


def start(release: str, event: ReleaseEvent) -> Release:
    """The state after the first event."""
    if not isinstance(event, ReleaseStarted):
        raise InvariantError("first-event", f"release {release} begins with {type(event).__name__}", "")
    tasks = {task.id: TaskState() for task in event.plan.tasks}
    return Release(release, event.plan, 1, event.at, event.actor, tasks, passage=event.plan.passage)


def evolve(release: Release, event: ReleaseEvent) -> Release:
    """The state after one more fact."""
    release = replace(release, version=release.version + 1)
    match event:
        case TaskLost(task=task):
            return _lose(release, task)
        case TaskStarted() | TaskFinished() | TaskFailed():
            return replace(release, tasks=release.tasks | {event.task: _evolve_task(release.tasks[event.task], event)})
        case ReleaseHalted(cause=cause, reason=reason):
            return replace(release, halted=reason, cause=cause)
        case ReleaseResumed(passage=passage):
            return replace(_resume(release), passage=passage or release.passage)
        case ReleaseEnded(at=at, outcome=outcome, reason=reason):
            return replace(release, outcome=outcome, ended=at, ended_reason=reason, halted=None)
        case ReleaseStarted():
            return release


def _evolve_task(task: TaskState, event: TaskStarted | TaskFinished | TaskFailed) -> TaskState:
    match event:
        case TaskStarted(at=at):
            return TaskState("running", task.tries + 1, at)
        case TaskFinished(at=at, detail=detail, products=products, data=data):
            done: TaskPhase = "done"
            return replace(task, phase=done, finished=at, detail=detail, products=products, data=data)
        case TaskFailed(at=at, cause=cause, reason=reason, hint=hint):
            return replace(task, phase=cause, finished=at, detail=reason, hint=hint)


def _lose(release: Release, lost: str) -> Release:
    """The task is done once more, and so is all that was made from it; each looks first at what is there."""
    again = {lost}
    for task in release.plan.tasks:
        if again & set(task.needs):
            again.add(task.id)
    states = {name: TaskState("waiting", one.tries) if name in again else one for name, one in release.tasks.items()}
    return replace(release, tasks=states)


def _resume(release: Release) -> Release:
    """What failed is tried again; the turn is waited for again, because another release may have it by now."""
    again = {
        name: TaskState("waiting", task.tries) if name == TURN or task.phase in ("failed", "errored") else task
        for name, task in release.tasks.items()
    }
    return replace(release, tasks=again, halted=None, cause=None)
