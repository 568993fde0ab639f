from dataclasses import replace

import pytest

from fairway.domain.rollout.decide import Done, Perform, Record, Wait, decide
from fairway.domain.rollout.events import (
    AbortRequested,
    Advanced,
    Approved,
    ArtifactQuarantined,
    Held,
    Paused,
    QuarantineLifted,
    Resumed,
    RollbackStarted,
    RunEnded,
    StepFailed,
    StepFinished,
    StepStarted,
)
from fairway.domain.rollout.run import evolve
from fairway.domain.rollout.steps import AwaitApprovals, AwaitReady, CheckHttp, Promote, RunCommand, Scale, Shift, Watch
from fairway.domain.rollout.strategy import BlueGreen, Canary, Rolling
from rollout_samples import BEGIN, NEW, OLD, begun, deployment, done, place, returning, scaling

PLAN = deployment(Canary(steps=(10.0, 100.0)), approvals=2)
NOW = BEGIN + 5.0
KINDS = (RunCommand, Scale, AwaitReady, Shift, CheckHttp, Promote)
ABORT = AbortRequested(NOW, "bob", "wrong day")
PAUSE = Paused(NOW, "bob", "lunch")


def before(kind, number=0, plan=PLAN):
    """A run whose next step is that one."""
    return begun(plan, *done(plan, place(plan, kind, number)))


def within(kind, number=0, plan=PLAN):
    """A run that has that step under way."""
    run = before(kind, number, plan)
    return evolve(run, StepStarted(BEGIN, "forward", run.cursor))


def after(run, *events):
    for event in events:
        run = evolve(run, event)
    return run


def failure(run, cause="failed", rule="hard-lane"):
    return StepFailed(NOW, "forward", run.cursor, cause, rule, "7 of 9 requests failed")


def test_a_step_is_recorded_before_it_is_performed_and_the_next_one_follows():
    run = begun(PLAN)
    assert decide(run, NOW) == Record(StepStarted(NOW, "forward", 0))
    run = after(run, StepStarted(NOW, "forward", 0))
    assert decide(run, NOW) == Perform(PLAN.forward[0])
    run = after(run, StepFinished(NOW, "forward", 0))
    assert decide(run, NOW) == Record(StepStarted(NOW, "forward", 1))


def test_after_the_last_step_the_run_ends_and_then_there_is_nothing_to_do():
    run = begun(PLAN, *done(PLAN, len(PLAN.forward)))
    assert decide(run, NOW) == Record(RunEnded(NOW, "completed", "1.1.0 is live in production"))
    assert decide(after(run, RunEnded(NOW, "completed", "")), NOW) == Done()


@pytest.mark.parametrize("kind", KINDS)
def test_an_abort_wins_over_every_step_before_the_commit_point(kind):
    wanted = Record(RollbackStarted(NOW, "aborted", "abort", "aborted by bob: wrong day"))
    assert decide(after(before(kind), ABORT), NOW) == wanted
    assert decide(after(within(kind), ABORT), NOW) == wanted


@pytest.mark.parametrize("kind", [AwaitApprovals, Watch])
def test_an_abort_wins_over_waiting(kind):
    assert isinstance(decide(after(within(kind), ABORT), NOW).event, RollbackStarted)
    assert isinstance(decide(after(within(kind), PAUSE, ABORT), NOW).event, RollbackStarted)


def test_after_the_commit_point_nothing_goes_back():
    run = begun(PLAN, *done(PLAN, PLAN.commit))
    assert decide(after(run, ABORT), NOW) == Record(StepStarted(NOW, "forward", PLAN.commit))
    run = after(run, StepStarted(NOW, "forward", PLAN.commit))
    assert decide(after(run, ABORT), NOW) == Perform(PLAN.forward[PLAN.commit])
    late = replace(run, failure=begun(PLAN, failure(begun(PLAN))).failure)
    assert decide(late, NOW) == Perform(PLAN.forward[PLAN.commit])


def test_a_last_abort_right_before_the_commit_point_still_goes_back():
    run = begun(PLAN, *done(PLAN, PLAN.commit - 1), StepStarted(NOW, "forward", PLAN.commit - 1))
    assert isinstance(decide(after(run, ABORT), NOW).event, RollbackStarted)


def test_a_failure_starts_the_way_back_with_its_cause_and_wins_over_an_abort():
    run = within(Watch)
    wanted = Record(RollbackStarted(NOW, "failed", "hard-lane", "7 of 9 requests failed"))
    assert decide(after(run, failure(run)), NOW) == wanted
    assert decide(after(run, ABORT, failure(run)), NOW) == wanted
    assert decide(after(run, failure(run, "errored")), NOW).event.cause == "errored"


@pytest.mark.parametrize("kind", [*KINDS, AwaitApprovals])
def test_a_pause_stops_before_the_next_step_and_resuming_goes_on(kind):
    run = after(before(kind), PAUSE)
    assert decide(run, NOW) == Wait()
    assert decide(after(run, Resumed(NOW, "bob")), NOW) == Record(StepStarted(NOW, "forward", run.cursor))


@pytest.mark.parametrize("kind", KINDS[:-1])
def test_a_step_under_way_is_finished_although_the_run_is_paused(kind):
    run = after(within(kind), PAUSE)
    assert decide(run, NOW) == Perform(run.current)
    assert decide(after(run, StepFinished(NOW, "forward", run.cursor)), NOW) == Wait()


def test_a_watch_begins_and_goes_on_while_the_run_is_paused_so_that_the_candidate_is_judged():
    run = after(before(Watch), PAUSE)
    assert decide(run, NOW) == Record(StepStarted(NOW, "forward", run.cursor))
    run = after(run, StepStarted(NOW, "forward", run.cursor))
    assert decide(run, NOW) == Perform(run.current)


def test_a_pause_within_a_watch_keeps_the_next_step_from_beginning():
    run = after(within(Watch), PAUSE, StepFinished(NOW, "forward", within(Watch).cursor))
    assert decide(run, NOW) == Wait()


def test_a_run_that_has_done_everything_ends_although_it_is_paused():
    run = begun(PLAN, *done(PLAN, len(PLAN.forward)), PAUSE)
    assert isinstance(decide(run, NOW).event, RunEnded)


def test_approvals_of_different_people_open_the_gate():
    run = within(AwaitApprovals)
    assert decide(run, NOW) == Wait()
    run = after(run, Approved(NOW, "bob"), Approved(NOW, "bob"))
    assert decide(run, NOW) == Wait()
    run = after(run, Approved(NOW, "eve"))
    assert decide(run, NOW) == Perform(run.current)
    assert decide(after(run, PAUSE), NOW) == Wait()


def test_approvals_may_come_before_they_are_asked_for():
    early = begun(PLAN, Approved(BEGIN, "bob"), Approved(BEGIN, "eve"), *done(PLAN, place(PLAN, AwaitApprovals)))
    run = after(early, StepStarted(NOW, "forward", early.cursor))
    assert decide(run, NOW) == Perform(run.current)


def test_advancing_skips_the_rest_of_a_watch_and_a_pause_with_it():
    run = within(Watch)
    run = after(run, PAUSE, Advanced(NOW, "bob", run.cursor))
    assert decide(run, NOW) == Record(StepStarted(NOW, "forward", run.cursor))
    assert isinstance(run.current.step, Shift)
    assert run.records[-1].outcome == "advanced"


def test_time_alone_decides_nothing():
    run = within(AwaitReady)
    assert decide(run, BEGIN + 1e9) == decide(run, BEGIN - 1e9) == Perform(run.current)


def test_the_way_back_is_taken_step_by_step_and_ends_the_run():
    run = after(within(Watch), RollbackStarted(NOW, "aborted", "abort", "aborted by bob"))
    for index, planned in enumerate(PLAN.rollback):
        assert decide(run, NOW) == Record(StepStarted(NOW, "rollback", index))
        run = after(run, StepStarted(NOW, "rollback", index))
        assert decide(run, NOW) == Perform(planned)
        run = after(run, StepFinished(NOW, "rollback", index))
    assert decide(run, NOW) == Record(RunEnded(NOW, "rolled-back", "aborted by bob"))


def test_nothing_a_person_does_stops_the_way_back():
    run = after(within(Watch), RollbackStarted(NOW, "aborted", "abort", "aborted by bob"))
    for event in (PAUSE, ABORT, Approved(NOW, "eve"), Advanced(NOW, "eve", 0), Resumed(NOW, "eve")):
        assert decide(after(run, event), NOW) == Record(StepStarted(NOW, "rollback", 0))


def rejects(run, cause, rule="hard-lane"):
    """The artifact that is quarantined once the run goes back for that; None if none is."""
    run = after(run, RollbackStarted(NOW, cause, rule, "7 of 9 requests failed"))
    event = decide(run, NOW).event
    if not isinstance(event, ArtifactQuarantined):
        return None
    assert isinstance(decide(after(run, event), NOW).event, StepStarted), "once is enough"
    assert event.reason == "7 of 9 requests failed"
    return event.digest


@pytest.mark.parametrize("plan", [PLAN, deployment(BlueGreen()), deployment(Rolling())])
def test_an_artifact_that_ran_and_failed_is_quarantined(plan):
    assert rejects(within(Watch, plan=plan), "failed") == NEW.artifact.digest


def test_an_artifact_whose_first_deployment_failed_is_quarantined():
    plan = deployment(Canary(), first=True)
    assert rejects(within(AwaitReady, plan=plan), "failed", "not-ready") == NEW.artifact.digest


def test_an_artifact_that_was_stopped_or_could_not_be_judged_is_not_quarantined():
    for cause in ("aborted", "errored"):
        assert rejects(within(Watch), cause) is None
    assert rejects(within(Watch), "failed", "inconclusive") is None


def test_an_artifact_that_did_not_run_yet_is_not_quarantined():
    run = within(RunCommand)
    assert rejects(after(run, failure(run, rule="command")), "failed", "command") is None


def test_an_artifact_that_is_live_already_is_not_quarantined_because_its_new_configuration_is_bad():
    plan = replace(PLAN, candidate=replace(NEW, artifact=OLD.artifact))
    assert rejects(within(Watch, plan=plan), "failed") is None


def test_an_artifact_is_not_quarantined_because_it_could_not_be_scaled():
    assert rejects(within(AwaitReady, plan=scaling(5)), "failed", "not-ready") is None


def test_a_rollback_by_hand_quarantines_what_it_came_from_in_the_end():
    plan = returning()
    run = begun(plan, *done(plan, len(plan.forward)))
    wanted = ArtifactQuarantined(NOW, OLD.artifact.digest, "new prices")
    assert decide(run, NOW) == Record(wanted)
    assert isinstance(decide(after(run, wanted), NOW).event, RunEnded)


def test_a_rollback_to_another_configuration_of_the_same_artifact_quarantines_nothing():
    plan = replace(returning(), candidate=replace(NEW, artifact=OLD.artifact))
    run = begun(plan, *done(plan, len(plan.forward)))
    assert isinstance(decide(run, NOW).event, RunEnded)


def test_lifting_a_quarantine_is_the_first_fact_of_the_run_that_asks_for_it():
    run = begun(PLAN, lifts="it was the network")
    event = QuarantineLifted(NOW, "ann", NEW.artifact.digest, "it was the network")
    assert decide(run, NOW) == Record(event)
    assert decide(after(run, event), NOW) == Record(StepStarted(NOW, "forward", 0))


def test_a_hold_changes_nothing_about_what_is_next():
    run = within(Watch)
    assert decide(after(run, Held(NOW, "metrics-outage", "no counters")), NOW) == Perform(run.current)
