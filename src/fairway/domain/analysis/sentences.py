"""The sentences of an analysis, for people.

Each says what is to be done, then the counts of both revisions, the ratio with its 99 % interval, the e-value, and what
that means. An e-value is the factor by which a fair bet against "the candidate is within its margin" has grown; chances
are given as "1 of so many rollouts", which is what it bounds.
"""

from fairway.domain.analysis.evidence import (
    Counts,
    Evidence,
    Finding,
    LaneEvidence,
    QuantileRatio,
    Slowness,
)
from fairway.domain.analysis.interval import proportion_interval
from fairway.domain.analysis.same_age import baseline_share

SIGNS = 5.0
"""E-value from which one may speak of signs of harm."""

SHOWN = (0.5, 0.95)
"""Quantiles that are always shown, beside the one that tells most."""


def by_lane(lane: LaneEvidence, evidence: Evidence, *, watched: float) -> str:
    """The verdict of a lane."""
    often = max(1, int(min(evidence.e_value, 1e12)))
    kept = "kept the objective" if lane.objective else "were within its margin"
    return (
        f"Roll back after {_seconds(watched)} at {_weight(evidence.weight)}: {_facts(evidence, lane)}. "
        f"If the candidate {kept} ({lane.margin}), evidence this strong would appear in fewer than "
        f"1 of {often:,} rollouts (e-value {e_value(evidence.e_value)}, limit {evidence.threshold:,.4g})."
        f"{_attribution(evidence)}"
    )


def attribute(evidence: Evidence) -> tuple[tuple[str, float], ...]:
    """The lanes by what each adds to the e-value of the rollout, the greatest first.

    A lane is sufficient alone if what it adds reaches the threshold.
    """
    whole = sum(lane.weight * lane.e_value for lane in evidence.lanes)
    scale = evidence.e_value / whole if whole > 0.0 else 0.0
    added = ((lane.name, scale * lane.weight * lane.e_value) for lane in evidence.lanes)
    return tuple(sorted(added, key=lambda one: -one[1]))


def _attribution(evidence: Evidence) -> str:
    """Which lanes would have decided alone; nothing to say where it is the one that the sentence is about."""
    shares = attribute(evidence)
    enough = [name for name, added in shares if added >= evidence.threshold]
    if len(enough) > 1:
        return f" Each sufficient alone: {', '.join(enough)}."
    if not enough and len(shares) > 1:
        return f" Decided together: {', '.join(name for name, added in shares if added >= 0.01 * evidence.threshold)}."
    return ""


def by_rule(finding: Finding, evidence: Evidence) -> str:
    """The verdict of a rule."""
    return f"Roll back: {finding.cause}. {_state(evidence)}"


def hold(finding: Finding, evidence: Evidence) -> str:
    """Why the clock stands still."""
    return f"Hold: {finding.cause}; the time does not count. {_state(evidence)}"


def watching(evidence: Evidence, *, watched: float, warming: bool) -> str:
    """What is known so far."""
    signs = "Some signs of harm, not enough to decide" if evidence.e_value >= SIGNS else "No sign of harm"
    note = " The candidate is still warming up: only total failure counts." if warming else ""
    return f"{signs} after {_seconds(watched)} at {_weight(evidence.weight)}. {_state(evidence)}{note}"


def no_requests(evidence: Evidence, *, watched: float) -> str:
    """Nothing was learnt in this step."""
    weight, stable = min(99.0, evidence.weight), evidence.stable.finished
    beside = evidence.reference == "baseline"
    # Of copies, which are no weight, candidate and baseline get the same.
    expected = stable * (
        weight / (baseline_share(weight) if beside else 100.0 - weight) if weight or not beside else 1.0
    )
    return (
        f"No answer after {_seconds(watched)} at {_weight(evidence.weight)}: the candidate finished 0 requests "
        f"({_other(evidence)} {stable:,}; about {_number(expected)} were to be expected), so nothing is known of it. "
        f"Send requests, raise the weight or bake longer. {_state(evidence)}"
    )


def no_comparison(evidence: Evidence, *, watched: float) -> str:
    """The baseline got no requests in this step."""
    return (
        f"No answer after {_seconds(watched)} at {_weight(evidence.weight)}: the baseline finished 0 requests "
        f"(the candidate {evidence.candidate.finished:,}), so there is nothing to compare with. "
        f"Send requests, raise the weight or bake longer. {_state(evidence)}"
    )


def few_requests(evidence: Evidence, *, watched: float, wanted: int) -> str:
    """Too little was learnt in this step."""
    finished = evidence.candidate.finished
    certain = 100.0 * (1.0 - 0.01 ** (1.0 / finished))
    return (
        f"No answer after {_seconds(watched)} at {_weight(evidence.weight)}: the candidate finished {finished:,} "
        f"{'request' if finished == 1 else 'requests'}, of {wanted:,} that are wanted. Had it failed {certain:.2g} % "
        f"of all requests, one rollout in a hundred would not have shown one failure. "
        f"Send requests, raise the weight or bake longer. {_state(evidence)}"
    )


def absent(evidence: Evidence, *, seconds: float, expected: float) -> str:
    """The candidate stayed silent too long."""
    return (
        f"Inconclusive: the candidate has finished no request for {_seconds(seconds)} while about "
        f"{_number(expected)} were to be expected. Look at its routing and at requests that hang. {_state(evidence)}"
    )


def e_value(value: float) -> str:
    """An e-value as people read it."""
    if value >= 1e12:
        return "above 10^12"
    if value >= 100.0:
        return f"{int(value):,}"
    return f"{value:.2g}" if value >= 0.01 else "below 0.01"


def _state(evidence: Evidence) -> str:
    failures = [lane for lane in evidence.lanes if lane.slowness is None and not lane.abandoned] or list(evidence.lanes)
    lane = max(failures, key=lambda one: one.candidate.finished)
    return (
        f"{_facts(evidence, lane).capitalize()}; e-value {e_value(evidence.e_value)}, "
        f"roll-back at {evidence.threshold:,.4g}."
    )


def _facts(evidence: Evidence, lane: LaneEvidence) -> str:
    # Objectives look at the whole stable release, whatever the others are compared with.
    other = "stable" if lane.objective else _other(evidence)
    if lane.slowness is not None:
        return _slowness(lane, lane.slowness, other)
    if lane.abandoned:
        return _abandonment(lane, other)
    judged = lane.candidate.finished > 0
    candidate = lane.candidate if judged else evidence.candidate
    stable = lane.stable if judged else evidence.stable
    ratio = _own_interval(candidate) if lane.objective else _ratio(lane, candidate, stable, other)
    return f"the candidate failed {_counts(candidate)}, {other} {_counts(stable)}; {ratio}"


def _other(evidence: Evidence) -> str:
    """What the candidate is compared with."""
    return "the baseline" if evidence.reference == "baseline" else "stable"


def _abandonment(lane: LaneEvidence, other: str) -> str:
    """Counts of the lane of requests that clients gave up."""
    counts = f"clients gave up {_counts(lane.candidate)} of the candidate, of {other} {_counts(lane.stable)}"
    return f"{counts}, before an answer came; {_ratio(lane, lane.candidate, lane.stable, other)}"


def _slowness(lane: LaneEvidence, slowness: Slowness, other: str) -> str:
    """Quantiles and counts of a lane of latency."""
    words = (
        f"of the candidate {_counts(lane.candidate)} failed or took longer than {_ms(slowness.candidate_edge)}, "
        f"of {other} {_counts(lane.stable)} longer than {_ms(slowness.stable_edge)}"
    )
    if not slowness.quantiles:
        return f"{words}; {_own_interval(lane.candidate)}"
    shown = (one for one in slowness.quantiles if one.share in SHOWN or one.ratio == lane.ratio)
    return f"{words}; " + ", ".join(_quantile(one) for one in shown)


def _quantile(one: QuantileRatio) -> str:
    words = f"P{one.share * 100:g} {_ms(one.candidate)} against {_ms(one.stable)}"
    if one.ratio is None:
        return words
    low, high = "0" if one.low is None else f"{one.low:.3g}", "∞" if one.high is None else f"{one.high:.3g}"
    return f"{words}, {one.ratio:.3g}× (99 % interval {low} to {high})"


def _own_interval(counts: Counts) -> str:
    low, high = proportion_interval(counts.failed, counts.finished)
    return f"99 % interval {_percent(low)} to {_percent(high)}"


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:.3g} ms" if milliseconds < 1000.0 else f"{milliseconds:,.0f} ms"


def _counts(counts: Counts) -> str:
    if counts.ratio is None:
        return "none of 0 requests"
    return f"{counts.failed:,} of {counts.finished:,} requests ({_percent(counts.ratio)})"


def _ratio(lane: LaneEvidence, candidate: Counts, stable: Counts, other: str) -> str:
    if candidate.finished == 0:
        return "ratio unknown, for the candidate had no requests"
    if stable.finished == 0:
        return f"ratio unknown, for {other} had no requests of its own to compare with"
    if lane.low is None:
        return f"ratio unknown, for no {'request given up' if lane.abandoned else 'failure'} was judged yet"
    value = "unlimited" if lane.ratio is None else f"{_number(lane.ratio)}×"
    high = "∞" if lane.high is None else _number(lane.high)
    return f"ratio {value} (99 % interval {_number(lane.low)} to {high})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10.0 else f"{value:.2g}"


def _percent(share: float) -> str:
    return f"{share * 100.0:.3g} %"


def _weight(weight: float) -> str:
    return f"{weight:g} %"


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value < 10.0 else f"{value:.0f} s"
