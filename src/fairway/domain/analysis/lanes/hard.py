"""The hard lane: total or nearly total failure, found in about a second.

Null hypothesis: the candidate's error ratio is at most stable's + 20 percentage points. Its blocks are the policy's
ticks; it works during warm-up too, and during a shared incident as long as there is something to compare with.

How fast: each alternative's e-value is capped at alpha^(-1/3) = 4.64 a tick, half of the lane's capital (the lane being
half of the whole) is at stake from the first block, and 1/4 * 4.64^4 = 116: four bad ticks, 1 second, at the beginning
of a rollout. Later changes of weight find 1/8, 1/16, … of the lane's capital: five to seven ticks. A failure that
begins in the middle of a step costs about the logarithm of the time passed: eleven ticks after five minutes. To stake
everything at once would gain nothing at the beginning (three ticks give 4.64^3 = 100, but only with the whole capital
of all lanes) and would lose everything later: ten healthy seconds leave nothing of it. Failures in a row are also
caught by the proxy itself at any moment, within milliseconds (rule `ejected`).
"""

from fairway.domain.analysis.capital import Schedule
from fairway.domain.analysis.lanes.error_ratio import ErrorRatioTest
from fairway.domain.analysis.margin import Margin
from fairway.domain.analysis.policy import AnalysisPolicy

POINTS = 0.2


def hard_test(policy: AnalysisPolicy) -> ErrorRatioTest:
    """The test of the hard lane under a policy."""
    return ErrorRatioTest(
        margin=Margin(1.0, POINTS),
        alternatives=_alternatives,
        schedule=Schedule(first=0.5, entry=0.25, late=0.25, pace=240.0),
        cap=policy.alpha ** (-1.0 / 3.0),
        block=policy.tick,
        shortest=policy.tick,
        reference=policy.reference + POINTS,
        patient=False,
        words="at most stable's error ratio + 20 points",
    )


def _alternatives(limit: float) -> tuple[float, ...]:
    """A quarter, half and all of the way from the margin's limit to total failure."""
    rest = max(0.0, 1.0 - limit)
    return limit + 0.25 * rest, limit + 0.5 * rest, limit + rest
