"""What the engine makes of the analysis: evidence that outlives controllers, holds, pauses and verdicts."""

import pytest
from boundaries import Crash
from engine_world import AtOnce, Controller, approve, drive_until, facts, live_through
from matrix import Matrix
from scripts import DEAD, POISON, named

from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.rollout.events import (
    Advanced,
    ArtifactQuarantined,
    AttentionNeeded,
    Held,
    Paused,
    Released,
    RollbackStarted,
    StepFailed,
    StepFinished,
)
from fairway.domain.rollout.steps import Watch
from fairway.domain.rollout.strategy import Canary, Rolling
from fairway.engine import judge
from fairway.engine.judge import READ_EVERY, SAVE_EVERY, Judge
from fairway.testing.target import Behaviour
from rollout_samples import deployment, returning

BAKE = 4.0
CANARY = Canary(steps=(10.0, 100.0), bake=BAKE)


def test_evidence_that_was_saved_is_the_evidence_that_goes_on(make):
    street = make(failing=POISON)
    controller = Controller(street, "first")
    drive_until(controller, lambda: street.share() == 10.0)
    saved = street.store.load_evidence(street.id)
    drive_until(controller, lambda: street.store.load_evidence(street.id)["at"] >= saved["at"] + 2.0)
    before = controller.engine.judge._runs[street.id].analysis
    stored = street.store.load_evidence(street.id)
    after = Judge(street.store, AtOnce())._resume(street.run(), street.world()).analysis
    assert stored["analysis"] == before.to_json() == after.to_json()
    assert before.e_value() == after.e_value() > 1.0


def test_a_death_right_after_evidence_was_saved_changes_no_bit_of_it(sqlite, clock):
    (script,) = named("canary, one in twenty")
    matrix = Matrix(script, sqlite, clock)

    def die(street):
        raise Crash

    def value(street):
        assessment = sqlite.load_evidence(street.id)["assessment"]
        return assessment["evidence"]["e_value"], assessment["rule"], assessment["evidence"]["candidate"]

    expected = value(matrix.reference)
    for number in [n for n, name in enumerate(matrix.names) if name == "after store.save_evidence"]:
        street = matrix.play({number: die}, down=0.0)
        assert value(street) == expected
        assert street.run().version == matrix.reference.run().version


def test_a_controller_that_dies_between_readings_loses_a_second_of_evidence_at_most(make):
    street = make()
    first = Controller(street, "first")
    drive_until(first, lambda: street.share() == 10.0)
    begun = street.clock()
    drive_until(first, lambda: street.clock() >= begun + 2.9)
    second = Controller(street, "second")
    second.engine.advance(street.id, second.claim())
    old, new = (one.engine.judge._runs[street.id].analysis for one in (first, second))
    assert old.watched - SAVE_EVERY <= new.watched <= old.watched + 2 * READ_EVERY
    lost = old.tally.candidate_finished - new.tally.candidate_finished
    assert lost <= 0, "counters are cumulative"


def test_a_controller_of_many_runs_saves_each_of_them_less_often_but_every_verdict_at_once(make, monkeypatch):
    # As if there were nearly three hundred runs, each of which is saved every four seconds.
    monkeypatch.setattr(judge, "MOST_SAVES", 0.35)
    street = make(deployment(Canary(steps=(10.0, 100.0), bake=20.0)))
    controller = Controller(street, "only")
    drive_until(controller, lambda: street.share() == 10.0)
    begun, moments = street.clock(), set()
    while street.clock() < begun + 18.0:
        controller.engine.advance(street.id, controller.claim())
        moments.add(street.store.load_evidence(street.id)["at"])
        street.pass_time(READ_EVERY)
    assert 4 <= len(moments) <= 6
    street.failing[street.plan.candidate.id] = 1.0
    drive_until(controller, lambda: street.run().failure is not None)
    assert street.store.load_evidence(street.id)["assessment"]["decision"] == "roll-back"
    assert street.clock() < begun + 24.0


def test_an_instance_that_was_ready_before_the_controller_died_is_missed_after_it(make):
    plan = deployment(CANARY, analysis=AnalysisPolicy(warmup=0.0, block=0.5, not_ready=2.0))
    street = make(plan)
    first = Controller(street, "first")
    drive_until(first, lambda: street.share() == 10.0)
    drive_until(first, lambda: street.run().current.step.title == "bake at 10 %" and street.clock() % 1 < 0.2)
    street.pass_time(SAVE_EVERY)
    first.engine.advance(street.id, first.claim())
    street.target.behave(street.plan.candidate.id, Behaviour(ready_after=None))
    Controller(street, "second").drive(approve)
    assert street.run().outcome == "rolled-back"
    assert street.run().failure.rule == "not-ready"


def test_a_hold_stops_the_clock_of_the_watch_and_is_recorded_once(make):
    street = make()
    controller = Controller(street, "only")
    drive_until(controller, lambda: street.share() == 10.0)
    begun = street.clock()
    drive_until(controller, lambda: street.clock() >= begun + 1.0)
    street.router.silent = True
    assert drive_until(controller, lambda: street.run().held is not None).phase == "held"
    silent = street.clock()
    drive_until(controller, lambda: street.clock() >= silent + 10.0)
    street.router.silent = False
    assert drive_until(controller, lambda: street.run().held is None).phase == "progressing"
    drive_until(controller, lambda: street.share() == 100.0)
    assert street.clock() - begun >= BAKE + 10.0 - READ_EVERY
    assert [event.rule for event in facts(street, Held)] == ["metrics-outage"]
    assert len(facts(street, Released)) == 1
    controller.drive(approve)
    assert street.run().outcome == "completed"


def test_a_hold_that_does_not_end_is_told_once_and_the_rollout_waits(make):
    street = make(deployment(CANARY, analysis=AnalysisPolicy(warmup=0.0, no_data=20.0)))
    controller = Controller(street, "only")
    drive_until(controller, lambda: street.share() == 10.0)
    street.router.silent = True
    drive_until(controller, lambda: street.run().held is not None)
    silent = street.clock()
    drive_until(controller, lambda: street.clock() >= silent + 15.0)
    assert street.run().attention is None
    drive_until(controller, lambda: street.clock() >= silent + 60.0)
    (told,) = facts(street, AttentionNeeded)
    assert told.at - silent == pytest.approx(20.0, abs=1.0)
    assert "the counters of the router could not be read" in told.reason
    assert street.share() == 10.0
    street.router.silent = False
    assert drive_until(controller, lambda: street.run().held is None).attention is None


def inconclusive(make, policy):
    """A bake in which nobody asks for anything."""
    analysis = AnalysisPolicy(warmup=0.0, block=0.5, inconclusive=policy)
    return make(deployment(CANARY, analysis=analysis), rate=0.0)


def test_a_bake_without_an_answer_pauses_the_run_and_resuming_begins_it_anew(make):
    street = inconclusive(make, "pause")
    controller = Controller(street, "only")
    run = drive_until(controller, lambda: street.run().paused is not None)
    assert (run.paused_by, run.verdict, run.phase) == ("fairway", "inconclusive", "paused")
    assert isinstance(run.current.step, Watch)
    waited = street.clock()
    drive_until(controller, lambda: street.clock() >= waited + 20.0)
    assert len(facts(street, Paused)) == 1
    street.rate = 400.0
    street.helm.resume_run(street.id, actor="bob")
    resumed = street.clock()
    run = drive_until(controller, lambda: street.share() == 100.0)
    assert run.extended == 1
    assert BAKE <= street.clock() - resumed <= BAKE + 4 * READ_EVERY
    controller.drive(approve)
    assert street.run().outcome == "completed"
    assert "inconclusive" in street.notifier.received.values()


def test_a_person_may_promote_what_could_not_be_judged(make):
    street = inconclusive(make, "pause")
    controller = Controller(street, "only")
    drive_until(controller, lambda: street.run().paused is not None)
    street.helm.promote_run(street.id, actor="bob")
    controller.drive(approve)
    assert street.run().outcome == "completed"
    assert len(facts(street, Advanced)) == 1
    assert [record.outcome for record in street.run().records].count("advanced") == 1


def test_a_bake_without_an_answer_may_count_as_good_or_as_the_end(make):
    street = inconclusive(make, "promote")
    assert live_through(street).outcome == "completed"
    assert facts(street, Paused) == []


def test_a_run_that_goes_back_without_an_answer_rejects_nothing(make):
    street = inconclusive(make, "rollback")
    run = live_through(street)
    assert (run.outcome, run.failure.rule, run.quarantined) == ("rolled-back", "inconclusive", False)
    assert facts(street, ArtifactQuarantined) == []


@pytest.mark.parametrize("plan", [deployment(Rolling(bake=2.0)), returning()], ids=["rolling", "rollback"])
def test_where_nobody_asks_for_anything_a_rolling_update_and_a_rollback_go_through(plan, make):
    assert live_through(make(plan, rate=0.0)).outcome == "completed"


def test_silence_while_stable_answers_never_ends_a_watch_as_good(make):
    analysis = AnalysisPolicy(warmup=0.0, block=0.5, no_data=3.0)
    street = make(deployment(Rolling(bake=2.0), analysis=analysis))
    count = street._count
    hanging = street.plan.candidate.id
    street._count = lambda revision, requests: 0 if revision == hanging else count(revision, requests)
    controller = Controller(street, "only")
    run = drive_until(controller, lambda: street.run().paused is not None or street.share() > 34.0)
    assert street.share() == 33.33
    assert (run.paused_by, run.verdict) == ("fairway", "inconclusive")
    assert "the candidate has finished no request" in run.paused


def test_a_candidate_that_fails_while_the_run_is_paused_is_taken_back(make):
    street = make()
    controller = Controller(street, "only")
    drive_until(controller, lambda: street.share() == 10.0)
    street.helm.pause_run(street.id, actor="bob", reason="lunch")
    paused = street.clock()
    drive_until(controller, lambda: street.clock() >= paused + 5.0)
    assert street.share() == 10.0
    street.failing.update(DEAD)
    bad = street.clock()
    drive_until(controller, lambda: street.share() == 0.0)
    assert street.clock() - bad <= 2.0
    controller.drive(approve)
    assert street.run().outcome == "rolled-back"


def test_a_candidate_that_fails_while_the_run_waits_before_a_step_is_taken_back(make):
    street = make()
    controller = Controller(street, "only")
    drive_until(controller, lambda: street.share() == 10.0)
    drive_until(controller, lambda: isinstance(street.run().current.step, Watch))
    street.helm.pause_run(street.id, actor="bob", reason="lunch")
    run = street.run()
    street.store.append(run, (StepFinished(street.clock(), "forward", run.cursor),), wake=0.0)
    street.failing.update(DEAD)
    bad = street.clock()
    drive_until(controller, lambda: street.share() == 0.0)
    assert street.clock() - bad <= 2.5
    assert facts(street, RollbackStarted)[0].cause == "failed"


def test_the_evidence_is_in_the_event_that_rests_on_it(make):
    street = make(failing=DEAD)
    live_through(street)
    (failed,) = facts(street, StepFailed)
    assert failed.evidence["decision"] == "roll-back"
    assert failed.evidence["evidence"]["candidate"]["failed"] > 0


def test_the_evidence_of_a_watch_that_ended_well_is_kept_with_it(make):
    street = make()
    run = live_through(street)
    watches = [event for event in facts(street, StepFinished) if isinstance(run.plan.forward[event.index].step, Watch)]
    assert len(watches) == 2
    assert all(event.data["evidence"]["evidence"]["candidate"]["finished"] > 0 for event in watches)
