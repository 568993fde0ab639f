"""What is told before a rollout: for each step, which faults would be found, how fast, and at what cost.

A step's answers suppose a fault that begins with that step, in an ordinary rollout: half of all find it earlier. Where
evidence may end a step before its time, it is told as well when it does so with a candidate that is in order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt

from fairway.domain.analysis.margin import Margin
from fairway.domain.analysis.noninferiority import promotion_margin
from fairway.domain.analysis.noninferiority.latency import MARGIN
from fairway.domain.analysis.planning.course import Course, Detection, walk
from fairway.domain.analysis.planning.premises import HEALTHY, Fault, Stretch, Traffic
from fairway.domain.analysis.planning.promotion import NINE_OF_TEN, Ending, ending
from fairway.domain.analysis.policy import AnalysisPolicy

TOTAL = Fault(1.0)
"""Every request fails."""

MULTIPLES = (2.0, 5.0)
RATIOS = (0.01, 0.05, 0.25)
SLOWER = (1.2, 1.5, 2.0)
"""The faults that are asked about: multiples of stable's error ratio, error ratios, and multiples of its latency."""

LONG_TAIL = Fault(slower=2.0, slowest=0.02)
"""P99 is twice as long, and most requests are answered as before."""

APART = 1.3
"""Error ratios closer to each other than this are one."""


@dataclass(frozen=True, slots=True)
class StepForecast:
    """One stretch of the rollout.

    Attributes:
        rps: requests of the candidate a second.
        requests: of the candidate, in all of the step.
        found: for each fault asked about, where a fault that begins here is found; None: not in this step.
        blind: not even a candidate that fails every request is found here with a probability of 90 %.
        ending: when evidence for a candidate that is in order ends the step; None where time alone does.
        scarce: more than one rollout in ten has no answer at its end, for too few requests came.
    """

    stretch: Stretch
    rps: float
    requests: float
    found: tuple[Detection | None, ...]
    blind: bool
    ending: Ending | None = None
    scarce: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """The whole rollout.

    Attributes:
        traffic: what was supposed.
        faults: what was asked about.
        steps: in their order.
        whole: for each fault asked about, where it is found if it is there from the beginning; None: nowhere.
        limit: the greatest error ratio within the margin; not a fault.
        slack: how much slower is within the margin, as a fraction, and in seconds if that is more; None where latency
            is not compared.
        good_enough: the greatest error ratio, and the greatest multiple of stable's latency, with which evidence may
            end a step before the fault is found; None where time ends all steps.
        least_errors: the least error ratio that is found with a probability of 90 % before the candidate gets all
            requests, if it is there from the beginning; None: none.
        least_slower: likewise the least multiple of stable's latency; None: none, or latency is not compared.
    """

    traffic: Traffic
    faults: tuple[Fault, ...]
    steps: tuple[StepForecast, ...]
    whole: tuple[Detection | None, ...]
    limit: float
    slack: tuple[float, float] | None
    good_enough: tuple[float, float] | None
    least_errors: float | None
    least_slower: float | None

    @property
    def scarce(self) -> tuple[StepForecast, ...]:
        """The steps that may end without an answer for want of requests."""
        return tuple(step for step in self.steps if step.scarce)

    @property
    def blind(self) -> tuple[StepForecast, ...]:
        """The steps before the last that show nothing."""
        return tuple(step for step in self.steps if step.blind and not step.stretch.alone)


def forecast(policy: AnalysisPolicy, traffic: Traffic, stretches: Sequence[Stretch]) -> Forecast:
    """What the analysis of a rollout with these stretches would find."""
    limit = Margin(policy.ratio_margin, policy.absolute_margin).limit(traffic.errors)
    faults = worth_asking(policy, traffic)
    course, steps = Course.begin(policy, traffic), []
    for index, stretch in enumerate(stretches):
        found = tuple(_within(course, stretches, fault, index) for fault in faults)
        blind = _within(course, stretches, TOTAL, index, doubt=NINE_OF_TEN) is None
        scarce = is_scarce(policy, traffic, stretch)
        rps = stretch.candidate_rps(traffic)
        steps.append(StepForecast(stretch, rps, rps * stretch.seconds, found, blind, ending(course, stretch), scarce))
        course.pass_through(stretch, HEALTHY)
    begin = Course.begin(policy, traffic)
    guarded = [stretch for stretch in stretches if not stretch.alone]
    return Forecast(
        traffic=traffic,
        faults=faults,
        steps=tuple(steps),
        whole=tuple(walk(begin, stretches, fault) for fault in faults),
        limit=limit,
        slack=(policy.latency_margin, policy.latency_slack) if traffic.latency else None,
        good_enough=_good_enough(policy, traffic) if any(step.ending for step in steps) else None,
        least_errors=least_errors(begin, guarded, limit),
        least_slower=_least(lambda slower: is_found(begin, guarded, Fault(slower=slower)), 1.0, 10.0)
        if traffic.latency
        else None,
    )


def _good_enough(policy: AnalysisPolicy, traffic: Traffic) -> tuple[float, float]:
    return promotion_margin(policy).limit(traffic.errors), 1.0 + max(MARGIN, policy.latency_margin)


def is_scarce(policy: AnalysisPolicy, traffic: Traffic, stretch: Stretch) -> bool:
    """In more than one rollout of ten a step that time ends has fewer requests than it needs for an answer."""
    if stretch.purpose not in {"bake", "rehearse"} or stretch.least is not None:
        return False
    requests = stretch.candidate_rps(traffic) * stretch.seconds
    return requests - NINE_OF_TEN * sqrt(requests) < max(1, policy.min_requests)


def worth_asking(policy: AnalysisPolicy, traffic: Traffic) -> tuple[Fault, ...]:
    """A few faults beyond the margins, from small to great."""
    limit = Margin(policy.ratio_margin, policy.absolute_margin).limit(traffic.errors)
    ratios: list[float] = []
    for ratio in sorted({*(multiple * traffic.errors for multiple in MULTIPLES), *RATIOS}):
        if limit * 1.1 < ratio and ratio * APART < 1.0 and (not ratios or ratio >= APART * ratios[-1]):
            ratios.append(ratio)
    slower = [LONG_TAIL, *(Fault(slower=multiple) for multiple in SLOWER)] if traffic.latency else []
    return (*(Fault(ratio) for ratio in ratios), TOTAL, *slower)


def least_errors(begin: Course, stretches: Sequence[Stretch], limit: float) -> float | None:
    """The least error ratio, there from the beginning, that nine of ten rollouts find; None: none."""
    return _least(lambda ratio: is_found(begin, stretches, Fault(ratio)), max(limit, 1e-6), 1.0)


def is_found(begin: Course, stretches: Sequence[Stretch], fault: Fault, *, first: int = 0) -> bool:
    """Nine of ten rollouts find a fault that begins with the stretch `first`."""
    return walk(begin, stretches, fault, first=first, doubt=NINE_OF_TEN) is not None


def _within(
    course: Course, stretches: Sequence[Stretch], fault: Fault, index: int, *, doubt: float = 0.0
) -> Detection | None:
    return walk(course, stretches[: index + 1], fault, first=index, doubt=doubt)


def _least(found: Callable[[float], bool], low: float, high: float) -> float | None:
    """The least value that is found, to about three percent; None if not even `high` is."""
    if not found(high):
        return None
    while high > low * 1.03:
        middle = (low * high) ** 0.5
        low, high = (low, middle) if found(middle) else (middle, high)
    return high
