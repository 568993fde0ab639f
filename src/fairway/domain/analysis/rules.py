"""The rules beside the evidence: instances, ejections, shared incidents, missing requests, the budget.

Each gives what stops the clock, or sets the verdict that takes the candidate back. None has a guarantee by numbers.
"""

from dataclasses import replace

from fairway.domain.analysis.evidence import Finding
from fairway.domain.analysis.instances import InstanceHealth
from fairway.domain.analysis.state import AnalysisState
from fairway.domain.analysis.traffic import TrafficSnapshot

LOOK_PATIENCE = 1.0
"""Seconds that the verdict on an ejected instance waits for a look at its process, so that it can say what happened."""


def watch_instances(analysis: AnalysisState, health: tuple[InstanceHealth, ...], seconds: float) -> Finding | None:
    """A candidate whose processes crash or are not ready any more is taken back, unless all of stable's are as bad."""
    if health is analysis.well:
        return None  # what was seen a moment ago, and nothing in it that gets worse with time
    candidate = tuple(one for one in health if one.revision == analysis.candidate)
    stable = tuple(one for one in health if one.revision == analysis.stable)
    analysis.candidate_instances.observe(candidate, seconds=seconds)
    analysis.stable_instances.observe(stable, seconds=seconds)
    finding = analysis.candidate_instances.finding(candidate, not_ready=analysis.policy.not_ready)
    if finding is None:
        analysis.well = health if all(one.ready or not one.was_ready for one in health) else None
        return None
    if analysis.stable_instances.all_in_trouble(stable):
        if analysis.stable_instances.recover(stable, seconds=seconds) < analysis.policy.not_ready:
            return Finding("shared-incident", f"{finding.cause}, but stable is in the same trouble")
        analysis.stable_instances.excuse(stable)
        if all(one.ready for one in candidate):
            analysis.candidate_instances.excuse(candidate)
            return None
    told = analysis.pairing.in_trouble(health) if analysis.pairing is not None else ""
    analysis.verdict = replace(finding, cause=f"{finding.cause}{told}")
    return None


def watch_ejections(
    analysis: AnalysisState,
    snapshot: TrafficSnapshot,
    health: tuple[InstanceHealth, ...],
    *,
    at: float,
    looked_at: float,
) -> Finding | None:
    """An ejected instance ends the rollout, unless stable failed as well when it was ejected.

    One whose process ended is a crash. The proxy sees that earlier than whoever looks at processes.
    """
    if analysis.verdict is not None or analysis.step.weight <= 0.0:
        return None
    instances = snapshot.of(analysis.candidate).instances
    ejected = [one.instance for one in instances if one.ejected]
    stable = snapshot.of(analysis.stable).instances if analysis.stable is not None else ()
    if analysis.incident.stable_fails or any(one.ejected for one in stable):
        analysis.excused = ejected
    else:
        analysis.excused = [name for name in analysis.excused if name in ejected]
    blamed = [name for name in ejected if name not in analysis.excused]
    analysis.ejected_at = (at if analysis.ejected_at is None else analysis.ejected_at) if blamed else None
    if analysis.ejected_at is not None:
        ended = analysis.candidate_instances.ended(tuple(one for one in health if one.revision == analysis.candidate))
        crashed = {name: ended[name] for name in blamed if name in ended}
        if crashed or looked_at >= analysis.ejected_at or not 0.0 <= at - analysis.ejected_at < LOOK_PATIENCE:
            analysis.verdict = _crash(crashed) if crashed else _ejection(ejected, len(instances))
        return None
    if ejected:
        cause = f"the proxy ejected {', '.join(ejected)} of the candidate while stable was failing as well"
        return Finding("shared-incident", cause)
    return None


def watch_traffic(analysis: AnalysisState) -> Finding | None:
    """Why what is counted at present says nothing of the candidate."""
    if analysis.step.weight <= 0.0:
        return None
    if analysis.incident.shared:
        return Finding("shared-incident", "candidate and stable are failing alike, so the cause lies elsewhere")
    if analysis.absence.silent:
        return Finding("no-candidate-traffic", "the candidate finishes no requests although stable does")
    missed = next((one for one in (lane.obstacle() for lane in analysis.lanes) if one is not None), None)
    beside = analysis.pairing.obstacle() if analysis.pairing is not None and analysis.paired else None
    return missed or beside or analysis.share.finding()


def watch_budget(analysis: AnalysisState, snapshot: TrafficSnapshot) -> Finding | None:
    """A spent budget ends the rollout whatever the evidence says; at half of it the clock stands still."""
    if analysis.budget is None:
        return None
    # Nobody saw the failure of a copy.
    analysis.budget.observe(snapshot, analysis.candidate, shared=analysis.incident.shared or analysis.step.copies)
    analysis.verdict = analysis.verdict or analysis.budget.verdict()
    return analysis.budget.freeze(0.0 if analysis.step.copies else analysis.step.weight)


def _crash(ended: dict[str, str]) -> Finding:
    """Processes that ended under requests."""
    how = ", ".join(f"{name} ({words})" for name, words in ended.items())
    return Finding("crash", f"the process of the candidate's {how} ended, and the proxy could not reach it any more")


def _ejection(ejected: list[str], instances: int) -> Finding:
    """Processes that live, but fail."""
    cause = (
        f"the proxy ejected {len(ejected)} of {instances} instances of the candidate "
        f"({', '.join(ejected)}), because too many requests in a row failed there"
    )
    return Finding("ejected", cause)
