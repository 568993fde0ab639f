"""What a stretch without an answer would have found: how likely a fault, had there been one, was to be seen."""

from statistics import NormalDist

from fairway.domain.analysis.evidence import Evidence
from fairway.domain.analysis.planning.course import Course, walk
from fairway.domain.analysis.planning.premises import Fault, Stretch, Traffic
from fairway.domain.analysis.policy import AnalysisPolicy

TIMES = 10.0
"""The fault that is asked about, as a multiple of stable's error ratio …"""

LEAST = 0.01
"""… but at least this error ratio: ten times nothing is nothing."""

FARTHEST, NEAR = 3.0, 0.05
"""Standard deviations up to which one looks, and how exactly."""


def hindsight(policy: AnalysisPolicy, evidence: Evidence, *, watched: float) -> str:
    """A sentence for whoever has to decide without an answer.

    Args:
        policy: how the candidate was judged.
        evidence: of the stretch.
        watched: its seconds.

    Returns:
        Empty where nothing was compared.
    """
    candidate, stable = evidence.candidate, evidence.stable
    if watched <= 0.0 or not candidate.finished or not stable.finished:
        return ""
    both = candidate.finished + stable.finished
    errors = stable.failed / stable.finished
    ratio = min(1.0, max(LEAST, TIMES * errors))
    stretch = Stretch(100.0 * candidate.finished / both, watched)
    chance = probability(policy, Traffic(both / watched, errors), stretch, Fault(ratio))
    what = f"{ratio * 100.0:.3g} % ({ratio / errors:.3g} times stable's)" if errors else f"{ratio * 100.0:.3g} %"
    return f"An error ratio of {what} would have been found with a probability of {_percent(chance)}."


def probability(policy: AnalysisPolicy, traffic: Traffic, stretch: Stretch, fault: Fault) -> float:
    """The share of rollouts that find a fault within a stretch, between 0 and 1.

    The greatest doubt with which it is still found, in standard deviations of the evidence, says how many do.
    """
    begin = Course.begin(policy, traffic)

    def is_found(doubt: float) -> bool:
        return walk(begin, (stretch,), fault, doubt=doubt) is not None

    low, high = -FARTHEST, FARTHEST
    if not is_found(low):
        return 0.0
    if is_found(high):
        return 1.0
    while high - low > NEAR:
        middle = (low + high) / 2.0
        low, high = (middle, high) if is_found(middle) else (low, middle)
    return NormalDist().cdf(low)


def _percent(share: float) -> str:
    """To what an estimate is worth."""
    if share < 0.01:
        return "less than 1 %"
    return "more than 99 %" if share > 0.99 else f"about {share * 100.0:.0f} %"
