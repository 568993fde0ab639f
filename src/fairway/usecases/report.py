"""A run as people and programs read it; the same on the terminal, in JSON and on pages."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fairway.domain.analysis.evidence import Assessment
from fairway.domain.analysis.same_age import baseline_share
from fairway.domain.cadence.policy import Passage
from fairway.domain.codec import from_json
from fairway.domain.rollout.run import Run, StepRecord
from fairway.domain.rollout.steps import Watch
from fairway.domain.rollout.watching import outlook


def describe_run(run: Run, evidence: Mapping[str, Any] | None) -> dict[str, Any]:
    """The JSON object that `deploy --wait`, `status` and `watch` give.

    Args:
        run: the state.
        evidence: what the judge saved last; None if it never read.

    Returns:
        An object with times as ISO 8601 in UTC and durations in seconds.
    """
    plan = run.plan
    artifact = plan.candidate.artifact
    shown = None if evidence is None else evidence.get("assessment")
    return {
        "run": run.id,
        "kind": plan.kind,
        "service": plan.service,
        "environment": plan.environment,
        "release": artifact.version,
        "commit": artifact.commit,
        "digest": artifact.digest,
        "revision": plan.candidate.id,
        "previous": plan.stable.version if plan.stable is not None else None,
        "strategy": plan.strategy,
        "phase": run.phase,
        "verdict": run.verdict,
        "reason": f"{reason_of(run)}. {ahead}" if (ahead := outlook_of(run, evidence)) else reason_of(run),
        "weight": run.weight if run.track == "forward" else 0.0,
        "baseline": _baseline(run),
        "actor": run.actor,
        "passage": describe_passage(run.passage),
        "started": timestamp(run.started),
        "finished": timestamp(run.ended),
        "quarantined": run.quarantined,
        "attention": run.attention,
        "steps": list_steps(run),
        "evidence": shown,
    } | _recovery(run)


def _recovery(run: Run) -> dict[str, Any]:
    """What a restore restores; nothing for other runs."""
    recovery = run.plan.recovery
    if recovery is None:
        return {}
    names = {"database": recovery.database.name, "backup": recovery.backup, "taken": timestamp(recovery.taken)}
    before = {"saved": recovery.saved or None, "aside": recovery.aside if recovery.saved else None}
    return {"recovery": names | before}


def describe_passage(passage: Passage | None) -> dict[str, str] | None:
    """Why something began although it was not the time for it; None where nobody had to say."""
    return None if passage is None else {"kind": passage.kind, "reason": passage.reason, "passed": passage.passed}


def _baseline(run: Run) -> dict[str, Any] | None:
    """Revision and share of what the candidate is compared with in place of stable; None if there is nothing."""
    baseline = run.plan.baseline
    if baseline is None:
        return None
    return {"revision": baseline.id, "weight": baseline_share(run.weight) if run.track == "forward" else 0.0}


def list_steps(run: Run) -> list[dict[str, Any]]:
    """The steps of the run, both tracks as far as they were taken, and the stages that had nothing to do."""
    records = {(record.track, record.index): record for record in run.records}
    steps = []
    for index, planned in enumerate(run.plan.forward):
        record = records.get(("forward", index))
        outcome = "planned" if run.track == "forward" and run.outcome is None else "not-reached"
        steps.append(_step(planned.stage, planned.step.title, planned.seconds, record, outcome))
    if run.track == "rollback":
        for index, planned in enumerate(run.plan.rollback):
            record = records.get(("rollback", index))
            steps.append(_step("rollback", planned.step.title, planned.seconds, record, "planned"))
    for stage, reason in run.plan.skipped:
        skipped = {"stage": stage, "name": stage, "planned_seconds": 0.0, "seconds": 0.0}
        steps.append(skipped | {"outcome": "skipped", "detail": reason})
    return steps


def _step(stage: str, title: str, seconds: float, record: StepRecord | None, absent: str) -> dict[str, Any]:
    taken = None if record is None or record.finished is None else round(record.finished - record.started, 3)
    outcome = absent if record is None else (record.outcome or "under-way")
    return {
        "stage": stage,
        "name": title,
        "planned_seconds": seconds,
        "seconds": taken,
        "outcome": outcome,
        "detail": "" if record is None else record.detail,
    }


def reason_of(run: Run) -> str:
    """Why the run stands where it stands, in a sentence."""
    if run.failure is not None and run.outcome != "failed":
        return run.failure.reason
    if run.outcome is not None:
        return run.ended_reason
    if run.paused is not None:
        return run.paused
    if run.held is not None:
        return run.held_reason
    planned = run.current
    return planned.step.title if planned is not None else ""


def outlook_of(run: Run, evidence: Mapping[str, Any] | None) -> str:
    """When a watch that evidence ends may be expected to end; empty where there is nothing to say."""
    planned = run.current
    shown = None if evidence is None else evidence.get("assessment")
    if run.phase != "progressing" or planned is None or not isinstance(planned.step, Watch) or shown is None:
        return ""
    assessment = from_json(Assessment, shown)
    # What was saved last may still be of the step before.
    present = run.under_way and assessment.evidence.since is not None and bool(run.records)
    return outlook(planned.step, assessment) if present and assessment.at >= run.records[-1].started else ""


def timestamp(at: float | None) -> str | None:
    """Seconds since the epoch as ISO 8601 in UTC, to the millisecond."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
