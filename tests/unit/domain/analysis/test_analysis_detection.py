"""How fast and how rarely: seeded simulations. The times are simulated and therefore exact."""

from math import comb
from random import Random

import pytest
from simulated_rollout import World

from fairway.domain.analysis.lanes import begin_lanes
from fairway.domain.analysis.lanes.lane import Reading, Step
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.tally import Tally

BRISK = AnalysisPolicy(warmup=2.0, block=1.0)


def seconds_to_rollback(world, limit, **traffic):
    start = world.now
    assessment = world.run(limit, **traffic)
    assert assessment.decision == "roll-back", assessment.sentence
    return world.now - start, assessment


@pytest.mark.parametrize(("weight", "rps"), [(1.0, 10_000), (10.0, 1_000), (50.0, 200), (90.0, 111), (100.0, 100)])
@pytest.mark.parametrize("retries", [True, False])
def test_total_failure_at_a_hundred_requests_a_second_is_found_in_a_second(weight, rps, retries):
    world = World(retries=retries).enter(weight, scaled_up=True)
    seconds, assessment = seconds_to_rollback(world, 3.0, rps=rps, candidate=1.0, stable=0.0005)
    assert seconds <= 1.25
    assert assessment.rule == "hard-lane"


def test_total_failure_that_begins_at_the_second_or_third_weight_takes_a_tick_or_two_more():
    world = World().enter(10.0, scaled_up=True)
    world.run(60.0, rps=200)
    world.enter(50.0)
    assert seconds_to_rollback(world, 5.0, rps=200, candidate=1.0)[0] <= 1.5


def test_total_failure_after_five_healthy_minutes_is_found_within_three_seconds():
    world = World().enter(10.0)
    world.run(300.0, rps=200)
    assert seconds_to_rollback(world, 5.0, rps=1_000, candidate=1.0)[0] <= 3.0


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("weight", "longest"), [(10.0, 30.0), (50.0, 15.0)])
def test_one_failure_in_twenty_is_found_by_evidence(weight, longest, seed):
    world = World(policy=BRISK, seed=seed).enter(weight, scaled_up=True)
    seconds, assessment = seconds_to_rollback(world, 60.0, rps=100, candidate=0.05)
    failed = assessment.evidence.candidate.failed
    print(f"1 in 20 at 100 requests/s and {weight:g} %: {seconds:.1f} s, {failed} failed requests")
    assert assessment.rule == "error-lane"
    assert seconds <= longest


def test_a_short_bake_shortens_warm_up_and_blocks_so_that_it_can_be_decided():
    world = World(policy=AnalysisPolicy()).enter(50.0, scaled_up=True, bake=20.0)
    assert seconds_to_rollback(world, 20.0, rps=100, candidate=0.05)[0] <= 20.0


def test_the_error_lane_leaves_out_the_warm_up():
    world = World(policy=AnalysisPolicy(warmup=60.0, block=5.0)).enter(50.0, scaled_up=True)
    assessment = world.run(59.0, rps=100, candidate=0.1)
    error = assessment.evidence.lanes[1]
    assert (error.name, error.e_value, error.candidate.finished) == ("error-lane", pytest.approx(1.0), 0)
    assert "only total failure counts" in assessment.sentence
    assert seconds_to_rollback(world, 60.0, rps=100, candidate=0.1)[1].rule == "error-lane"


@pytest.mark.parametrize("seed", range(3))
def test_bursts_that_hit_both_revisions_hold_and_roll_nothing_back(seed):
    world = World(policy=BRISK, seed=seed).enter(20.0)
    held = 0
    for _ in range(6):
        assert world.run(15.0, rps=100, candidate=0.001, stable=0.001).decision == "continue"
        before = world.analysis.watched
        for _ in range(40):
            assessment = world.tick(rps=100, candidate=0.4, stable=0.4)
            assert assessment.decision in {"hold", "continue"}
            held += assessment.decision == "hold"
        assert assessment.rule == "shared-incident"
        assert world.analysis.watched - before < 8.0
    assert held > 6 * 20


def test_a_service_that_usually_fails_two_in_a_hundred_is_no_incident():
    world = World(policy=BRISK).enter(20.0)
    decisions = {world.tick(rps=300, candidate=0.02, stable=0.02).decision for _ in range(480)}
    assert decisions == {"continue"}
    assert world.analysis.watched == pytest.approx(120.0)


def test_a_candidate_that_fails_everything_while_stable_stumbles_is_taken_back():
    world = World(policy=BRISK).enter(20.0)
    world.run(30.0, rps=200)
    assert seconds_to_rollback(world, 10.0, rps=200, candidate=1.0, stable=0.3)[0] <= 5.0


def test_a_candidate_far_worse_than_a_stable_that_stumbles_is_judged_not_excused():
    world = World(policy=BRISK).enter(50.0)
    world.run(30.0, rps=1200, candidate=0.001, stable=0.001)
    seconds, assessment = seconds_to_rollback(world, 40.0, rps=1200, candidate=0.2, stable=0.05)
    assert assessment.rule == "error-lane"
    assert seconds <= 10.0


def test_a_third_of_all_requests_failing_on_both_is_an_incident_on_the_worst_of_services():
    world = World(policy=BRISK).enter(50.0)
    assert world.run(30.0, rps=300, candidate=0.15, stable=0.15).decision == "continue"
    assert world.run(5.0, rps=300, candidate=0.35, stable=0.35).rule == "shared-incident"


def test_a_candidate_that_repairs_a_failing_stable_is_not_held():
    world = World(policy=BRISK).enter(20.0)
    decisions = {world.tick(rps=300, candidate=0.0, stable=0.3).decision for _ in range(240)}
    assert decisions == {"continue"}


def test_with_all_requests_on_the_candidate_the_limit_is_absolute():
    world = World(policy=BRISK).enter(100.0)
    assessment = world.run(120.0, rps=100, candidate=0.005)
    assert assessment.decision == "continue"
    assert "nothing to compare with" not in assessment.sentence
    assert "stable had no requests of its own to compare with" in assessment.sentence
    assert seconds_to_rollback(world, 60.0, rps=100, candidate=0.08)[1].rule == "error-lane"


def test_what_stable_failed_earlier_in_the_rollout_raises_the_absolute_limit():
    world = World(policy=BRISK).enter(50.0)
    world.run(120.0, rps=100, candidate=0.04, stable=0.04)
    assert world.enter(100.0).run(120.0, rps=100, candidate=0.04).decision == "continue"
    unknown = World(policy=BRISK).enter(100.0)
    assert unknown.run(120.0, rps=100, candidate=0.04).decision == "roll-back"


def test_second_tries_on_stable_are_no_comparison():
    """Without this rule a candidate at weight 100 would be compared with the answers to its own failures."""
    world = World(policy=BRISK).enter(100.0)
    assessment = world.run(60.0, rps=100, candidate=0.1, stable=0.0)
    assert assessment.decision == "roll-back"
    assert assessment.evidence.stable.finished == 0


def test_when_second_tries_fail_as_well_it_is_not_the_candidates_fault():
    world = World(policy=BRISK).enter(50.0)
    world.run(30.0, rps=200)
    world.enter(100.0).run(10.0, rps=200)
    assessment = world.run(30.0, rps=200, candidate=1.0, stable=1.0)
    assert (assessment.decision, assessment.rule) == ("hold", "shared-incident")
    assert world.run(5.0, rps=200).decision == "continue"


def test_a_first_deployment_has_only_the_absolute_limit():
    world = World(policy=BRISK, stable=None).enter(50.0)
    assert world.run(30.0, rps=100, candidate=0.002, stable=0.002).decision == "continue"
    assert seconds_to_rollback(world, 5.0, rps=200, candidate=1.0)[1].rule == "hard-lane"


def test_a_stable_that_vanished_leaves_the_absolute_limit():
    world = World(policy=BRISK).enter(100.0)
    world.analysis.enter_step(50.0, at=world.now, scaled_up=False)  # the candidate gets everything all the same
    assert seconds_to_rollback(world, 30.0, rps=100, candidate=1.0)[0] <= 4.0


@pytest.mark.parametrize("seed", range(5))
def test_an_incident_that_hits_both_is_not_blamed_on_the_candidate_where_stable_gets_few_requests(seed):
    world = World(policy=BRISK, seed=seed).enter(90.0)
    world.run(60.0, rps=2)
    assert world.run(60.0, rps=2, candidate=1.0, stable=1.0).decision != "roll-back"


def test_evidence_of_an_earlier_attempt_is_carried_on():
    fresh, second = World(policy=BRISK), World(policy=BRISK)
    second.analysis.carried = 8.0
    assert second.enter(10.0).tick(rps=400).evidence.e_value == 8.0 * fresh.enter(10.0).tick(rps=400).evidence.e_value


def draw(random, n, p):
    """A binomial number by the gaps between successes."""
    if p <= 0.0:
        return 0
    found, place = 0, -1
    while True:
        place += 1
        while place < n and random.random() >= p:
            place += 1
        if place >= n:
            return found
        found += 1


def greatest_acceptable(runs, alpha):
    """The least k with P(more than k of `runs`) < 0.1 % when the probability is alpha."""
    tail, k = 1.0, -1
    while tail >= 0.001:
        k += 1
        tail -= comb(runs, k) * alpha**k * (1.0 - alpha) ** (runs - k)
    return k


@pytest.mark.parametrize("stable", [0.02, 0.2])
def test_a_candidate_exactly_on_its_margin_is_rolled_back_no_more_often_than_promised(stable):
    """Both lanes on 300 runs of 60 blocks with weights that rise; alpha is 10 % so that the limit can be exceeded."""
    policy = AnalysisPolicy(alpha=0.1, warmup=0.0)
    candidate = stable * policy.ratio_margin + policy.absolute_margin
    random, runs, rejected = Random(20261121), 300, 0
    for _ in range(runs):
        lanes = begin_lanes(policy)
        for block in range(60):
            n_c, n_s = ((5, 95), (20, 80), (50, 50))[block // 20]
            if block % 20 == 0:
                for lane in lanes:
                    lane.enter_step(Step(float(n_c), False, 0.0))
            tally = Tally(n_c, draw(random, n_c, candidate), n_s, draw(random, n_s, stable))
            for lane in lanes:
                lane.observe(Reading(policy.block, tally, warming=False, incident=False))
            if sum(lane.weight * lane.e_value() for lane in lanes) >= 1.0 / policy.alpha:
                rejected += 1
                break
    print(f"on the margin at {stable:g}: {rejected} of {runs} rolled back, at most {greatest_acceptable(runs, 0.1)}")
    assert rejected <= greatest_acceptable(runs, policy.alpha)


def test_a_candidate_twice_as_bad_as_its_margin_is_found_by_the_same_simulation():
    policy = AnalysisPolicy(warmup=0.0)
    random = Random(7)
    lane = begin_lanes(policy)[1]
    lane.enter_step(Step(50.0, False, 0.0))
    for _ in range(60):
        tally = Tally(500, draw(random, 500, 0.05), 500, draw(random, 500, 0.02))
        lane.observe(Reading(policy.block, tally, warming=False, incident=False))
    assert lane.e_value() > 1000.0
