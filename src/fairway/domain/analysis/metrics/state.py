"""What is known of the user's metrics in one rollout, and how it is kept."""

from dataclasses import dataclass, field, fields
from typing import Any, Self

from fairway.domain import codec
from fairway.domain.analysis.evidence import Finding
from fairway.domain.analysis.metrics.policy import ROUTER_METRICS, Metric, MetricsPolicy, Rule
from fairway.domain.analysis.metrics.ratios import RatioTest
from fairway.domain.analysis.metrics.samples import NoData, Outcome, Sample, Trouble
from fairway.domain.analysis.metrics.signs import SignTest
from fairway.domain.analysis.metrics.sustained import Sustained

MISSED = 3
"""Readings that may be missed before anything waits for them."""


@dataclass(slots=True)
class MetricsState:
    """Everything known of the user's metrics in one rollout.

    Attributes:
        outcomes: the latest reading of each metric, by role; the role is empty where both share one number.
        rules: how long each has been true.
        signs, ratios: evidence of gauges and counters that are judged.
        missing: seconds since a metric was last complete.
        weight: percent of the requests that go to the candidate; None before the first step.
        alone: stable gets no requests, so that nothing can be compared.
        carried: e-value of an earlier, undecided rollout of the same artifact.
        last: when rules were last looked at.
        verdict: why the candidate must be taken back; final.
    """

    policy: MetricsPolicy
    outcomes: dict[str, dict[str, Outcome]] = field(default_factory=dict)
    rules: dict[str, Sustained] = field(default_factory=dict)
    signs: dict[str, SignTest] = field(default_factory=dict)
    ratios: dict[str, RatioTest] = field(default_factory=dict)
    missing: dict[str, float] = field(default_factory=dict)
    weight: float | None = None
    alone: bool = True
    carried: float = 1.0
    last: float | None = None
    verdict: Finding | None = None

    def __post_init__(self) -> None:
        for rule in self.policy.rules:
            self.rules.setdefault(rule.name, Sustained())
        for metric in self.policy.metrics:
            if metric.judged and metric.kind == "gauge":
                self.signs.setdefault(metric.name, SignTest())
            if metric.kind == "counter":
                self.ratios.setdefault(metric.name, RatioTest())

    def values(self) -> dict[str, Any]:
        """What conditions see: `candidate` and `stable` with their numbers by name, and numbers that both share."""
        found: dict[str, Any] = {"candidate": {}, "stable": {}}
        for name, roles in self.outcomes.items():
            for role, outcome in roles.items():
                if isinstance(outcome, Sample):
                    (found[role] if role else found)[name] = outcome.value
        return found

    def e_value(self) -> float:
        """The odds against the candidate over all judged metrics; 1 where there is none."""
        values = [test.e_value() for test in self.tests().values()]
        return self.carried * sum(values) / len(values) if values else 1.0

    def gap(self, metric: Metric) -> NoData | Trouble | None:
        """Why a metric is not complete; None if it is, or if there could be nothing."""
        outcomes = self.outcomes.get(metric.name)
        if outcomes is None:
            return NoData("it has not been read yet")
        for one in outcomes.values():
            if isinstance(one, Trouble):
                return one
        for one in outcomes.values():
            if isinstance(one, NoData) and not one.idle:
                return one
        return None

    def patience(self, rule: Rule) -> float:
        """Seconds without an answer after which a rule forgets how long it was true."""
        used = {name.rpartition(".")[2] for name in rule.uses}
        intervals = [metric.interval for metric in self.policy.metrics if metric.name in used]
        return patience_for(max(intervals, default=self.policy.window / MISSED))

    def tests(self) -> dict[str, SignTest | RatioTest]:
        """The tests on gauges and counters that are judged, by metric."""
        return {**self.signs, **self.ratios}

    def to_json(self) -> dict[str, Any]:
        """The state as a JSON value: without the policy, and without readings, which would be old when it is read."""
        kept = [one.name for one in fields(self) if one.name not in ("policy", "outcomes")]
        # What a later try of the same artifact needs to know, without reading all of it.
        judged = [metric for metric in self.policy.metrics if metric.judged]
        summary = {"e_value": self.e_value(), "judged": codec.to_json(judged)}
        return summary | {name: codec.to_json(getattr(self, name)) for name in kept}

    @classmethod
    def restore(cls, value: dict[str, Any], policy: MetricsPolicy) -> Self:
        """The judgement that `to_json` described."""
        return codec.from_json(cls, value | {"policy": codec.to_json(policy)})


def router_metrics(policy: MetricsPolicy) -> frozenset[str]:
    """Which of the router's metrics the rules look at."""
    used = {name.rpartition(".")[2] for rule in policy.rules for name in rule.uses}
    return frozenset(used.intersection(ROUTER_METRICS))


def patience_for(interval: float) -> float:
    """Seconds without an answer that mean nothing, for something that is read every `interval` seconds."""
    return MISSED * interval + 1.0
