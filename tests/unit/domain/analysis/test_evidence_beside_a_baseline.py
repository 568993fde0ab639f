"""Judging a candidate beside a baseline of its own age."""

import json
from dataclasses import dataclass, field, replace

import pytest

from fairway.domain.analysis.analysis import Analysis
from fairway.domain.analysis.instances import InstanceHealth
from fairway.domain.analysis.pairing import SETTLING, Pairing
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.same_age import baseline_share, share_of_the_pair
from fairway.domain.analysis.traffic import InstanceTraffic, RevisionTraffic, TrafficSnapshot

POLICY = AnalysisPolicy(warmup=0.0, block=2.0)
TICK = 0.25
RATE = 800.0


def healthy(revision, *, restarts=0, ready=True, crash_loop=False):
    last_exit = "signal SIGKILL" if restarts else ""
    return InstanceHealth(f"{revision}-1", revision, ready, restarts, crash_loop, True, last_exit)


@dataclass
class Street:
    """Requests at an even pace, divided exactly by weight; shares of failures by revision."""

    policy: AnalysisPolicy = POLICY
    paired: bool = True
    failing: dict[str, float] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)
    weight: float = 0.0
    now: float = 0.0

    def __post_init__(self):
        self.counts = {name: [0.0, 0.0] for name in ("new", "old", "fresh")}
        self.health = tuple(map(healthy, self.counts))
        self.ejected = set()
        self.slow = {}
        self.analysis = Analysis(self.policy, "new", "old", pairing=Pairing("fresh") if self.paired else None)
        self.look(TICK)

    def enter(self, weight, **step):
        self.weight = weight
        beside = baseline_share(weight) if self.paired else 0.0
        self.shares = {"new": weight, "fresh": beside, "old": 100.0 - weight - beside}
        self.analysis.enter_step(weight, at=self.now, **({"scaled_up": False, "bake": 300.0} | step))
        return self

    def look(self, seconds):
        self.now += seconds
        for name, share in self.shares.items():
            requests = RATE * seconds * share / 100.0
            self.counts[name][0] += requests
            self.counts[name][1] += requests * self.failing.get(name, 0.0)
        self.analysis.observe(self.snapshot(), self.health, at=self.now)
        return self.analysis.assess(at=self.now)

    def snapshot(self):
        return TrafficSnapshot(self.now, "one", tuple(map(self.revision, self.counts)))

    def revision(self, name):
        finished, failed = map(int, self.counts[name])
        instances = (InstanceTraffic(f"{name}-1", finished, failed, ejected=name in self.ejected),)
        return RevisionTraffic(name, finished, failed, ((self.slow.get(name, 5000.0), 100.0, finished),), instances)

    def run(self, seconds):
        """Assessments until the time is over or the candidate is taken back."""
        said = [self.look(TICK)]
        while len(said) * TICK < seconds and said[-1].decision != "roll-back":
            said.append(self.look(TICK))
        return said


def test_the_baseline_gets_as_much_as_the_candidate_and_at_most_what_is_left():
    assert [baseline_share(weight) for weight in (0.0, 10.0, 50.0, 75.0, 100.0)] == [0.0, 10.0, 50.0, 25.0, 0.0]
    assert [share_of_the_pair(weight) for weight in (0.0, 10.0, 50.0, 75.0, 100.0)] == [0.0, 50.0, 50.0, 75.0, 100.0]


def test_failures_that_youth_costs_both_are_not_held_against_the_candidate():
    young = {"new": 0.05, "fresh": 0.05}
    assert Street(failing=young).enter(10.0).run(120)[-1].decision == "continue"
    assert Street(failing=young, paired=False).enter(10.0).run(120)[-1].decision == "roll-back"


def test_answers_that_youth_makes_slower_on_both_sides_are_not_held_against_the_candidate():
    for paired, decision in ((True, "continue"), (False, "roll-back")):
        street = Street(paired=paired).enter(10.0)
        street.slow = {"new": 50_000.0, "fresh": 50_000.0}
        assert street.run(120)[-1].decision == decision


@pytest.mark.parametrize("weight", [10.0, 50.0, 75.0])
def test_a_candidate_that_is_worse_than_instances_of_its_age_is_taken_back_and_the_sentence_says_against_whom(weight):
    said = Street(failing={"new": 0.1, "fresh": 0.02, "old": 0.0}).enter(weight).run(120)[-1]
    assert (said.decision, said.evidence.reference) == ("roll-back", "baseline")
    assert ", the baseline " in said.sentence
    assert "stable" not in said.sentence


def test_no_warm_up_is_left_out_where_both_are_as_young():
    bad = {"new": 0.1}
    policy = replace(POLICY, warmup=60.0)
    fresh = Street(policy, failing=bad).enter(10.0, scaled_up=True, bake=300.0).run(60)
    plain = Street(policy, failing=bad, paired=False).enter(10.0, scaled_up=True, bake=300.0).run(60)
    assert fresh[-1].decision == "roll-back"
    assert fresh[-1].at < 30.0
    assert plain[-1].decision == "continue"


def test_what_the_candidate_owes_whatever_others_do_it_owes_while_it_is_young_too():
    policy = replace(POLICY, objective_errors=0.01)
    said = Street(policy, failing={"new": 0.08, "fresh": 0.08}).enter(10.0).run(120)[-1]
    assert (said.decision, said.rule) == ("roll-back", "objective-errors")


def test_where_the_baseline_serves_in_the_place_of_stable_it_excuses_the_candidate():
    policy = replace(POLICY, objective_errors=0.01)
    said = Street(policy, failing={"new": 0.08, "fresh": 0.08}).enter(50.0).run(120)
    assert "hold" in {one.decision for one in said}
    assert said[-1].decision != "roll-back"


def test_a_baseline_that_was_restarted_stops_the_clock_for_a_while_and_is_told():
    street = Street().enter(10.0)
    street.run(10)
    street.health = (healthy("new"), healthy("old"), healthy("fresh", restarts=1))
    said = street.look(TICK)
    assert (said.decision, said.rule) == ("hold", "baseline")
    assert "instance fresh-1 of the baseline had to be restarted (last: signal SIGKILL)" in said.sentence
    later = street.run(SETTLING + 1.0)
    assert later[-1].decision == "continue"
    assert later[-1].watched - said.watched <= 1.5


@pytest.mark.parametrize(
    "trouble",
    [
        {"health": (healthy("new"), healthy("old"), healthy("fresh", ready=False))},
        {"health": (healthy("new"), healthy("old"), healthy("fresh", crash_loop=True))},
        {"ejected": {"fresh"}},
    ],
)
def test_while_the_baseline_is_down_nothing_is_compared_but_a_dead_candidate_is_still_taken_back(trouble):
    street = Street(failing={"new": 0.03}).enter(10.0)
    for name, value in trouble.items():
        setattr(street, name, value)
    street.look(TICK)
    # The proxy gives its requests to stable.
    street.shares |= {"fresh": 0.0, "old": 90.0}
    said = street.run(60)
    assert {(one.decision, one.rule) for one in said} == {("hold", "baseline")}
    assert said[-1].watched <= TICK
    street.failing = {"new": 1.0}
    assert street.run(20)[-1].decision == "roll-back"


def test_failures_of_the_baseline_alone_are_no_evidence_against_the_candidate():
    said = Street(failing={"fresh": 0.5}).enter(10.0).run(60)
    assert {one.decision for one in said} == {"continue"}
    assert said[-1].evidence.e_value < 1.0


def test_where_all_fresh_instances_crash_the_candidate_goes_back_and_the_verdict_says_that_the_baseline_does_too():
    street = Street().enter(10.0)
    street.health = (healthy("new", crash_loop=True), healthy("old"), healthy("fresh", crash_loop=True))
    said = street.look(TICK)
    assert (said.decision, said.rule) == ("roll-back", "crash")
    assert "the baseline is in the same trouble" in said.sentence


def test_a_baseline_that_gets_no_requests_is_no_pass():
    street = Street().enter(10.0)
    street.shares |= {"fresh": 0.0, "old": 90.0}
    said = street.run(30)[-1]
    assert (said.decision, said.rule) == ("hold", "traffic-share")
    assert "its own and the baseline's are counted" in said.sentence


def test_few_requests_without_one_of_the_baseline_are_no_answer():
    street = Street().enter(0.4)
    street.shares = {"new": 0.1, "fresh": 0.0, "old": 99.9}
    said = street.run(4)[-1]
    assert (said.decision, said.rule, said.sufficient) == ("continue", "no-requests", False)
    assert "the baseline finished 0 requests" in said.sentence


def test_a_candidate_that_gets_more_than_its_share_stops_the_clock_although_the_baseline_does_as_well():
    street = Street().enter(10.0)
    street.shares = {"new": 40.0, "fresh": 40.0, "old": 20.0}
    said = street.run(30)[-1]
    assert (said.decision, said.rule) == ("hold", "traffic-share")
    assert "configured are 10 %" in said.sentence


@pytest.mark.parametrize("weight", [10.0, 50.0, 75.0])
def test_that_a_candidate_is_good_enough_is_shown_against_the_baseline(weight):
    policy = replace(POLICY, absolute_margin=0.02)
    said = Street(policy, failing=dict.fromkeys(("new", "fresh"), 0.01)).enter(weight).run(150)[-1]
    errors = next(one for one in said.evidence.promotion if one.name == "errors")
    assert errors.e_value >= errors.threshold
    assert "the baseline's error ratio" in errors.margin


def test_at_all_of_the_weight_nothing_is_left_to_compare_with():
    street = Street(failing={"new": 0.0}).enter(50.0)
    street.run(20)
    street.enter(100.0)
    del street.counts["fresh"], street.shares["fresh"]
    said = street.run(10)
    assert {one.decision for one in said} == {"continue"}
    assert said[-1].evidence.reference == "stable"


def test_copies_are_compared_with_copies():
    street = Street(failing={"new": 0.2, "fresh": 0.2}).enter(20.0, copies=True)
    street.shares = {"new": 20.0, "fresh": 20.0, "old": 100.0}
    assert street.run(60)[-1].decision == "continue"
    assert street.analysis.step.balance == 1.0
    street.failing = {"new": 0.2, "fresh": 0.0}
    assert street.run(60)[-1].decision == "roll-back"


def test_what_was_stored_goes_on_to_the_last_bit():
    one = Street(failing={"new": 0.03, "fresh": 0.02}).enter(25.0)
    one.health = (healthy("new"), healthy("old"), healthy("fresh", restarts=1))
    one.run(11)
    stored = json.loads(json.dumps(one.analysis.to_json()))
    other = Street(failing=one.failing).enter(25.0)
    other.health, other.now, other.analysis = one.health, one.now, Analysis.from_json(stored)
    other.counts = {name: list(counts) for name, counts in one.counts.items()}
    assert one.run(30) == other.run(30)
    assert one.analysis.to_json() == other.analysis.to_json()


def test_what_a_version_without_baselines_stored_is_read():
    street = Street(paired=False, failing={"new": 0.01}).enter(25.0)
    street.run(5)
    stored = street.analysis.to_json()
    assert stored.pop("pairing") is None
    del stored["before"], stored["step"]["against"]
    for lane in stored["lanes"]:
        (lane.get("lane") or lane)["step"].pop("against")
    assert Analysis.from_json(stored).to_json() == street.analysis.to_json()


def test_a_step_that_begins_again_keeps_what_was_counted_and_tells_all_of_its_seconds():
    street = Street().enter(10.0)
    before = street.run(10)[-1]
    street.analysis.begin_again()
    after = street.run(5)[-1]
    assert (before.watched, after.watched, after.before) == (10.0, 5.0, 10.0)
    assert "after 15 s at 10 %" in after.sentence
    assert after.evidence.candidate.finished == pytest.approx(1.5 * before.evidence.candidate.finished, rel=0.05)
