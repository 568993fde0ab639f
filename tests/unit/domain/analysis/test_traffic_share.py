"""Whether the candidate gets the share that was configured: a rule that only ever stops the clock."""

from random import Random

import pytest
from simulated_rollout import World

from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.tally import Tally
from fairway.domain.analysis.traffic_share import RULE, ShareWatch

QUIET = AnalysisPolicy(warmup=0.0)


def seconds_until_found(weight, actual, *, rps, limit, seed=1):
    watch, random = ShareWatch(), Random(seed)
    watch.enter_step(weight)
    for tick in range(round(limit / 0.25)):
        candidate = sum(random.random() * 100.0 < actual for _ in range(round(rps * 0.25)))
        watch.observe(0.25, Tally(candidate, 0, round(rps * 0.25) - candidate, 0))
        if watch.finding() is not None:
            return (tick + 1) * 0.25
    return None


@pytest.mark.parametrize(
    ("weight", "actual", "longest"), [(5.0, 2.5, 35.0), (5.0, 10.0, 20.0), (50.0, 80.0, 5.0), (90.0, 70.0, 5.0)]
)
def test_a_share_that_is_far_off_is_found(weight, actual, longest):
    seconds = seconds_until_found(weight, actual, rps=400, limit=120.0)
    assert seconds is not None
    assert 2.0 < seconds <= longest


@pytest.mark.parametrize("weight", [1.0, 10.0, 50.0, 95.0])
@pytest.mark.parametrize("off", [-0.15, 0.0, 0.15])
def test_a_share_within_a_fifth_is_never_complained_about(weight, off):
    actual = weight + off * min(weight, 100.0 - weight)
    assert seconds_until_found(weight, actual, rps=400, limit=600.0) is None


def test_the_rollout_holds_with_both_shares_in_the_sentence_and_goes_on_when_they_agree():
    world = World(policy=QUIET).enter(30.0)
    world.weight = 10.0  # the router divides otherwise than it was told
    assessment = world.run(30.0, rps=400)
    assert (assessment.decision, assessment.rule) == ("hold", RULE)
    assert "% of the requests (1,1" in assessment.sentence
    assert "configured are 30 %" in assessment.sentence
    world.weight = 30.0
    assert world.run(30.0, rps=400).decision == "continue"


def test_requests_of_the_weight_before_do_not_count():
    watch = ShareWatch()
    watch.enter_step(10.0)
    for _ in range(8):
        watch.observe(0.25, Tally(1000, 0, 0, 0))
    assert watch.finding() is None
    watch.observe(0.25, Tally(1000, 0, 0, 0))
    assert watch.finding() is not None


def test_a_wrong_share_takes_nothing_back():
    world = World(policy=QUIET).enter(50.0)
    world.weight = 90.0
    assert world.run(120.0, rps=400).decision == "hold"
    assert world.analysis.e_value() < 1.0
