import pytest

from fairway.domain.analysis.evidence import Counts
from fairway.domain.analysis.lanes import begin_lanes
from fairway.domain.analysis.lanes.lane import Reading, Step
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.tally import Tally

BLOCK = 10.0


@pytest.fixture
def lane():
    lane = begin_lanes(AnalysisPolicy())[1]
    lane.enter_step(Step(50.0, False, 0.0))
    return lane


def observe(lane, *counts, seconds=BLOCK, warming=False, incident=False):
    lane.observe(Reading(seconds, Tally(*counts), warming=warming, incident=incident))
    judged = lane.evidence()
    return judged.candidate, judged.stable


def test_a_block_without_requests_of_stable_waits_for_one(lane):
    assert observe(lane, 10, 10, 0, 0) == (Counts(0, 0), Counts(0, 0))
    assert lane.e_value() == pytest.approx(1.0)
    assert observe(lane, 5, 0, 7, 1) == (Counts(15, 10), Counts(7, 1))


def test_a_block_without_requests_of_the_candidate_waits_for_one(lane):
    assert observe(lane, 0, 0, 40, 40) == (Counts(0, 0), Counts(0, 0))
    assert observe(lane, 5, 0, 40, 0) == (Counts(5, 0), Counts(80, 40))


def test_a_change_of_weight_judges_the_open_block_and_discards_what_cannot_be_judged(lane):
    observe(lane, 30, 20, 0, 0, seconds=1.0)
    lane.close_block()
    lane.enter_step(Step(60.0, False, 0.0))
    assert lane.e_value() == pytest.approx(1.0)
    assert observe(lane, 10, 0, 10, 0) == (Counts(10, 0), Counts(10, 0))
    observe(lane, 30, 20, 30, 0, seconds=1.0)
    lane.close_block()
    assert lane.e_value() > 1.5


def test_a_block_that_is_open_when_an_incident_begins_goes_on_and_no_other_begins(lane):
    observe(lane, 10, 0, 10, 0, seconds=4.0)
    assert observe(lane, 10, 5, 10, 5, seconds=6.0, incident=True) == (Counts(20, 5), Counts(20, 5))
    assert observe(lane, 10, 5, 10, 5, incident=True) == (Counts(20, 5), Counts(20, 5))
    assert observe(lane, 10, 0, 10, 0) == (Counts(30, 5), Counts(30, 5))


def test_stable_is_left_out_where_it_has_no_requests_of_its_own(lane):
    lane.enter_step(Step(100.0, True, 0.0))
    assert observe(lane, 50, 0, 3, 3) == (Counts(50, 0), Counts(0, 0))
    assert lane.evidence().margin == "an error ratio of at most 1 %"


def test_a_burst_in_one_block_cannot_decide(lane):
    observe(lane, 1000, 1000, 1000, 0)
    assert lane.e_value() <= 1.0 + 0.51 * 4.65


def test_a_block_closes_at_the_reading_nearest_to_its_end(lane):
    for _ in range(39):
        assert observe(lane, 1, 0, 1, 0, seconds=0.252) == (Counts(0, 0), Counts(0, 0))
    assert observe(lane, 1, 0, 1, 0, seconds=0.252) == (Counts(40, 0), Counts(40, 0))


@pytest.mark.parametrize(("bake", "blocks"), [(0.0, 1), (300.0, 1), (60.0, 2), (12.0, 10), (1.0, 40)])
def test_a_short_bake_has_shorter_blocks_but_none_shorter_than_a_tick(lane, bake, blocks):
    lane.enter_step(Step(50.0, False, bake))
    judged = [observe(lane, 1, 0, 1, 0, seconds=0.25)[0].finished for _ in range(40)]
    assert len(set(judged) - {0}) == blocks
