"""What the engine makes of ports that fail: on the way there, on the way back, and past the commit point."""

from dataclasses import replace

import pytest
from engine_world import BEGIN, Controller, approve, break_while, drive_until, facts, live_through
from matrix import order_faults
from scripts import DEAD

from fairway.domain.errors import InvariantError, PermanentError, TransientError
from fairway.domain.rollout.events import (
    AttentionNeeded,
    RollbackStarted,
)
from fairway.domain.rollout.steps import AwaitReady, Watch
from fairway.domain.rollout.strategy import Canary, Rolling
from fairway.engine.advance import JUDGED_RETRY
from fairway.engine.attempt import LONGEST_RETRY, PATIENCE
from fairway.engine.judge import READ_EVERY
from fairway.testing.target import Behaviour
from rollout_samples import ENVIRONMENT, deployment, place

BAKE = 4.0
CANARY = Canary(steps=(10.0, 100.0), bake=BAKE)


def test_an_error_that_passes_in_time_is_only_waited_for(make):
    street = make()
    begun = street.clock()
    gone = TransientError("router-silent", "the router does not answer")
    break_while(street, "router.ensure_routes", gone, lambda: street.clock() < begun + PATIENCE - 10.0)
    run = live_through(street)
    assert run.outcome == "completed"
    assert facts(street, AttentionNeeded) == []


@pytest.mark.parametrize("weight", [0.0, 10.0])
def test_an_error_that_does_not_pass_leads_back_as_errored_and_rejects_nothing(weight, make):
    street = make()
    gone = TransientError("router-silent", "the router does not answer")
    forward = lambda: street.run().track == "forward" and street.run().weight > weight  # noqa: E731
    break_while(street, "router.ensure_routes", gone, forward)
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
    break_while(street, "router.ensure_routes", gone, lambda: street.run().weight == 100.0)
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
    break_while(street, "router.ensure_routes", error, lambda: back() and street.clock() < BEGIN + 4 * PATIENCE)
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
    break_while(street, "target.ensure_instances", refused, committed)
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
    break_while(
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
    break_while(street, "target.observe_instances", TransientError("target-silent", "nobody answers"))
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


def test_what_nobody_thought_of_stops_its_own_run_only_and_tells_a_person(make):
    street = make()
    controller = Controller(street, "only")
    break_while(street, "router.ensure_routes", KeyError("listener"), lambda: street.run().weight == 10.0)
    with pytest.raises(KeyError):
        drive_until(controller, lambda: False)
    assert street.run().attention.startswith("KeyError: 'listener'")
    with pytest.raises(KeyError):
        drive_until(controller, lambda: False)
    assert len(facts(street, AttentionNeeded)) == 1
    street.boundaries.broken.clear()
    controller.drive(approve)
    assert street.run().outcome == "completed"


def test_a_journal_that_fails_for_a_moment_delays_a_judged_run_by_half_a_second_only(make):
    street = make()
    controller = Controller(street, "only")
    drive_until(controller, lambda: street.share() == 10.0)
    street.helm.pause_run(street.id, actor="bob", reason="lunch")
    drive_until(controller, lambda: street.run().paused is not None)
    epoch, gone = controller.claim() or 1, TransientError("database-unreachable", "nobody answers")
    break_while(street, "store.load", gone)
    assert controller.engine.advance(street.id, epoch) == JUDGED_RETRY
    del street.boundaries.broken["store.load"]
    assert controller.engine.advance(street.id, epoch) == READ_EVERY


def test_a_journal_that_fails_is_asked_less_often_by_a_run_without_requests(make):
    street = make(deployment(CANARY, approvals=1))
    controller = Controller(street, "only")
    drive_until(controller, lambda: street.run().phase == "waiting-approval")
    break_while(street, "store.load", TransientError("database-unreachable", "nobody answers"))
    assert controller.engine.advance(street.id, 1) == LONGEST_RETRY


def test_a_journal_that_may_only_be_read_for_minutes_is_no_answer_about_the_candidate(make):
    street = make()
    controller = Controller(street, "only")
    drive_until(controller, lambda: street.share() == 10.0)
    begun = street.clock()
    closed = TransientError("database-read-only", "a standby is taking over")
    break_while(street, "store.save_evidence", closed, lambda: street.clock() < begun + 3 * PATIENCE)
    drive_until(controller, lambda: street.clock() > begun + 3 * PATIENCE, seconds=4 * PATIENCE)
    assert street.run().track == "forward"
    controller.drive(approve)
    assert street.run().outcome == "completed"
