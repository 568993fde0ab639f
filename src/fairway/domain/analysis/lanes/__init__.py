"""The catalogue of lanes: to add one, write its file and its line here, and divide the weights anew."""

from collections.abc import Callable
from typing import Any

from fairway.domain.analysis.lanes.error_ratio import ErrorRatioLane, ErrorRatioTest
from fairway.domain.analysis.lanes.errors import error_test
from fairway.domain.analysis.lanes.hard import hard_test
from fairway.domain.analysis.lanes.lane import Lane
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.errors import InvariantError

LaneEntry = tuple[str, float, Callable[[AnalysisPolicy], ErrorRatioTest]]

LANES: tuple[LaneEntry, ...] = (
    # Weights add up to 1. The hard lane needs 0.43 or more to decide within four ticks (0.43 / 2 * 4.64^4 = 100); what
    # the error lane loses by having half instead of all is ln 2 / ln 4.64: half a block.
    ("hard-lane", 0.5, hard_test),
    ("error-lane", 0.5, error_test),
)


def begin_lanes(policy: AnalysisPolicy) -> tuple[Lane, ...]:
    """All lanes at the beginning of a rollout."""
    return tuple(ErrorRatioLane.begin(name, weight, test(policy)) for name, weight, test in LANES)


def restore_lanes(policy: AnalysisPolicy, values: list[dict[str, Any]]) -> tuple[Lane, ...]:
    """The lanes that a rollout began with, with the weights that it began with.

    A lane that this version of Fairway added is not given to a rollout under way: its capital would come from nowhere.

    Raises:
        InvariantError: the stored evidence names a lane that does not exist.
    """
    tests = {name: test for name, _, test in LANES}
    for value in values:
        if value["name"] not in tests:
            raise InvariantError(
                "unknown-lane",
                f"The stored evidence holds the lane {value['name']!r}, which this version does not know.",
                f"Known lanes: {', '.join(tests)}. Continue the rollout with the version that began it.",
            )
    return tuple(ErrorRatioLane.restore(value, tests[value["name"]](policy)) for value in values)
