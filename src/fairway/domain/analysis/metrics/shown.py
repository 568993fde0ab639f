"""What people see of the user's metrics: the state of each rule and metric, and sentences.

Numbers are those of the last look; durations are whole seconds.
"""

from fairway.domain.analysis.evidence import GREATEST_E_VALUE, MetricEvidence, RuleEvidence
from fairway.domain.analysis.metrics.policy import Metric, Rule
from fairway.domain.analysis.metrics.samples import NoData, Outcome, Sample, Trouble
from fairway.domain.analysis.metrics.signs import SignTest
from fairway.domain.analysis.metrics.state import MetricsState
from fairway.domain.analysis.metrics.sustained import Sustained


def rules(judgement: MetricsState) -> tuple[RuleEvidence, ...]:
    """The state of each rule, in the order written."""
    return tuple(_rule(judgement, rule) for rule in judgement.policy.rules)


def metrics(judgement: MetricsState) -> tuple[MetricEvidence, ...]:
    """The state of each metric of the user's, in the order written."""
    return tuple(_metric(judgement, metric) for metric in judgement.policy.metrics)


def by_rule(judgement: MetricsState, rule: Rule) -> str:
    """The verdict of a rule."""
    seconds = judgement.rules[rule.name].seconds
    return f"Roll back: the rule {rule.name} has been true{_during(seconds)}: {_condition(judgement, rule)}."


def by_evidence(judgement: MetricsState, metric: Metric) -> str:
    """The verdict of a counter or a gauge."""
    value, limit = judgement.e_value(), 1.0 / judgement.policy.alpha
    often = max(1, int(min(value, GREATEST_E_VALUE)))
    return (
        f"Roll back: {_counted(judgement, metric)}. If the candidate were within this margin, evidence this strong "
        f"would appear in fewer than 1 of {often:,} rollouts (e-value {value:,.3g}, limit {limit:,.4g})."
    )


def holding(judgement: MetricsState, rule: Rule) -> str:
    """Why a rule stops the clock."""
    seconds = judgement.rules[rule.name].seconds
    condition = _condition(judgement, rule)
    return f"Hold: the rule {rule.name} has been true{_during(seconds)}: {condition}; the time does not count."


def pending(judgement: MetricsState, rule: Rule) -> str:
    """Why a step does not end yet."""
    seconds = judgement.rules[rule.name].seconds
    return (
        f"Hold: the rule {rule.name} has been true for {seconds:.0f} s of {rule.lasting:.0f} s: "
        f"{_condition(judgement, rule)}; the step ends once it is false."
    )


def missing(judgement: MetricsState, metric: Metric, gap: NoData | Trouble) -> str:
    """Why a metric without an answer stops the clock."""
    return f"Hold: {_absence(judgement, metric, gap)}; the time does not count. That says nothing about the candidate."


def given_up(judgement: MetricsState, metric: Metric, gap: NoData | Trouble) -> str:
    """A metric stayed without an answer too long."""
    return f"Inconclusive: {_absence(judgement, metric, gap)}. That says nothing about the candidate."


def unanswered(rule: Rule, state: Sustained, *, over: bool) -> str:
    """A condition cannot be evaluated."""
    begin = "Inconclusive" if over else "Hold"
    return f"{begin}: the rule {rule.name} has had no answer for {state.unknown:.0f} s: {state.why} ({rule.when})."


def _absence(judgement: MetricsState, metric: Metric, gap: NoData | Trouble) -> str:
    seconds = judgement.missing.get(metric.name, 0.0)
    who = _whom(judgement, metric)
    what = f"no data for {metric.name}{who}" if isinstance(gap, NoData) else f"no answer about {metric.name}{who}"
    return f"there has been {what} for {seconds:.0f} s: {gap.why}"


def _whom(judgement: MetricsState, metric: Metric) -> str:
    outcomes = judgement.outcomes.get(metric.name, {})
    lacking = [role for role, one in outcomes.items() if role and not isinstance(one, Sample)]
    return f" of {' and '.join(lacking)}" if lacking and len(lacking) < len(metric.roles) else ""


def _during(seconds: float) -> str:
    return f" for {seconds:.0f} s" if seconds >= 1.0 else ""


def _condition(judgement: MetricsState, rule: Rule) -> str:
    values = ", ".join(f"{name} {value:.4g}" for name, value in _values(judgement, rule).items())
    return f"{rule.when} ({values})" if values else rule.when


def _values(judgement: MetricsState, rule: Rule) -> dict[str, float]:
    found = {}
    for name in rule.uses:
        role, _, metric = name.rpartition(".")
        outcome = judgement.outcomes.get(metric, {}).get(role)
        if isinstance(outcome, Sample):
            found[name] = outcome.value
    return found


def _counted(judgement: MetricsState, metric: Metric) -> str:
    if metric.kind == "gauge":
        test = judgement.signs[metric.name]
        than = f"{metric.ratio:g} × stable's" if metric.worse == "higher" else f"stable's / {metric.ratio:g}"
        side = "above" if metric.worse == "higher" else "below"
        return f"{metric.name} of the candidate was {side} {than} in {test.above} of {test.intervals} readings"
    c_failed, c_total, s_failed, s_total = judgement.ratios[metric.name].judged
    margin = f"at most {metric.ratio:g} × stable's ratio + {metric.points * 100:g} points"
    return (
        f"{metric.name}: {c_failed:,} of {c_total:,} failed on the candidate, {s_failed:,} of {s_total:,} on stable "
        f"(margin: {margin})"
    )


def _rule(judgement: MetricsState, rule: Rule) -> RuleEvidence:
    state = judgement.rules[rule.name]
    fulfilled = state.fulfilled(rule.lasting)
    answer = "waiting" if state.answer is None else "fulfilled" if fulfilled else state.answer
    values = _values(judgement, rule)
    return RuleEvidence(
        rule.name, rule.when, rule.severity, answer, round(state.seconds, 1), rule.lasting, values, state.why
    )


def _metric(judgement: MetricsState, metric: Metric) -> MetricEvidence:
    outcomes = judgement.outcomes.get(metric.name, {})
    gap = judgement.gap(metric)
    test: SignTest | None = judgement.signs.get(metric.name)
    ratio = judgement.ratios.get(metric.name)
    e_value = test.e_value() if test is not None else ratio.e_value() if ratio is not None else None
    return MetricEvidence(
        name=metric.name,
        candidate=_value(outcomes.get("candidate")),
        stable=_value(outcomes.get("stable")),
        shared=_value(outcomes.get("")),
        e_value=None if e_value is None else min(e_value, GREATEST_E_VALUE),
        threshold=1.0 / judgement.policy.alpha if e_value is not None and judgement.policy.alpha > 0.0 else None,
        state="ok" if gap is None else "no-data" if isinstance(gap, NoData) else "error",
        why="" if gap is None else gap.why,
    )


def _value(outcome: Outcome | None) -> float | None:
    return outcome.value if isinstance(outcome, Sample) else None
