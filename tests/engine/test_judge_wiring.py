"""What the engine makes of the analysis, and of ports that fail."""

from dataclasses import replace

import pytest
from boundaries import Crash
from engine_world import BEGIN, AtOnce, Controller, Street, approve, begin, live_through
from matrix import Matrix, order_faults
from scripts import DEAD, POISON, named

from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.errors import InvariantError, PermanentError, TransientError
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
from fairway.domain.rollout.steps import AwaitReady, Watch
from fairway.domain.rollout.strategy import Canary, Rolling
from fairway.engine.attempt import PATIENCE
from fairway.engine.judge import READ_EVERY, SAVE_EVERY, Judge
from fairway.testing.target import Behaviour
from rollout_samples import ENVIRONMENT, deployment, place, returning

BAKE = 4.0
CANARY = Canary(steps=(10.0, 100.0), bake=BAKE)


@pytest.fixture
def make(sqlite, clock):
    """Makes the one street of a test; its run has begun."""

    def make(plan=None, **world):
        street = Street(plan or deployment(CANARY), sqlite, clock, "e1", **world)
        begin(street)
        return street

    return make


def drive_until(controller, condition, *, seconds=60.0):
    """Advances the run until something is so."""
    street = controller.street
    epoch, deadline = controller.claim(), street.clock() + seconds
    while not condition():
        again = controller.engine.advance(street.id, epoch)
        street.pass_time(READ_EVERY if again is None else again)
        assert street.clock() < deadline, f"not within {seconds:g} s, at {street.run().phase}: {street.run().current}"
    return street.run()


def facts(street, kind):
    return [event for event in street.store.list_events(street.id) if isinstance(event, kind)]


def broken_while(street, call, error, condition=lambda: True):
    street.boundaries.broken[call] = lambda: error if condition() else None


# Evidence


def test_evidence_that_was_saved_is_the_evidence_that_goes_on(make):
    street = make(failing=POISON)
    controller = Controller(street, "first")
    drive_until(controller, lambda: street.share() == 10.0)
    saved = street.store.load_evidence(street.id)
    drive_until(controller, lambda: street.store.load_evidence(street.id)["at"] >= saved["at"] + 2.0)
    before = controller.engine.judge._runs[street.id].analysis
    stored = street.store.load_evidence(street.id)
    after = Judge(street.store, AtOnce())._resume(street.run()).analysis
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


# Decisions


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


# Errors


def test_an_error_that_passes_in_time_is_only_waited_for(make):
    street = make()
    begun = street.clock()
    gone = TransientError("router-silent", "the router does not answer")
    broken_while(street, "router.ensure_routes", gone, lambda: street.clock() < begun + PATIENCE - 10.0)
    run = live_through(street)
    assert run.outcome == "completed"
    assert facts(street, AttentionNeeded) == []


@pytest.mark.parametrize("weight", [0.0, 10.0])
def test_an_error_that_does_not_pass_leads_back_as_errored_and_rejects_nothing(weight, make):
    street = make()
    gone = TransientError("router-silent", "the router does not answer")
    forward = lambda: street.run().track == "forward" and street.run().weight > weight  # noqa: E731
    broken_while(street, "router.ensure_routes", gone, forward)
    run = live_through(street)
    assert (run.outcome, run.failure.cause, run.failure.rule) == ("rolled-back", "errored", "router-silent")
    assert (run.verdict, run.quarantined) == ("errored", False)
    spent = run.records[-len(run.plan.rollback) - 1]
    assert PATIENCE < spent.finished - spent.started < PATIENCE + 6.0


def test_errors_that_come_and_go_are_not_added_up(make):
    plan = deployment(CANARY)
    ready = place(plan, AwaitReady)
    patient = replace(plan.forward[ready], step=AwaitReady("candidate", 2, 1000.0))
    street = make(replace(plan, forward=(*plan.forward[:ready], patient, *plan.forward[ready + 1 :])))
    street.target.behave(street.plan.candidate.id, Behaviour(ready_after=200))
    begun, asked = street.clock(), []
    gone = TransientError("target-silent", "nobody answers")

    def now_and_then():
        passed = street.clock() - begun
        asked.append(passed < 3 * PATIENCE and passed % 50.0 < 40.0)
        return gone if asked[-1] else None

    street.boundaries.broken["target.observe_instances"] = now_and_then
    run = live_through(street)
    assert run.failure is None
    assert asked.count(True) > 30


def test_the_candidate_is_judged_as_often_while_a_step_is_tried_again(make):
    street = make()
    gone = TransientError("router-silent", "the router does not answer")
    broken_while(street, "router.ensure_routes", gone, lambda: street.run().weight == 100.0)
    controller = Controller(street, "only")
    drive_until(controller, lambda: street.run().weight == 100.0)
    tried = street.clock()
    drive_until(controller, lambda: street.clock() > tried + 20.0)
    street.failing.update(DEAD)
    bad = street.clock()
    run = drive_until(controller, lambda: street.run().track == "rollback")
    assert street.clock() - bad <= 3.0
    assert run.failure.cause == "failed"


def test_a_refusal_of_the_platform_leads_back_at_once(make):
    street = make(behaviours={deployment(CANARY).candidate.id: Behaviour(refused="no such program")})
    begun = street.clock()
    run = live_through(street)
    assert (run.outcome, run.failure.cause, run.failure.rule) == ("rolled-back", "errored", "program-missing")
    assert street.clock() - begun < 2.0


@pytest.mark.parametrize(
    ("error", "least"),
    [
        (TransientError("router-silent", "the router does not answer"), PATIENCE),
        (PermanentError("router-refused", "the router refuses"), 0.0),
        (InvariantError("routes-weight", "that cannot be"), 0.0),
    ],
)
def test_on_the_way_back_everything_is_tried_until_it_is_done_and_a_person_is_told_once(error, least, make):
    street = make(failing=DEAD)
    controller, back = Controller(street, "first"), lambda: street.run().track == "rollback"
    broken_while(street, "router.ensure_routes", error, lambda: back() and street.clock() < BEGIN + 4 * PATIENCE)
    drive_until(controller, back)
    begun = street.clock()
    drive_until(controller, lambda: street.run().attention is not None, seconds=2 * PATIENCE)
    assert street.clock() - begun >= least
    assert error.message in street.run().attention
    drive_until(controller, lambda: street.clock() > begun + 2 * PATIENCE, seconds=5 * PATIENCE)
    Controller(street, "second").drive(approve)
    assert street.run().outcome == "rolled-back"
    assert street.run().attention is None
    assert len(facts(street, AttentionNeeded)) == 1
    assert street.share() == 0.0
    assert list(street.notifier.received.values()).count("attention-needed") == 1


def test_after_the_commit_point_everything_is_tried_until_it_is_done_and_nothing_goes_back(make):
    street = make()
    controller = Controller(street, "only")
    refused = PermanentError("stop-refused", "it does not stop")
    committed = lambda: street.run().committed  # noqa: E731
    broken_while(street, "target.ensure_instances", refused, committed)
    run = drive_until(controller, lambda: street.run().attention is not None)
    assert run.committed
    waited = street.clock()
    drive_until(controller, lambda: street.clock() > waited + 3 * PATIENCE, seconds=5 * PATIENCE)
    street.boundaries.broken.clear()
    controller.drive(approve)
    assert street.run().outcome == "completed"
    assert len(facts(street, AttentionNeeded)) == 1
    assert facts(street, RollbackStarted) == []


def test_a_fault_of_our_own_stops_the_run_without_going_back_until_a_person_says_so(make):
    street = make()
    controller = Controller(street, "only")
    broken_while(
        street,
        "router.ensure_routes",
        InvariantError("routes-weight", "that cannot be"),
        lambda: street.run().track == "forward" and street.run().weight == 100.0,
    )
    drive_until(controller, lambda: street.run().attention is not None)
    waited = street.clock()
    drive_until(controller, lambda: street.clock() > waited + 3 * PATIENCE, seconds=5 * PATIENCE)
    assert street.run().track == "forward"
    street.helm.abort_run(street.id, actor="bob", reason="wrong day")
    controller.drive(approve)
    assert street.run().outcome == "rolled-back"


def test_a_stable_revision_that_does_not_come_back_is_waited_for_and_a_person_is_told(make):
    plan = deployment(Rolling(max_surge=0, max_unavailable=1, bake=2.0))
    street = make(plan, failing=DEAD)
    controller = Controller(street, "only")
    drive_until(controller, lambda: street.run().track == "rollback")
    street.target.behave(street.plan.stable.id, Behaviour(ready_after=None))
    run = drive_until(controller, lambda: street.run().attention is not None)
    assert "instances of the stable" in run.attention
    assert street.clock() - run.records[-1].started >= ENVIRONMENT.run.health.timeout
    waited = street.clock()
    drive_until(controller, lambda: street.clock() > waited + 60.0, seconds=90.0)
    street.target.behave(street.plan.stable.id, Behaviour())
    controller.drive(approve)
    assert street.run().outcome == "rolled-back"
    assert len(facts(street, AttentionNeeded)) == 1


def test_a_look_at_instances_that_fails_says_nothing_about_the_candidate(make):
    street = make()
    controller = Controller(street, "only")
    drive_until(controller, lambda: isinstance(street.run().current.step, Watch) and street.run().under_way)
    broken_while(street, "target.observe_instances", TransientError("target-silent", "nobody answers"))
    begun = street.clock()
    drive_until(controller, lambda: street.clock() > begun + BAKE - 1.0)
    assert street.run().held is None
    street.boundaries.broken.clear()
    controller.drive(approve)
    assert street.run().outcome == "completed"


def test_evidence_of_a_controller_that_lost_the_run_is_not_saved(make):
    street = make()
    first = Controller(street, "first")
    epoch = first.claim()
    drive_until(first, lambda: street.share() == 10.0)
    second = Controller(street, "second")
    second.claim()
    saved = street.store.load_evidence(street.id)
    street.pass_time(5.0)
    assert first.engine.advance(street.id, epoch) is None
    assert street.store.load_evidence(street.id) == saved
    second.drive(approve)
    assert order_faults(street.store.list_events(street.id)) == []
