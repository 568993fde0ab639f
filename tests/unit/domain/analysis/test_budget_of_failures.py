"""What is spent of a budget of failed requests, whatever the counters do."""

from hypothesis import given
from hypothesis import strategies as st

from fairway.domain import codec
from fairway.domain.analysis.budget import BudgetWatch
from fairway.domain.analysis.traffic import RevisionTraffic, TrafficSnapshot


def reading(failed, origin="one"):
    revisions = () if failed is None else (RevisionTraffic("c", failed + 1000, failed),)
    return TrafficSnapshot(0.0, origin, (RevisionTraffic("s", 10**6, 500), *revisions))


def watch(*readings, limit=50, shared=()):
    one = BudgetWatch(limit)
    for number, snapshot in enumerate(readings):
        one.observe(snapshot, "c", shared=number in shared)
    return one


def test_what_failed_before_the_rollout_is_not_counted():
    assert watch(reading(40)).spent == 0
    assert watch(reading(40), reading(47), reading(47)).spent == 7


def test_failures_of_stable_are_not_counted():
    assert watch(reading(None), reading(None), reading(3)).spent == 3


def test_counters_that_began_again_hold_only_what_is_new():
    assert watch(reading(10), reading(20), reading(4, "two"), reading(9, "two")).spent == 19


def test_counters_that_fall_without_beginning_again_count_nothing_twice():
    assert watch(reading(10), reading(20), reading(5), reading(6)).spent == 11


def test_a_revision_that_is_left_out_of_a_reading_is_not_counted_anew():
    assert watch(reading(10), reading(20), reading(None), reading(22)).spent == 12


def test_what_fails_in_a_shared_incident_is_left_out_and_nothing_else():
    assert watch(reading(0), reading(5), reading(25), reading(26), shared={2}).spent == 6


def test_from_half_of_it_on_the_weight_is_frozen_and_with_all_of_it_there_is_a_verdict():
    for failed, frozen, over in ((0, False, False), (24, False, False), (25, True, False), (49, True, False)):
        one = watch(reading(0), reading(failed))
        assert (one.freeze(10.0) is not None, one.verdict() is not None) == (frozen, over)
    spent = watch(reading(0), reading(50))
    assert spent.verdict().rule == "budget"
    assert "50 requests failed on the candidate, 50 may" in spent.verdict().cause


def test_a_weight_that_cannot_rise_is_not_frozen():
    one = watch(reading(0), reading(30))
    assert one.freeze(100.0) is None
    assert one.freeze(0.0) is None
    assert one.freeze(99.9).rule == "budget"


def test_a_budget_of_one_request_is_spent_with_the_first_failure():
    one = watch(reading(0), reading(1), limit=1)
    assert one.verdict() is not None


steps = st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["fails", "restarts"])), max_size=30)


@given(steps, st.integers(0, 30))
def test_it_is_the_sum_of_what_failed_for_any_restarts_and_after_any_hand_over(story, handed_over):
    total, failed, origin, one = 0, 7, 0, BudgetWatch(50)
    one.observe(reading(failed, "0"), "c", shared=False)
    for number, (more, what) in enumerate(story):
        if what == "restarts":
            failed, origin = 0, origin + 1
        failed, total = failed + more, total + more
        if number == handed_over:
            one = codec.from_json(BudgetWatch, codec.to_json(one))
        one.observe(reading(failed, str(origin)), "c", shared=False)
    assert one.spent == total
    assert (one.verdict() is not None) == (total >= 50)
