"""Which facts of a release people are told, and in what words."""

from typing import Any

from fairway.domain.pipeline.events import (
    ReleaseEnded,
    ReleaseEvent,
    ReleaseHalted,
    ReleaseResumed,
    ReleaseStarted,
)
from fairway.domain.pipeline.release import Release


def message_for(release: Release, event: ReleaseEvent) -> dict[str, Any] | None:
    """The message about an event, None if people are not told of it.

    Args:
        release: the state after the event.
        event: the fact.

    Returns:
        A JSON object as those about rollouts; `environment` is empty, `digest` that of the sealed artifact, if any.
    """
    told = _tell(release, event)
    if told is None:
        return None
    name, severity, text = told
    plan = release.plan
    sealed = next((product.digest for product in release.products if product.kind == "artifact"), "")
    return {
        "event": name,
        "severity": severity,
        "service": plan.service,
        "environment": "",
        "run": release.id,
        "kind": "release",
        "release": plan.version,
        "digest": sealed,
        "actor": release.actor,
        "at": event.at,
        "text": f"{plan.service} {plan.version}: {text}",
    }


def _tell(release: Release, event: ReleaseEvent) -> tuple[str, str, str] | None:
    match event:
        case ReleaseStarted(actor=actor):
            passage = f": {release.plan.passage}" if release.plan.passage is not None else ""
            return "release-started", "info", f"release started by {actor}{passage}"
        case ReleaseResumed(actor=actor, passage=passage) if passage is not None and passage.passed:
            return "release-started", "info", f"release resumed by {actor}: {passage}"
        case ReleaseHalted(reason=reason):
            return "release-failed", "warning", f"release halted: {reason}"
        case ReleaseEnded(outcome="completed"):
            return "released", "info", "released"
        case ReleaseEnded(reason=reason):
            return "release-abandoned", "warning", f"release abandoned: {reason}"
    return None
