"""Objectives of the user's: what the candidate must keep, and what happens when stable does not keep it either."""

from itertools import product
from math import comb, exp

import pytest
from simulated_latency import Service, lane

from fairway.domain.analysis.lanes import HARD, begin_lanes, lane_weights
from fairway.domain.analysis.lanes.objectives import objective_tests
from fairway.domain.analysis.policy import AnalysisPolicy

LENIENT = {"warmup": 0.0, "ratio_margin": 100.0, "absolute_margin": 0.5, "latency_margin": 50.0}
"""So that only the objective can speak."""

ERRORS = AnalysisPolicy(**LENIENT, objective_errors=0.02)
LATENCY = AnalysisPolicy(**LENIENT, objectives_latency=((0.9, 0.15),))
NAMES = {ERRORS: "objective-errors", LATENCY: "objective-p90"}


def failing(policy, candidate, stable, **service):
    """A service that misses the objective as often: by failing, or by being three times as slow."""
    world = Service(policy, rps=200.0, **service).enter(50.0)
    if policy is ERRORS:
        world.failing = (0.1 * candidate, 0.1 * stable)
    else:
        world.slower = 3.0 if candidate else 1.0
        world.median *= 3.0 if stable else 1.0
        world.slower /= 3.0 if stable and candidate else 1.0
    return world


@pytest.mark.parametrize("policy", NAMES, ids=NAMES.values())
def test_a_candidate_that_misses_its_objective_is_taken_back(policy):
    assessment = failing(policy, True, False).turn(120.0)
    assert (assessment.decision, assessment.rule) == ("roll-back", NAMES[policy])
    assert assessment.watched <= 80.0
    assert "If the candidate kept the objective (at most " in assessment.sentence
    assert "99 % interval " in assessment.sentence
    assert assessment.sentence.count("e-value") == 1


@pytest.mark.parametrize("policy", NAMES, ids=NAMES.values())
def test_what_stable_misses_as_well_holds_and_is_no_evidence(policy):
    world = failing(policy, True, True)
    assert world.turn(60.0).decision in {"continue", "hold"}
    watched = world.analysis.watched
    assessment = world.turn(120.0)
    assert (assessment.decision, assessment.rule) == ("hold", "objective-missed-by-both")
    assert assessment.watched == watched
    assert "stable misses the objective as well" in assessment.sentence
    assert lane(world.analysis, NAMES[policy]).e_value() < 100.0
    world.failing, world.median, world.slower = (0.0, 0.0), 50_000.0, 1.0
    assert world.turn(120.0).decision == "continue"
    assert world.analysis.watched > watched


@pytest.mark.parametrize("policy", NAMES, ids=NAMES.values())
def test_a_candidate_that_repairs_what_stable_misses_goes_on(policy):
    world = failing(policy, False, True)
    if policy is LATENCY:
        world.slower = 1.0 / 3.0
    assert {world.turn(5.0).decision for _ in range(30)} == {"continue"}


@pytest.mark.parametrize("policy", NAMES, ids=NAMES.values())
def test_with_all_requests_on_the_candidate_nothing_excuses_it(policy):
    world = failing(policy, True, False)
    world.enter(100.0)
    assert world.turn(150.0).rule == NAMES[policy]


@pytest.mark.parametrize("policy", NAMES, ids=NAMES.values())
def test_what_stable_missed_before_does_not_excuse_a_candidate_that_has_all_requests(policy):
    world = failing(policy, False, True)
    if policy is LATENCY:
        world.slower = 1.0 / 3.0
    assert world.turn(150.0).decision == "continue"
    world.enter(100.0)
    world.failing, world.slower = (0.1 if policy is ERRORS else 0.0, 0.0), 1.0
    assessment = world.turn(150.0)
    assert (assessment.decision, assessment.rule) == ("roll-back", NAMES[policy])


def test_a_candidate_that_keeps_its_objectives_is_left_alone():
    policy = AnalysisPolicy(warmup=0.0, objective_errors=0.02, objectives_latency=((0.5, 0.06), (0.99, 0.4)))
    world = Service(policy, rps=200.0).enter(50.0)
    world.failing = (0.005, 0.005)
    assert world.turn(300.0).decision == "continue"
    assert all(one.e_value() < 3.0 for one in world.analysis.lanes)


def test_what_both_miss_by_a_little_is_held_as_well():
    world = Service(AnalysisPolicy(warmup=0.0, objectives_latency=((0.99, 0.4),)), rps=200.0).enter(50.0)
    world.failing = (0.015, 0.015)
    decisions = [world.turn(5.0).decision for _ in range(120)]
    assert "roll-back" not in decisions
    assert decisions.count("hold") > 40


def test_the_expected_e_value_of_a_block_is_at_most_one_on_the_objective():
    worst = 0.0
    for limit, n in product((0.001, 0.02, 0.3), (1, 3, 40)):
        (test,) = objective_tests(AnalysisPolicy(objective_errors=limit)).values()
        expected = [0.0] * 6
        for x in range(n + 1):
            chance = comb(n, x) * limit**x * (1.0 - limit) ** (n - x)
            gains = test.gains(n, x)
            expected = [before + chance * exp(gain) for before, gain in zip(expected, gains, strict=True)]
        worst = max(worst, *expected)
    assert 0.9 < worst <= 1.0 + 1e-9


def test_each_objective_is_a_lane_and_the_weights_add_up_to_one():
    latencies = ((0.5, 0.1), (0.9, 0.2), (0.95, 0.3), (0.99, 0.5))
    for policy in (
        AnalysisPolicy(),
        ERRORS,
        LATENCY,
        AnalysisPolicy(objective_errors=0.01, objectives_latency=latencies),
    ):
        lanes = begin_lanes(policy)
        assert sum(one.weight for one in lanes) == pytest.approx(1.0, abs=1e-15)
        assert lanes[0].weight == HARD
        assert len(lanes) == 4 + len(objective_tests(policy))
        assert {one.name: one.weight for one in lanes} == lane_weights(policy)
    assert list(objective_tests(policy)) == [
        "objective-errors",
        "objective-p50",
        "objective-p90",
        "objective-p95",
        "objective-p99",
    ]


def test_total_failure_is_found_as_fast_with_objectives_as_without():
    policy = AnalysisPolicy(objective_errors=0.01, objectives_latency=((0.99, 0.5),))
    world = Service(policy, rps=1000.0).enter(10.0, scaled_up=True)
    world.failing = (1.0, 0.0)
    begun = world.now
    assessment = world.turn(3.0, reading=0.25)
    assert (assessment.decision, assessment.rule) == ("roll-back", "hard-lane")
    assert world.now - begun <= 1.25
