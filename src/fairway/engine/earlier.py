"""What earlier runs leave to the analysis of a new one: the evidence about the same artifact, the spread of stable.

A rollout that ended without an answer, and is tried again, must not get another whole chance of being taken back
wrongly. Its e-value goes on: the product of the e-values of all tries is an e-process for "this artifact is within its
margin", so the probability that a good one is ever taken back stays below alpha over all of them. Only below
`LEAST` it does not count on: a candidate that looked well in many tries that were aborted would else be found late
when it fails. From there on each further try adds that part of alpha.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fairway.domain import codec
from fairway.domain.analysis.dispersion import Dispersion
from fairway.domain.rollout.run import Run
from fairway.ports.journal import Evidence, Records, RunSummary

LEAST = 0.1
LOOK_BACK = 50
"""How many earlier runs of the environment are looked through."""

SAME = (
    "ratio_margin",
    "absolute_margin",
    "abandoned_ratio",
    "abandoned_points",
    "latency_margin",
    "latency_slack",
    "objective_errors",
    "objectives_latency",
)
"""What a policy must have in common with an earlier one so that evidence about the one is evidence about the other."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What is known before a rollout begins.

    Attributes:
        carried: e-value that it begins with.
        dispersion: how the failures of stable's instances vary among each other.
        metrics: e-value that the user's own metrics begin with.
    """

    carried: float = 1.0
    dispersion: Dispersion = field(default_factory=Dispersion)
    metrics: float = 1.0


def look_back(run: Run, evidence: Evidence, records: Records) -> Earlier:
    """What earlier runs of the environment leave to this one."""
    stored = _unanswered(run, evidence, records)
    return Earlier(_carried(run, stored), _dispersion(run, evidence, records), _carried_of_metrics(run, stored))


def _unanswered(run: Run, evidence: Evidence, records: Records) -> Mapping[str, Any] | None:
    """The evidence of the last run with the same artifact that gathered some, if that run ended without an answer.

    A run that ended before its candidate got a request says nothing, and makes nothing forgotten.
    """
    plan = run.plan
    if plan.kind != "deploy":
        return None
    runs = records.list_runs(service=plan.service, environment=plan.environment, limit=LOOK_BACK)
    digest = plan.candidate.artifact.digest
    tries = (one for one in runs if one.id != run.id and one.digest == digest and one.ended is not None)
    for last in tries:
        stored = evidence.load_evidence(last.id)
        if stored is not None:
            return None if _answered(last, stored) else stored
        if last.phase == "completed":
            return None
    return None


def _carried(run: Run, stored: Mapping[str, Any] | None) -> float:
    if stored is None or not _same(run, stored):
        return 1.0
    value: float = stored["assessment"]["evidence"]["e_value"]
    return max(LEAST, value)


def _carried_of_metrics(run: Run, stored: Mapping[str, Any] | None) -> float:
    """Likewise, if the same metrics were judged by the same margins."""
    known = (stored or {}).get("metrics")
    judged = codec.to_json([metric for metric in run.plan.analysis.metrics.metrics if metric.judged])
    if known is None or not judged or known["judged"] != judged:
        return 1.0
    value: float = known["e_value"]
    return max(LEAST, value)


def _answered(last: RunSummary, stored: Mapping[str, Any]) -> bool:
    """It was promoted, or evidence or a rule took it back, so that a person has to allow it again."""
    return last.phase == "completed" or stored["assessment"]["decision"] == "roll-back"


def _same(run: Run, stored: Mapping[str, Any]) -> bool:
    """Both are judged by the same margins, against the same: what stable says of a candidate no baseline has said."""
    if (stored["analysis"].get("pairing") is None) != (run.plan.baseline is None):
        return False
    now, then = codec.to_json(run.plan.analysis), stored["analysis"]["policy"]
    return all(name in then and then[name] == now[name] for name in SAME)


def _dispersion(run: Run, evidence: Evidence, records: Records) -> Dispersion:
    """What the run that made stable live learnt of its instances."""
    stable, by = run.plan.stable, records.environment(run.plan.service, run.plan.environment).by
    stored = evidence.load_evidence(by) if stable is not None and by is not None and by != run.id else None
    if stable is None or stored is None or stored["analysis"]["candidate"] != stable.id:
        return Dispersion()
    known = stored["analysis"].get("own_dispersion")
    return codec.from_json(Dispersion, known).taken_over() if known is not None else Dispersion()
