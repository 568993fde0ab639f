"""Tempering: how failures vary between equal instances, and what that does to the evidence."""

from random import Random

import pytest

from fairway.domain.analysis.dispersion import BLOCK, ENOUGH, Dispersion
from fairway.domain.analysis.distribution import Distribution
from fairway.domain.analysis.lanes import begin_lanes
from fairway.domain.analysis.lanes.lane import Histograms, Reading, Step
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.tally import Tally
from fairway.domain.analysis.traffic import InstanceTraffic


def watched(seconds, draw, *, instances=5, each=1000, known=None, shared=lambda second: False):
    """A dispersion after so many seconds; `draw()` gives the failures of one instance in five seconds."""
    dispersion, counts = known or Dispersion(), [[0, 0] for _ in range(instances)]
    for second in range(0, seconds, 5):
        for count in counts:
            count[0] += each
            count[1] += draw()
        seen = tuple(InstanceTraffic(f"s-{i}", *count) for i, count in enumerate(counts))
        dispersion.observe(5.0, seen, series=0, shared=shared(second))
    return dispersion


def independent(random):
    return lambda: sum(random.random() < 0.01 for _ in range(300))


def in_tens(random):
    return lambda: 10 * sum(random.random() < 0.01 for _ in range(30))


def test_independent_failures_cost_nothing():
    assert watched(1800, independent(Random(1))).factor == pytest.approx(1.0, abs=0.25)


def test_failures_in_clusters_of_ten_count_a_tenth():
    assert watched(1800, in_tens(Random(2))).factor == pytest.approx(10.0, rel=0.3)


def test_less_than_ten_minutes_are_not_believed():
    assert watched(595, in_tens(Random(3))).factor == 1.0
    assert watched(int(ENOUGH + 2 * BLOCK), in_tens(Random(3))).factor > 3.0


def test_little_that_is_known_is_shrunk_towards_one_and_a_half():
    nothing = watched(900, lambda: 0)
    assert (nothing.freedom, nothing.factor) == (0, 1.5)
    assert Dispersion(seconds=900.0, pearson=40.0, freedom=20).factor == pytest.approx((30.0 + 40.0) / 40.0)


def test_blocks_with_an_incident_that_hit_everyone_say_nothing():
    assert watched(1800, in_tens(Random(4)), shared=lambda second: second % 30 == 15).seconds == 0.0


def test_counters_that_begin_again_cost_one_block():
    dispersion = watched(900, lambda: 3)
    before = dispersion.seconds
    dispersion.observe(5.0, (InstanceTraffic("s-0", 10, 9),), series=1, shared=False)
    assert (dispersion.seconds, dispersion.age) == (before, 0.0)


def test_a_single_instance_has_nothing_to_differ_from():
    assert watched(1800, in_tens(Random(5)), instances=1).freedom == 0


def test_what_is_taken_over_goes_on_with_other_counters():
    known = watched(900, in_tens(Random(6))).taken_over()
    assert (known.series, known.counts) == (-1, {})
    before = known.factor
    assert before > 3.0
    assert watched(1800, independent(Random(7)), known=known).factor < before


def test_the_hard_lane_is_not_tempered():
    values = []
    for dispersion in (1.0, 5.0):
        lane = begin_lanes(AnalysisPolicy())[0]
        lane.enter_step(Step(50.0, False, 0.0))
        lane.observe(Reading(0.25, Tally(50, 25, 50, 1), warming=False, incident=False, dispersion=dispersion))
        values.append(lane.e_value())
    assert values[0] == values[1] > 1.0


def test_tempered_evidence_grows_half_as_fast():
    lanes = []
    for dispersion in (1.0, 2.0):
        lane = begin_lanes(AnalysisPolicy())[1]
        lane.enter_step(Step(50.0, False, 0.0))
        for _ in range(30):
            lane.observe(Reading(10.0, Tally(500, 8, 500, 4), warming=False, incident=False, dispersion=dispersion))
        lanes.append(lane)
    plain, tempered = (lane.e_value() for lane in lanes)
    assert plain > 2.0 * tempered > 2.0


OBJECTIVES = AnalysisPolicy(objective_errors=0.02, objectives_latency=((0.9, 0.1),))


def grown(seconds, requests, failed, **known):
    """A reading at whose end so many requests of each side were counted, one in twenty of the candidate slow."""
    slow, fast = (160_000.0, 10_000.0, requests // 20), (50_000.0, 1_000.0, requests - requests // 20)
    histograms = Histograms(0, Distribution((fast, slow)), Distribution(((50_000.0, 1_000.0, requests + 100),)))
    usual = {"warming": False, "incident": False}
    return Reading(seconds, Tally(200, failed, 200, 1), histograms=histograms, **(usual | known))


@pytest.mark.parametrize("place", [1, 2, 4, 5])
def test_a_block_is_tempered_by_what_was_known_when_it_began(place):
    judged = {late: begin_lanes(OBJECTIVES)[place] for late in (1.0, 8.0)}
    for late, one in judged.items():
        one.enter_step(Step(50.0, False, 0.0))
        for reading in (grown(0.0, 0, 0), grown(5.0, 200, 5), grown(5.0, 400, 5, dispersion=late)):
            one.observe(reading)
    assert judged[1.0].name == judged[8.0].name
    assert judged[1.0].capital.blocks == judged[8.0].capital.blocks == 1
    assert judged[1.0].e_value() == judged[8.0].e_value() != 1.0


@pytest.mark.parametrize("place", [2, 5])
def test_a_block_of_slow_requests_that_has_begun_goes_on_when_an_incident_begins(place):
    one = begin_lanes(OBJECTIVES)[place]
    one.enter_step(Step(50.0, False, 0.0))
    one.observe(grown(0.0, 0, 0))
    one.observe(grown(5.0, 200, 15, incident=True))
    assert (one.seconds, one.window.candidate_failed) == (5.0, 15)


def test_failures_known_to_be_independent_make_blocks_half_as_long():
    blocks = {}
    for calm in (False, True):
        error, hard = begin_lanes(AnalysisPolicy())[1], begin_lanes(AnalysisPolicy())[0]
        for lane in (error, hard):
            lane.enter_step(Step(50.0, False, 0.0))
            for _ in range(20):
                lane.observe(Reading(1.0, Tally(50, 0, 50, 0), warming=False, incident=False, calm=calm))
        blocks[calm] = (error.capital.blocks, hard.capital.blocks)
    assert blocks == {False: (2, 20), True: (4, 20)}


def test_calm_is_known_after_ten_minutes_with_failures_that_tell():
    assert watched(1800, independent(Random(7))).calm
    assert not watched(300, independent(Random(7))).calm
    assert not watched(1800, lambda: 0).calm
    assert not watched(1800, in_tens(Random(6))).calm
