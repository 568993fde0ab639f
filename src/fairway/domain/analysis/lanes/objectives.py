"""The objectives of a policy as tests: one lane each."""

from fairway.domain.analysis.capital import PATIENT
from fairway.domain.analysis.lanes.objective import ObjectiveTest
from fairway.domain.analysis.policy import AnalysisPolicy

ERRORS = "objective-errors"
LATENCY = "objective-p"


def objective_tests(policy: AnalysisPolicy) -> dict[str, ObjectiveTest]:
    """The tests by name of their lane, in the order of the policy; none if the user set no objective."""
    cap = policy.alpha ** (-1.0 / 3.0)
    tests = {}
    if policy.objective_errors is not None:
        words = f"at most {policy.objective_errors * 100:.4g} % of the requests fail"
        tests[ERRORS] = ObjectiveTest(policy.objective_errors, None, cap, policy.block, policy.tick, words, PATIENT)
    for share, seconds in policy.objectives_latency:
        limit = round(1.0 - share, 9)
        words = f"at most {limit * 100:.4g} % of the requests take longer than {seconds * 1000:.6g} ms"
        name = f"{LATENCY}{share * 100:.6g}"
        tests[name] = ObjectiveTest(limit, seconds * 1e6, cap, policy.block, policy.tick, words, PATIENT)
    return tests
