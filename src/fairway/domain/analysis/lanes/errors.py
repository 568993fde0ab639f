"""The error lane: more failures than the policy's margin allows, found by evidence.

Null hypothesis: the candidate's error ratio is at most `ratio_margin` times stable's plus `absolute_margin`. Its blocks
are the policy's blocks, half as long where stable's failures are known not to come in clusters, shorter in a short
bake; warm-up and shared incidents are left out. Blocks of some seconds, a cap on each and several of them needed (four
at least) keep a burst of related failures that happened to hit the candidate from deciding: the guarantee itself
assumes that requests fail independently.
"""

from fairway.domain.analysis.capital import PATIENT
from fairway.domain.analysis.lanes.error_ratio import ErrorRatioTest
from fairway.domain.analysis.margin import Margin
from fairway.domain.analysis.policy import AnalysisPolicy

MULTIPLES = (1.4, 2.0, 3.5, 7.0, 16.0, 50.0, 250.0)
"""Alternatives, as multiples of the margin's limit."""


def error_test(policy: AnalysisPolicy) -> ErrorRatioTest:
    """The test of the error lane under a policy."""
    margin = Margin(policy.ratio_margin, policy.absolute_margin)
    return ErrorRatioTest(
        margin=margin,
        alternatives=_alternatives,
        schedule=PATIENT,
        cap=policy.alpha ** (-1.0 / 3.0),
        block=policy.block,
        shortest=policy.tick,
        reference=policy.reference,
        patient=True,
        words=f"at most {margin.ratio:g} × stable's error ratio + {margin.points * 100:g} points",
    )


def _alternatives(limit: float) -> tuple[float, ...]:
    return tuple([one if (one := multiple * limit) < 1.0 else 1.0 for multiple in MULTIPLES])
