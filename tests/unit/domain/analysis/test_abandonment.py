"""Requests that clients give up: a candidate that lets some hang is taken back; impatient clients are not its fault."""

import json
from dataclasses import replace

import pytest
from waiting_clients import NEVER, Waiting

from fairway.domain.analysis.analysis import Analysis
from fairway.domain.analysis.lanes import lane_weights
from fairway.domain.analysis.policy import PRESETS, AnalysisPolicy

TIMEOUT = 5.0


def hangs(share):
    """Answers within some tens of milliseconds, but for that share of the candidate's requests: those never."""

    def answer(name, random):
        return NEVER if name == "candidate" and random.random() < share else random.uniform(0.02, 0.05)

    return answer


def patient(_):
    return TIMEOUT


def leaves_early(random):
    """Half of all are gone after two seconds."""
    return random.expovariate(0.35)


def slow(factor=1.0):
    """Answers take three to five seconds, the candidate's so many times as long."""

    def answer(name, random):
        return random.uniform(3.0, 5.0) * (factor if name == "candidate" else 1.0)

    return answer


def lane_of(assessment):
    return next(lane for lane in assessment.evidence.lanes if lane.name == "abandonment-lane")


def shown(assessment):
    return next(test for test in assessment.evidence.promotion if test.name == "abandonment")


def test_a_candidate_that_never_answers_one_request_in_five_is_taken_back():
    world = Waiting(hangs(0.2), patient).enter(20.0)
    began = world.now
    said = world.let_pass(300.0)
    assert (said.decision, said.rule) == ("roll-back", "abandonment-lane")
    assert world.now - began < 60.0
    lane = lane_of(said)
    assert lane.candidate.ratio == pytest.approx(0.2, abs=0.08)
    assert lane.stable.failed == 0
    assert f"clients gave up {lane.candidate.failed} of {lane.candidate.finished} requests" in said.sentence
    assert "ratio unlimited (99 % interval " in said.sentence
    assert "at most 2 × stable's share of requests given up + 0.5 points" in said.sentence
    assert f"(e-value {int(said.evidence.e_value):,}, limit 100)" in said.sentence


def test_nobody_who_waits_for_ever_gives_anything_up():
    said = Waiting(hangs(0.2), lambda _: NEVER).enter(20.0).let_pass(120.0)
    assert said.decision != "roll-back"
    assert lane_of(said).e_value <= 1.0


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_requests_that_hang_are_requests_for_the_share_of_traffic_as_well(share):
    any_share = replace(AnalysisPolicy(warmup=0.0), abandoned_points=1.0)
    said = Waiting(hangs(share), patient, policy=any_share, rps=100.0).enter(20.0).let_pass(120.0)
    assert said.rule == "watching"
    assert lane_of(said).candidate.ratio == pytest.approx(share, abs=0.03)


def test_clients_that_leave_both_revisions_alike_take_no_candidate_back():
    back = 0
    for seed in range(30):
        world = Waiting(slow(), leaves_early, seed=seed, rps=20.0)
        for weight in (5.0, 10.0, 25.0, 50.0):
            world.enter(weight, bake=60.0).let_pass(60.0)
        back += world.analysis.verdict is not None
        assert world.sides["stable"].abandoned > world.sides["stable"].finished
    assert back <= 2


def test_right_after_a_change_of_weight_shares_are_not_compared():
    """Before the first answers of a slow service can have come, all that ended there was given up."""
    world = Waiting(slow(), lambda random: random.expovariate(0.1), rps=300.0)
    for weight, bake in ((10.0, 60.0), (50.0, 12.0)):
        world.enter(weight, bake=bake).let_pass(2.9)
        assert lane_of(world.analysis.assess(at=world.now)).candidate.finished == 0
        world.let_pass(bake - 2.9)
        lane = lane_of(world.analysis.assess(at=world.now))
        assert lane.candidate.finished > 0
        assert lane.e_value < 1.0


def test_a_candidate_slower_within_its_margin_whose_clients_leave_is_not_taken_back_by_this_lane():
    wide = AnalysisPolicy(warmup=0.0, latency_margin=0.5, latency_slack=1.0)
    world = Waiting(slow(1.1), leaves_early, rps=100.0, policy=wide).enter(30.0)
    assert world.let_pass(120.0).decision != "roll-back"


def test_evidence_for_the_candidate_waits_until_clients_would_have_lost_patience():
    world = Waiting(hangs(0.2), lambda _: 40.0, rps=100.0).enter(50.0)
    early = world.let_pass(35.0)
    assert early.evidence.candidate.finished > 1000
    assert shown(early).e_value < 1.0
    assert shown(early).missing is None
    good = Waiting(hangs(0.0), lambda _: 40.0, rps=100.0).enter(50.0).let_pass(35.0)
    assert shown(good).e_value >= shown(good).threshold
    assert shown(good).missing == 0


def test_slow_answers_of_both_are_no_sign_of_requests_that_hang():
    said = Waiting(slow(), lambda _: NEVER, rps=100.0).enter(50.0).let_pass(60.0)
    assert shown(said).e_value >= shown(said).threshold


def test_alone_the_limit_is_what_was_learnt_of_stable_and_nothing_is_judged_without():
    known = Waiting(hangs(0.0), patient).enter(50.0)
    known.let_pass(60.0)
    known.answer = hangs(0.4)
    said = known.enter(100.0).let_pass(120.0)
    assert (said.decision, said.rule) == ("roll-back", "abandonment-lane")
    assert "a share of requests given up of at most 5 %" in said.sentence
    unknown = Waiting(hangs(0.4), patient).enter(100.0).let_pass(120.0)
    assert lane_of(unknown).e_value == pytest.approx(1.0)


def test_the_evidence_goes_on_after_a_restart_to_the_last_bit():
    one = Waiting(hangs(0.03), patient).enter(20.0)
    one.let_pass(40.0)
    kept = Analysis.from_json(json.loads(json.dumps(one.analysis.to_json())))
    for _ in range(200):
        one.let_pass(0.25)
        kept.observe(one.snapshot(), (), at=one.now)
    assert lane_of(one.analysis.assess(at=one.now)).candidate.failed > 0
    assert kept.assess(at=one.now) == one.analysis.assess(at=one.now)


def test_a_rollout_that_an_earlier_version_began_goes_on_without_the_lane():
    world = Waiting(hangs(0.2), patient).enter(20.0)
    value = json.loads(json.dumps(world.analysis.to_json()))
    value["lanes"] = [lane for lane in value["lanes"] if lane["name"] != "abandonment-lane"]
    value["counters"]["counts"] = value["counters"]["counts"][:4] + value["counters"]["counts"][5:9]
    world.analysis = Analysis.from_json(value)
    assert world.let_pass(30.0).decision == "continue"


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_one_more_lane_divides_the_same_capital(preset):
    weights = lane_weights(preset)
    assert weights["abandonment-lane"] > 0.05
    assert sum(weights.values()) == pytest.approx(1.0, abs=1e-12)
