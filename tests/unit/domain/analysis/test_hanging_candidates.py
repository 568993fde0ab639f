"""A candidate that takes requests and answers none is taken back; what only takes long is not."""

from fairway.domain.analysis.analysis import Analysis
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.traffic import InstanceTraffic, RevisionTraffic, TrafficSnapshot

FAST = ((20_000.0, 10_000.0, 1000),)
LONG_POLLING = ((29_000_000.0, 1_000_000.0, 1000),)


def played(*, weight=20.0, stable=80, waiting=0, abandoned=0, latency=FAST, seconds=60):
    """An assessment of a candidate that answers for five seconds and then nothing, and when it was taken back."""
    analysis = Analysis(AnalysisPolicy(warmup=0.0), "new", "old")
    analysis.observe(TrafficSnapshot(0.0, "one", ()), (), at=0.0)
    analysis.enter_step(weight, at=0.0, scaled_up=False, bake=600.0)
    for second in range(1, seconds + 1):
        late = max(0, second - 5)
        active = InstanceTraffic("new.1", 0, 0, active=min(waiting, 4 * late))
        candidate = RevisionTraffic("new", 20 * min(second, 5), 0, instances=(active,), abandoned=abandoned * late)
        counted = (candidate, RevisionTraffic("old", stable * second, 0, latency))
        analysis.observe(TrafficSnapshot(float(second), "one", counted), (), at=float(second))
        if analysis.verdict is not None:
            return analysis.assess(at=float(second)), second
    return analysis.assess(at=float(seconds)), None


def test_a_candidate_that_hangs_is_taken_back_after_ten_seconds():
    said, second = played(waiting=8)
    assert (said.decision, said.rule) == ("roll-back", "hang")
    assert "answered nothing for" in said.sentence
    assert 15 <= second <= 18


def test_users_who_give_up_count_as_waiting():
    assert played(abandoned=3)[0].rule == "hang"


def test_at_full_weight_there_is_nobody_to_compare_with_and_it_is_taken_back_as_well():
    assert played(weight=100.0, stable=0, waiting=8)[0].rule == "hang"


def test_routing_that_brings_no_requests_is_no_hang():
    said, _ = played(waiting=0)
    assert (said.decision, said.rule) == ("hold", "no-candidate-traffic")


def test_answers_that_take_half_a_minute_by_design_are_no_hang():
    assert played(waiting=200, latency=LONG_POLLING, seconds=55)[1] is None
    assert played(waiting=200, latency=LONG_POLLING, seconds=90)[0].rule == "hang"


def test_where_stable_answers_nothing_either_the_cause_lies_elsewhere():
    assert played(stable=0, waiting=50)[1] is None
