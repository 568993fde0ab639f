"""Readings that wait for each other come out as if they had not, and nothing waits that somebody acts on."""

import json
from dataclasses import replace

import pytest
from simulated_rollout import TICK, World, instance

from fairway.domain.analysis.analysis import Analysis
from fairway.domain.analysis.dispersion import Dispersion
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.codec import to_json

SHORT = AnalysisPolicy(warmup=5.0, block=2.0)
OBJECTIVES = AnalysisPolicy(warmup=5.0, block=4.0, objective_errors=0.02, objectives_latency=((0.9, 0.05),))
CALM = Dispersion(700.0, pearson=20.0, freedom=40)
"""Known to be so small that the error lane's blocks are shorter than all others."""

EDGES = (10_000.0, 20_000.0, 40_000.0, 80_000.0)


def rounded(value):
    """Sums of seconds differ in their last digit when they are added up in another order."""
    if isinstance(value, float):
        return 0.0 if abs(value) < 1e-9 else float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


class Twins(World):
    """Two analyses of the same readings: one takes in each at once, one lets them wait as the engine does."""

    def __post_init__(self):
        super().__post_init__()
        self.eager, self.patient = (
            Analysis(self.policy, candidate="candidate", stable="stable", patience=one, dispersion=CALM.taken_over())
            for one in (0.0, 1.0)
        )
        self.said = {}
        for one in (self.eager, self.patient):
            one.observe(self.snapshot(), self.health, at=self.now)

    def snapshot(self):
        """With latencies: a tenth in the slowest of four cells."""
        seen = super().snapshot()
        return replace(seen, revisions=tuple(replace(one, latency=latency(one)) for one in seen.revisions))

    def enter(self, weight, **how):
        self.weight = weight
        for one in (self.eager, self.patient):
            one.enter_step(weight, at=self.now, **({"scaled_up": False, "bake": 120.0} | how))
        return self

    def tick(self, *, counting=True, readable=True, **traffic):
        """The next reading for both; returns what both say of it."""
        self.now += TICK
        self.serve(*(traffic.get(name, 0.0) for name in ("rps", "candidate", "stable")))
        snapshot = self.snapshot() if readable else None
        for name, one in (("eager", self.eager), ("patient", self.patient)):
            one.observe(snapshot, self.health, at=self.now, counting=counting)
            self.said[name] = one.assess(at=self.now, last=self.said.get(name), good_for=traffic.get("good_for", 1.0))
        return self.said["eager"], self.said["patient"]


def latency(traffic):
    answered = traffic.finished - traffic.failed - traffic.retried
    parts = (answered // 2, answered // 4, answered - answered // 2 - answered // 4 - answered // 10, answered // 10)
    return tuple((edge, edge, count) for edge, count in zip(EDGES, parts, strict=True) if count > 0)


COURSES = {
    "healthy": [(90, {"rps": 200, "candidate": 0.001, "stable": 0.001})],
    "few requests": [(60, {"rps": 3, "candidate": 0.0, "stable": 0.0})],
    "bursts of failures on both": [
        (3, {"rps": 300, "stable": 0.001}),
        (3, {"rps": 300, "candidate": 0.3, "stable": 0.3}),
    ]
    * 8,
    "silence between requests": [(7, {"rps": 100}), (2, {}), (5, {"rps": 100, "stable": 0.02})] * 4,
    "errors that begin late": [
        (40, {"rps": 200, "candidate": 0.001, "stable": 0.001}),
        (30, {"rps": 200, "candidate": 0.06}),
    ],
    "counters that cannot be read": [(5, {"rps": 100}), (2, {"rps": 100, "readable": False})] * 5,
    "a pause by a person": [(6, {"rps": 100}), (3, {"rps": 100, "counting": False})] * 5,
}


@pytest.mark.parametrize("policy", [SHORT, OBJECTIVES], ids=["short blocks", "objectives"])
@pytest.mark.parametrize("course", COURSES.values(), ids=COURSES)
def test_evidence_and_decisions_are_the_same_whether_readings_wait_or_not(course, policy):
    twins, waited = Twins(policy=policy).enter(20.0, scaled_up=True), 0
    for seconds, traffic in course:
        for _ in range(round(seconds / TICK)):
            eager, patient = twins.tick(**traffic)
            waited += bool(twins.patient.waiting)
            assert (eager.decision, eager.rule, eager.sufficient) == (
                patient.decision,
                patient.rule,
                patient.sufficient,
            )
            assert patient.watched == pytest.approx(eager.watched)
    assert rounded(twins.patient.to_json()) == rounded(twins.eager.to_json())
    assert waited or course is COURSES["few requests"]


@pytest.mark.parametrize("policy", [SHORT, OBJECTIVES], ids=["short blocks", "objectives"])
@pytest.mark.parametrize("course", COURSES.values(), ids=COURSES)
def test_however_long_readings_may_wait_the_evidence_is_the_same(course, policy):
    twins = Twins(policy=policy).enter(20.0, scaled_up=True)
    twins.patient.patience = 10.0
    for seconds, traffic in course:
        for _ in range(round(seconds / TICK)):
            eager, patient = twins.tick(good_for=1e9, **traffic)
            assert (eager.decision, eager.rule) == (patient.decision, patient.rule)
    eager, patient = twins.eager.evidence(), twins.patient.evidence()
    assert rounded(to_json(patient)) == rounded(to_json(eager))
    assert rounded(twins.patient.to_json()) == rounded(twins.eager.to_json())


def test_requests_that_are_divided_wrongly_stop_the_clock_at_once_however_long_readings_may_wait():
    twins = Twins(policy=AnalysisPolicy(block=10.0, warmup=0.0)).enter(20.0)
    twins.patient.patience = 10.0
    for _ in range(20):
        twins.tick(rps=400)
    twins.weight = 60.0
    for _ in range(200):
        eager, patient = twins.tick(rps=400)
        assert (eager.decision, eager.rule) == (patient.decision, patient.rule)
    assert (patient.decision, patient.rule) == ("hold", "traffic-share")


def test_readings_without_a_request_of_one_side_come_out_the_same():
    twins = Twins(policy=SHORT).enter(50.0)
    for _ in range(400):
        twins.tick(rps=12)
        if not twins.patient.waiting:
            patient, eager = (one.lanes[1] for one in (twins.patient, twins.eager))
            assert (patient.quiet, patient.unmatched) == (eager.quiet, eager.unmatched)
    assert rounded(twins.patient.to_json()) == rounded(twins.eager.to_json())


def test_a_failure_of_the_candidate_does_not_wait_nor_does_what_came_before_it():
    twins = Twins(policy=SHORT).enter(20.0)
    for _ in range(40):
        twins.tick(rps=400)
    while not twins.patient.waiting:
        twins.tick(rps=400)
    twins.tick(rps=400, candidate=1.0)
    assert not twins.patient.waiting
    assert twins.patient.tally == twins.eager.tally


def test_a_candidate_that_fails_every_request_is_taken_back_at_the_same_reading():
    twins = Twins(policy=SHORT).enter(20.0)
    for _ in range(42):
        twins.tick(rps=400)
    assert twins.patient.waiting
    for _ in range(40):
        eager, patient = twins.tick(rps=400, candidate=1.0)
        assert eager.decision == patient.decision
    assert patient.decision == "roll-back"
    assert patient.sentence == eager.sentence


def test_no_reading_waits_longer_than_it_may():
    twins, longest = Twins(policy=AnalysisPolicy(block=10.0, warmup=0.0)).enter(20.0), 0
    for _ in range(200):
        twins.tick(rps=400, good_for=10.0)
        longest = max(longest, len(twins.patient.waiting))
    assert longest == round(1.0 / TICK) - 1


def test_what_is_stored_holds_the_readings_that_wait():
    twins = Twins(policy=SHORT).enter(20.0)
    for _ in range(42):
        twins.tick(rps=400)
    assert twins.patient.waiting
    stored = Analysis.from_json(json.loads(json.dumps(twins.patient.to_json())))
    assert stored.tally == twins.eager.tally
    assert stored.lanes[0].capital.blocks == twins.eager.lanes[0].capital.blocks


def test_the_next_step_begins_after_what_waits():
    twins = Twins(policy=SHORT).enter(20.0)
    for _ in range(42):
        twins.tick(rps=400)
    assert twins.patient.waiting
    twins.enter(50.0)
    assert not twins.patient.waiting
    assert rounded(twins.patient.to_json()) == rounded(twins.eager.to_json())


@pytest.mark.parametrize("trouble", ["ejected", "unready"])
def test_nothing_waits_while_an_instance_is_in_trouble(trouble):
    twins = Twins(policy=SHORT).enter(20.0)
    for _ in range(42):
        twins.tick(rps=400)
    if trouble == "ejected":
        twins.ejected = ("c-1",)
    else:
        twins.health = (instance(ready=False),)
    twins.tick(rps=400)
    assert not twins.patient.waiting
    assert rounded(twins.patient.to_json()) == rounded(twins.eager.to_json())
