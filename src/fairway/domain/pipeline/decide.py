"""What a release does next: pure, and never stored.

A task begins when all that it needs is done. When one has failed no other begins; those under way end, and then the
release halts.
"""

from dataclasses import dataclass

from fairway.domain.pipeline.events import Cause, ReleaseEnded, ReleaseEvent, ReleaseHalted
from fairway.domain.pipeline.plan import Task
from fairway.domain.pipeline.release import Release


@dataclass(frozen=True, slots=True)
class Record:
    """Write this fact down, then ask again."""

    event: ReleaseEvent


@dataclass(frozen=True, slots=True)
class Work:
    """These tasks are to be under way, the first ones first; those recorded as running are among them."""

    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing to do, for good or until a person acts."""


Decision = Record | Work | Rest


def decide(release: Release, at: float) -> Decision:
    """The next thing to do for this release.

    Args:
        release: the state.
        at: now, seconds since the epoch, UTC.
    """
    if release.outcome is not None or release.halted is not None:
        return Rest()
    running = tuple(task for task in release.plan.tasks if release.tasks[task.id].phase == "running")
    failed = next((task for task in release.plan.tasks if release.tasks[task.id].phase in ("failed", "errored")), None)
    if failed is not None:
        if running:
            return Work(running)
        state = release.tasks[failed.id]
        cause: Cause = "failed" if state.phase == "failed" else "errored"
        return Record(ReleaseHalted(at, failed.id, cause, f"{failed.stage} {failed.id}: {state.detail}"))
    if all(state.phase == "done" for state in release.tasks.values()):
        return Record(ReleaseEnded(at, "completed", f"{release.plan.service} {release.plan.version} is released"))
    ready = tuple(task for task in release.plan.tasks if _is_ready(release, task))
    return Work((*running, *ready))


def _is_ready(release: Release, task: Task) -> bool:
    waits = release.tasks[task.id].phase == "waiting"
    return waits and all(release.tasks[need].phase == "done" for need in task.needs)
