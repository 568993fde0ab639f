"""The sentences of an analysis, for people.

Each says what is to be done, then the counts of both revisions, the ratio with its 99 % interval, the e-value, and what
that means. An e-value is the factor by which a fair bet against "the candidate is within its margin" has grown; chances
are given as "1 of so many rollouts", which is what it bounds.
"""

from fairway.domain.analysis.evidence import Counts, Evidence, Finding, LaneEvidence

SIGNS = 5.0
"""E-value from which one may speak of signs of harm."""


def by_lane(lane: LaneEvidence, evidence: Evidence, *, watched: float) -> str:
    """The verdict of a lane."""
    often = max(1, int(min(evidence.e_value, 1e12)))
    return (
        f"Roll back after {_seconds(watched)} at {_weight(evidence.weight)}: {_facts(evidence, lane)}. "
        f"If the candidate were within its margin ({lane.margin}), evidence this strong would appear in fewer than "
        f"1 of {often:,} rollouts (e-value {e_value(evidence.e_value)}, limit {evidence.threshold:,.4g})."
    )


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
    share = min(0.99, evidence.weight / 100.0)
    stable = evidence.stable.finished
    expected = stable * share / (1.0 - share)
    return (
        f"No answer after {_seconds(watched)} at {_weight(evidence.weight)}: the candidate finished 0 requests "
        f"(stable {stable:,}; about {_number(expected)} were to be expected), so nothing is known of it. "
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
    lane = max(evidence.lanes, key=lambda one: one.candidate.finished)
    return (
        f"{_facts(evidence, lane).capitalize()}; e-value {e_value(evidence.e_value)}, "
        f"roll-back at {evidence.threshold:,.4g}."
    )


def _facts(evidence: Evidence, lane: LaneEvidence) -> str:
    judged = lane.candidate.finished > 0
    candidate = lane.candidate if judged else evidence.candidate
    stable = lane.stable if judged else evidence.stable
    return f"the candidate failed {_counts(candidate)}, stable {_counts(stable)}; {_ratio(lane, candidate, stable)}"


def _counts(counts: Counts) -> str:
    if counts.ratio is None:
        return "none of 0 requests"
    return f"{counts.failed:,} of {counts.finished:,} requests ({_percent(counts.ratio)})"


def _ratio(lane: LaneEvidence, candidate: Counts, stable: Counts) -> str:
    if candidate.finished == 0:
        return "ratio unknown, for the candidate had no requests"
    if stable.finished == 0:
        return "ratio unknown, for stable had no requests of its own to compare with"
    if lane.low is None:
        return "ratio unknown, for no failure was judged yet"
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
