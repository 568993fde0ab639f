"""The catalogue of lanes: to add one, write its file and its line here, and divide the weights anew."""

from typing import Any

from fairway.domain.analysis.lanes.abandonment import AbandonmentLane, AbandonmentTest, abandonment_test
from fairway.domain.analysis.lanes.error_ratio import ErrorRatioLane, ErrorRatioTest
from fairway.domain.analysis.lanes.errors import error_test
from fairway.domain.analysis.lanes.hard import hard_test
from fairway.domain.analysis.lanes.lane import Lane
from fairway.domain.analysis.lanes.latency import LatencyLane, LatencyTest, latency_test
from fairway.domain.analysis.lanes.objective import ObjectiveLane, ObjectiveTest
from fairway.domain.analysis.lanes.objectives import objective_tests
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.errors import InvariantError

LaneTest = ErrorRatioTest | AbandonmentTest | LatencyTest | ObjectiveTest

HARD = 0.44
"""The hard lane needs 0.43 or more to decide within four ticks: 0.43 / 2 * 4.64^4 = 100. What the others lose by
sharing the rest is little: a quarter in place of all costs ln 4 / ln 4.64, nine tenths of a block."""

PARTS = {
    # Of what the hard lane leaves.
    "error-lane": 4.0,
    "latency-lane": 3.0,
    "abandonment-lane": 1.5,
    # All objectives together, where there are any.
    "objectives": 1.5,
}


def lane_tests(policy: AnalysisPolicy) -> dict[str, LaneTest]:
    """What each lane tests under a policy, by name, in the order in which they are shown."""
    return {
        "hard-lane": hard_test(policy),
        "error-lane": error_test(policy),
        "latency-lane": latency_test(policy),
        "abandonment-lane": abandonment_test(policy),
        **objective_tests(policy),
    }


def lane_weights(policy: AnalysisPolicy) -> dict[str, float]:
    """The part of the whole capital that each lane begins with, by name; together 1."""
    objectives = tuple(objective_tests(policy))
    whole = sum(part for name, part in PARTS.items() if objectives or name != "objectives")
    weights = {name: round((1.0 - HARD) * part / whole, 12) for name, part in PARTS.items()}
    each = {name: round(weights["objectives"] / len(objectives), 12) for name in objectives}
    alone = {name: weights[name] for name in ("latency-lane", "abandonment-lane")}
    rest = {"hard-lane": HARD, **alone, **each}
    return rest | {"error-lane": round(1.0 - sum(rest.values()), 12)}


def begin_lanes(policy: AnalysisPolicy) -> tuple[Lane, ...]:
    """All lanes at the beginning of a rollout."""
    weights = lane_weights(policy)
    return tuple(_begin(name, weights[name], test) for name, test in lane_tests(policy).items())


def restore_lanes(policy: AnalysisPolicy, values: list[dict[str, Any]]) -> tuple[Lane, ...]:
    """The lanes that a rollout began with, with the weights that it began with.

    A lane that this version of Fairway added is not given to a rollout under way: its capital would come from nowhere.

    Raises:
        InvariantError: the stored evidence names a lane that does not exist.
    """
    tests = lane_tests(policy)
    for value in values:
        if value["name"] not in tests:
            raise InvariantError(
                "unknown-lane",
                f"The stored evidence holds the lane {value['name']!r}, which this version does not know.",
                f"Known lanes: {', '.join(tests)}. Continue the rollout with the version that began it.",
            )
    return tuple(_restore(value, tests[value["name"]]) for value in values)


def _begin(name: str, weight: float, test: LaneTest) -> Lane:
    match test:
        case ErrorRatioTest():
            return ErrorRatioLane.begin(name, weight, test)
        case AbandonmentTest():
            return AbandonmentLane.begin(name, weight, test)
        case LatencyTest():
            return LatencyLane.begin(name, weight, test)
        case ObjectiveTest():
            return ObjectiveLane.begin(name, weight, test)


def _restore(value: dict[str, Any], test: LaneTest) -> Lane:
    match test:
        case ErrorRatioTest():
            return ErrorRatioLane.restore(value, test)
        case AbandonmentTest():
            return AbandonmentLane.restore(value, test)
        case LatencyTest():
            return LatencyLane.restore(value, test)
        case ObjectiveTest():
            return ObjectiveLane.restore(value, test)
