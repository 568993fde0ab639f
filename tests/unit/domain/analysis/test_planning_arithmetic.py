"""The arithmetic of predictions against sums over everything that may happen."""

from math import comb, log
from random import Random

import pytest

from fairway.domain.analysis.capital import Capital, Schedule
from fairway.domain.analysis.lanes.errors import error_test
from fairway.domain.analysis.margin import best_bet, log_e_value
from fairway.domain.analysis.planning.block import Block
from fairway.domain.analysis.planning.course import Course, LaneCourse, Pace, walk
from fairway.domain.analysis.planning.growth import Wager
from fairway.domain.analysis.planning.lanes import PlannedErrors, planned_lanes
from fairway.domain.analysis.planning.premises import HEALTHY, Fault, Stretch, Traffic
from fairway.domain.analysis.planning.slowness import PlannedLatency
from fairway.domain.analysis.policy import AnalysisPolicy

POLICY = AnalysisPolicy()
CAP = log(4.64)


def binomial(requests, ratio):
    return [
        (count, comb(requests, count) * ratio**count * (1.0 - ratio) ** (requests - count))
        for count in range(requests + 1)
    ]


@pytest.mark.parametrize(("requests", "ratio"), [(1, 0.3), (1, 1.0), (4, 0.05), (30, 0.02), (200, 0.01), (200, 0.3)])
@pytest.mark.parametrize("up", [0.05, 0.4, 2.0])
def test_mean_and_variance_of_a_capped_block_are_those_of_all_that_may_happen(requests, ratio, up):
    wager = Wager(up, 0.0, 0.1 * up * requests * ratio, ratio, 0.0)
    outcomes = [(min(CAP, up * count - wager.cost), chance) for count, chance in binomial(requests, ratio)]
    mean = sum(gain * chance for gain, chance in outcomes)
    variance = sum(gain * gain * chance for gain, chance in outcomes) - mean * mean
    got_mean, got_variance = wager.expect(requests, 0.0, cap=CAP)
    assert got_mean == pytest.approx(mean, abs=0.02)
    assert got_variance == pytest.approx(variance, abs=0.02, rel=0.15)


def test_a_block_that_had_to_wait_for_its_one_request_holds_that_request():
    assert Wager(5.0, 0.0, 0.0, 1.0, 0.0).expect(1.0, 0.0, cap=CAP)[0] == pytest.approx(CAP)


def test_the_bets_are_those_of_the_lane():
    test, traffic = error_test(POLICY), Traffic(100.0, 0.002)
    block = Block(Stretch(10.0, 300.0), candidate=100.0, stable=900.0, known=5000.0)
    wagers = PlannedErrors(0.5, test, traffic).wagers(block, Fault(0.02))
    guess = (5000.0 * 0.002 + 0.1) / 5100.0
    for wager, alternative in zip(wagers, test.alternatives(test.margin.limit(guess)), strict=True):
        bet = best_bet(alternative, stable=guess, balance=1 / 9, margin=test.margin)
        for failed, stable_failed in ((0, 0), (3, 2), (7, 1)):
            expected = log_e_value(
                bet, candidate=(100, failed), stable_failed=stable_failed, balance=1 / 9, margin=test.margin
            )
            assert wager.up * failed + wager.down * stable_failed - wager.cost == pytest.approx(expected)


def test_latency_multiplied_by_less_than_the_margin_is_never_expected_to_be_found():
    cells = tuple((1.05**place, 1.05**place * 0.05, 50) for place in range(180, 220))
    traffic = Traffic(1000.0, 0.001, cells)
    lane = next(one for one in planned_lanes(POLICY, traffic) if isinstance(one, PlannedLatency))
    block = Block(Stretch(50.0, 300.0), candidate=5000.0, stable=5000.0, known=0.0)

    def best(slower):
        fault = Fault(slower=slower)
        return max(one.expect(5000.0, 5000.0, cap=CAP)[0] for one in lane.wagers(block, fault))

    assert best(1.0 + POLICY.latency_margin) <= 0.0
    assert best(2.0) > 1.0
    assert lane.length(Stretch(100.0, 300.0)) is None
    failed = 0.3 / POLICY.ratio_margin
    assert all(one.candidate >= failed for one in lane.wagers(block, Fault(0.3))), (
        "what failed is slower than every edge"
    )


def test_a_candidate_as_good_as_stable_is_never_expected_to_be_found():
    stretches = (Stretch(1.0, 600.0, scaled_up=True), Stretch(50.0, 600.0), Stretch(100.0, 600.0, "observe"))
    for rps in (0.1, 10.0, 10_000.0):
        assert walk(Course.begin(POLICY, Traffic(rps, 0.003)), stretches, HEALTHY) is None


def test_without_requests_nothing_is_found():
    assert walk(Course.begin(POLICY, Traffic(0.0, 0.003)), (Stretch(50.0, 600.0),), Fault(1.0)) is None


def test_many_blocks_settled_at_once_grow_about_as_they_would_one_by_one():
    schedule = Schedule(first=0.5, entry=0.1, late=0.4, pace=120.0)
    lane = PlannedErrors(1.0, error_test(POLICY), Traffic(1.0, 0.0))
    for gain in (0.02, -0.3):
        at_once, one_by_one = LaneCourse.begin(lane, 1), Capital.begin(schedule, 1)
        at_once.growth = [(gain, 0.0)]
        for _ in range(40):
            at_once.settle(1.0, doubt=0.0)
        for _ in range(10):
            at_once.settle(4.0, doubt=0.0)
        for _ in range(80):
            one_by_one.grow([gain], schedule=schedule, cap=1e9)
        assert at_once.e_value() == pytest.approx(one_by_one.total(schedule), rel=0.05)
        assert at_once.capital.blocks == one_by_one.blocks


@pytest.mark.parametrize(("candidate", "stable", "wanted"), [(0.5, 30.0, 0.25), (3.0, 3.0, 0.25), (0.05, 0.2, 10.0)])
def test_a_block_lasts_as_long_as_waiting_for_both_revisions_takes(candidate, stable, wanted):
    random = Random(1)
    lasted = [max(wanted, random.expovariate(candidate), random.expovariate(stable)) for _ in range(20_000)]
    mean = sum(lasted) / len(lasted)
    sd = (sum((one - mean) ** 2 for one in lasted) / len(lasted)) ** 0.5
    rps = candidate + stable
    pace = Pace.of(wanted, Stretch(100.0 * candidate / rps, 300.0), Traffic(rps, 0.0))
    assert pace.length == pytest.approx(mean, rel=0.03)
    assert pace.spread == pytest.approx(sd, rel=0.05)


def test_an_unlucky_rollout_finds_later():
    traffic, stretches = Traffic(100.0, 0.001), (Stretch(10.0, 600.0, scaled_up=True),)
    course = Course.begin(POLICY, traffic)
    ordinary, unlucky = walk(course, stretches, Fault(0.01)), walk(course, stretches, Fault(0.01), doubt=1.28)
    assert ordinary is not None
    assert unlucky is not None
    assert ordinary.seconds < unlucky.seconds
    assert course.lanes[0].capital.blocks == 0, "what is asked about changes nothing"
