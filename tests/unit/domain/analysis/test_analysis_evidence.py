import json
from random import Random

import pytest
from simulated_rollout import World, instance

from fairway.domain import codec
from fairway.domain.analysis.analysis import Analysis
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.errors import InvariantError

QUIET = AnalysisPolicy(warmup=3.0, block=2.0)


def stored_and_read(analysis):
    return Analysis.from_json(json.loads(json.dumps(analysis.to_json(), allow_nan=False)))


def test_an_analysis_that_is_stored_and_read_at_every_tick_decides_the_same_to_the_last_bit():
    kept, stored = World(policy=QUIET), World(policy=QUIET)
    random, rules = Random(5), set()
    for tick in range(1500):
        if tick % 300 == 0:
            for world in (kept, stored):
                world.enter((1.0, 10.0, 50.0, 100.0, 20.0)[tick // 300], scaled_up=tick == 0, bake=60.0)
        if tick == 700:
            for world in (kept, stored):
                world.origin = "second"
        health = (instance(ready=random.random() < 0.9),)
        burst = 0.5 if 400 <= tick < 440 else 0.002
        traffic = {"rps": random.choice((0.0, 40.0, 300.0)), "candidate": burst * 1.2, "stable": burst}
        traffic["readable"] = random.random() < 0.98
        kept.health = stored.health = health
        stored.analysis = stored_and_read(stored.analysis)
        expected, found = kept.tick(**traffic), stored.tick(**traffic)
        assert found == expected
        rules.add(found.rule)
    assert rules >= {"watching", "metrics-outage", "shared-incident"}
    assert stored.analysis == kept.analysis


def test_a_verdict_survives_storage():
    world = World(policy=QUIET).enter(50.0)
    before = world.run(5.0, rps=200, candidate=1.0)
    assert stored_and_read(world.analysis).assess(at=world.now) == before


def test_reading_shares_nothing_with_the_stored_value():
    world = World(policy=QUIET).enter(50.0)
    world.run(5.0, rps=100, candidate=0.02, stable=0.02)
    value = world.analysis.to_json()
    before = json.dumps(value)
    world.analysis = Analysis.from_json(value)
    world.run(5.0, rps=100, candidate=0.02, stable=0.02)
    assert json.dumps(value) == before


def test_an_unknown_lane_stops_with_the_names_of_the_known_ones():
    value = World().analysis.to_json()
    value["lanes"][0]["name"] = "moon-lane"
    with pytest.raises(InvariantError, match="moon-lane") as caught:
        Analysis.from_json(value)
    assert "hard-lane, error-lane" in caught.value.hint


def test_a_rollout_keeps_the_lanes_that_it_began_with():
    value = World().analysis.to_json()
    value["lanes"] = [value["lanes"][1] | {"weight": 1.0}]
    restored = Analysis.from_json(value)
    assert [lane.name for lane in restored.lanes] == ["error-lane"]
    assert restored.e_value() == pytest.approx(1.0)


def test_the_weights_of_the_lanes_add_up_to_one():
    assert sum(lane.weight for lane in World().analysis.lanes) == 1.0
    assert World().analysis.e_value() == pytest.approx(1.0)


def test_an_assessment_is_json_without_infinities():
    world = World(policy=QUIET).enter(50.0)
    assessment = world.run(5.0, rps=200, candidate=1.0)
    text = json.dumps(codec.to_json(assessment), allow_nan=False)
    lane = json.loads(text)["evidence"]["lanes"][0]
    assert lane["name"] == "hard-lane"
    assert lane["ratio"] is None
    assert lane["high"] is None
    assert lane["low"] > 1.0
    assert lane["candidate"]["finished"] == lane["candidate"]["failed"]


def test_the_sentence_of_a_verdict_gives_counts_ratio_interval_e_value_and_meaning():
    world = World(policy=QUIET).enter(10.0)
    sentence = world.run(5.0, rps=1000, candidate=1.0, stable=0.02).sentence
    assert sentence.startswith("Roll back after 1.0 s at 10 %: the candidate failed ")
    for part in (" requests (100 %), stable ", "; ratio ", "× (99 % interval ", "e-value ", ", limit 100)", "rollouts"):
        assert part in sentence
    assert "p-value" not in sentence


def test_a_verdict_reached_by_the_last_block_of_a_step_still_shows_that_step():
    world = World(policy=AnalysisPolicy(warmup=0.0, block=1000.0, tick=1000.0)).enter(10.0)
    world.analysis.carried = 60.0
    world.run(3.0, rps=1000, candidate=1.0)
    world.enter(50.0)
    assessment = world.analysis.assess(at=world.now)
    assert assessment.decision == "roll-back"
    assert assessment.evidence.weight == 10.0
    assert assessment.evidence.candidate.failed > 200


def test_numbers_are_those_of_the_present_step_and_the_e_value_that_of_the_rollout():
    world = World(policy=QUIET).enter(20.0)
    before = world.run(30.0, rps=100, candidate=0.03, stable=0.01)
    after = world.enter(50.0).run(1.0, rps=100)
    assert after.evidence.candidate.finished < 80
    assert after.evidence.since == world.now - 1.0
    assert after.evidence.lanes[1].candidate.finished == 0
    assert after.evidence.lanes[1].e_value == pytest.approx(before.evidence.lanes[1].e_value, rel=0.5)
