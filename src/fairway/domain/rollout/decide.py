"""What to do now: pure, and never stored.

Two rules above all: "go back", by a person or by the analysis, wins over everything before the commit point; after it,
nothing but a new run goes back.
"""

from dataclasses import dataclass

from fairway.domain.rollout.events import (
    ArtifactQuarantined,
    Event,
    QuarantineLifted,
    RollbackStarted,
    RunEnded,
    StepStarted,
)
from fairway.domain.rollout.plan import PlannedStep
from fairway.domain.rollout.restoring import end_of_restore
from fairway.domain.rollout.run import Run
from fairway.domain.rollout.steps import AwaitApprovals, Watch


@dataclass(frozen=True, slots=True)
class Record:
    """Write this fact down, then ask again."""

    event: Event


@dataclass(frozen=True, slots=True)
class Perform:
    """Perform the step at the cursor."""

    step: PlannedStep


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do until a person acts."""


@dataclass(frozen=True, slots=True)
class Done:
    """The run is over."""


Decision = Record | Perform | Wait | Done


def decide(run: Run, at: float) -> Decision:
    """The next thing to do for this run.

    Args:
        run: the state.
        at: now, seconds since the epoch, UTC.
    """
    if run.outcome is not None:
        return Done()
    if run.lifts is not None:
        return Record(QuarantineLifted(at, run.actor, run.plan.candidate.artifact.digest, run.lifts))
    if run.track == "rollback":
        return _decide_way_back(run, at)
    if run.failure is not None and not run.committed:
        return Record(RollbackStarted(at, run.failure.cause, run.failure.rule, run.failure.reason))
    if run.abort is not None and not run.committed:
        return Record(RollbackStarted(at, "aborted", "abort", f"aborted by {run.abort.actor}: {run.abort.reason}"))
    return _decide_way_there(run, at)


def _decide_way_there(run: Run, at: float) -> Decision:
    step = run.current
    if step is None and run.plan.kind == "rollback" and run.plan.stable is not None and not run.quarantined:
        rejected = run.plan.stable.artifact.digest
        if rejected != run.plan.candidate.artifact.digest:
            return Record(ArtifactQuarantined(at, rejected, run.reason))
    if run.plan.kind == "restore" and (run.failure is not None or step is None):
        why = run.failure.reason if run.failure is not None else None
        return Record(RunEnded(at, "completed" if why is None else "failed", end_of_restore(run.plan, why, run.saved)))
    if step is None:
        return Record(RunEnded(at, "completed", f"{run.plan.candidate.version} is live in {run.plan.environment}"))
    if not run.under_way:
        stopped = run.paused is not None and not isinstance(step.step, Watch)
        return Wait() if stopped else Record(StepStarted(at, "forward", run.cursor))
    if isinstance(step.step, AwaitApprovals) and (run.paused is not None or len(run.approvals) < step.step.count):
        return Wait()
    return Perform(step)


def _decide_way_back(run: Run, at: float) -> Decision:
    step = run.current
    if _is_rejected(run) and not run.quarantined:
        digest, reason = run.plan.candidate.artifact.digest, run.failure.reason if run.failure else ""
        return Record(ArtifactQuarantined(at, digest, reason))
    if step is None:
        reason = run.failure.reason if run.failure else "rolled back"
        return Record(RunEnded(at, "rolled-back", reason))
    if not run.under_way:
        return Record(StepStarted(at, "rollback", run.cursor))
    return Perform(step)


def _is_rejected(run: Run) -> bool:
    """The artifact itself was found bad: it ran, and the answer was no. Work before it ran says nothing about it."""
    failure, stable = run.failure, run.plan.stable
    if failure is None or failure.cause != "failed" or failure.rule == "inconclusive":
        return False
    if run.plan.keeps_live or failure.stage in {"validate", "migrate", "prepare", "validation", "backup"}:
        return False
    return stable is None or stable.artifact.digest != run.plan.candidate.artifact.digest
