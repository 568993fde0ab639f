"""Judging where requests are not divided by lot: copies of them, and users who are kept on one revision."""

from fairway.domain.analysis.analysis import Analysis
from fairway.domain.analysis.budget import BudgetWatch
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.traffic import RevisionTraffic, TrafficSnapshot

POLICY = AnalysisPolicy(warmup=0.0)


def played(analysis, *, weight, copies, candidate, stable, failed=0, seconds=60):
    """An assessment after so many seconds with these requests a second."""
    analysis.observe(TrafficSnapshot(0.0, "one", ()), (), at=0.0)
    analysis.enter_step(weight, at=0.0, scaled_up=False, bake=300.0, copies=copies)
    for second in range(1, seconds + 1):
        counted = (
            RevisionTraffic("new", candidate * second, failed * second),
            RevisionTraffic("old", stable * second, 0),
        )
        analysis.observe(TrafficSnapshot(float(second), "one", counted), (), at=float(second))
        if analysis.verdict is not None:
            break
    return analysis.assess(at=float(seconds))


def test_a_candidate_that_fails_copies_is_taken_back():
    said = played(Analysis(POLICY, "new", "old"), weight=20.0, copies=True, candidate=20, stable=100, failed=20)
    assert (said.decision, said.rule) == ("roll-back", "hard-lane")
    assert said.evidence.weight == 0.0


def test_failed_copies_are_no_failed_requests():
    analysis = Analysis(POLICY, "new", "old", budget=BudgetWatch(5))
    played(analysis, weight=20.0, copies=True, candidate=20, stable=100, failed=1, seconds=8)
    assert analysis.budget.spent == 0
    assert analysis.verdict is None


def test_that_few_requests_can_be_copied_is_no_broken_routing():
    for candidate in (0, 2):
        said = played(Analysis(POLICY, "new", "old"), weight=50.0, copies=True, candidate=candidate, stable=100)
        assert said.decision == "continue"
        assert said.sufficient == (candidate > 0)


def test_copies_of_all_requests_are_compared_with_stable():
    analysis = Analysis(POLICY, "new", "old")
    played(analysis, weight=100.0, copies=True, candidate=50, stable=50)
    assert not analysis.step.alone
    errors = next(lane for lane in analysis.evidence().lanes if lane.name == "error-lane")
    assert errors.stable.finished > 0


def test_a_share_of_the_requests_that_is_off_stops_the_clock_only_where_requests_are_divided():
    wrong = {"weight": 10.0, "copies": False, "candidate": 40, "stable": 60}
    divided = played(Analysis(POLICY, "new", "old"), **wrong)
    assert (divided.decision, divided.rule) == ("hold", "traffic-share")
    assert played(Analysis(POLICY, "new", "old", sticky=True), **wrong).decision == "continue"
