"""Which facts of a run people are told, and in what words."""

from typing import Any, Literal

from fairway.domain.rollout.events import (
    AttentionNeeded,
    Event,
    Held,
    Outcome,
    Paused,
    RollbackStarted,
    RunEnded,
    RunStarted,
    StepStarted,
)
from fairway.domain.rollout.run import Run
from fairway.domain.rollout.steps import Announce, AwaitApprovals, Promote

MessageName = Literal[
    "started",
    "waiting-approval",
    "promoted",
    "inconclusive",
    "frozen",
    "rolling-back",
    "rollback-verified",
    "attention-needed",
    Outcome,
    "release-started",
    "release-failed",
    "released",
    "release-abandoned",
]
"""What `event` may say in a message; a receiver may ask for some of them only."""


def message_for(run: Run, event: Event) -> dict[str, Any] | None:
    """The message about an event, None if people are not told of it.

    Args:
        run: the state after the event.
        event: the fact.

    Returns:
        A JSON object with `event`, `service`, `environment`, `run`, `kind`, `release`, `digest`, `at` (seconds since
        the epoch, UTC), `actor`, `severity` (info, warning, critical) and `text`.
    """
    told = _tell(run, event)
    if told is None:
        return None
    name, severity, text = told
    plan = run.plan
    return {
        "event": name,
        "severity": severity,
        "service": plan.service,
        "environment": plan.environment,
        "run": run.id,
        "kind": plan.kind,
        "release": plan.candidate.version,
        "digest": plan.candidate.artifact.digest,
        "actor": run.actor,
        "at": event.at,
        "text": f"{plan.service} {plan.candidate.version} in {plan.environment}: {text}",
    }


def _tell(run: Run, event: Event) -> tuple[MessageName, str, str] | None:  # noqa: PLR0911 -- one case a kind of event
    match event:
        case RunStarted(actor=actor, reason=reason, passage=passage):
            words = "; ".join(str(one) for one in (reason, passage) if one)
            return "started", "info", f"{run.plan.kind} started by {actor}" + (f": {words}" if words else "")
        case StepStarted(track="forward", index=index):
            step = run.plan.forward[index].step
            if isinstance(step, AwaitApprovals):
                return "waiting-approval", "warning", f"waits for {step.count} approvals: fairway approve {run.id}"
            if isinstance(step, Announce):
                return "rollback-verified", "critical", f"back on this release, verified: {run.reason}"
            return ("promoted", "info", "promoted") if isinstance(step, Promote) else None
        case Paused(actor="fairway", reason=reason):
            return "inconclusive", "warning", reason
        case Held(rule="budget", reason=reason):
            return "frozen", "warning", reason
        case RollbackStarted(reason=reason):
            return "rolling-back", "critical", f"rolling back: {reason}"
        case AttentionNeeded(reason=reason):
            return "attention-needed", "critical", reason
        case RunEnded(outcome=outcome, reason=reason):
            return outcome, "info" if outcome == "completed" else "critical", f"{outcome}: {reason}"
    return None
