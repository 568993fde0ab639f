import pytest

from fairway.domain.rollout.events import (
    AbortRequested,
    Advanced,
    Approved,
    ArtifactQuarantined,
    AttentionNeeded,
    Extended,
    Held,
    Paused,
    QuarantineLifted,
    Released,
    Resumed,
    RollbackStarted,
    RunEnded,
    StepFailed,
    StepFinished,
    StepStarted,
)
from fairway.domain.rollout.run import fold
from fairway.domain.rollout.steps import AwaitApprovals, Promote, Shift, Watch
from fairway.domain.rollout.strategy import Canary, Rolling
from rollout_samples import BEGIN, NEW, OLD, begun, deployment, done, place, returning, scaling

PLAN = deployment(Canary(steps=(10.0, 100.0)), approvals=1)
WATCH = place(PLAN, Watch)
BAKING = (*done(PLAN, WATCH), StepStarted(BEGIN + 1, "forward", WATCH))


def test_a_run_begins_with_nothing_done():
    run = begun(PLAN)
    assert (run.version, run.cursor, run.under_way, run.track, run.weight) == (1, 0, False, "forward", 0.0)
    assert run.wanted == (0, 2)
    assert (run.phase, run.verdict, run.live) == ("progressing", None, OLD)
    assert not run.judged
    assert run.returnable


def test_a_run_that_only_scales_has_all_requests_from_the_beginning():
    run = begun(scaling(5))
    assert (run.weight, run.live, run.judged) == (100.0, OLD, False)


def test_events_without_a_beginning_are_refused():
    with pytest.raises(ValueError, match="StepStarted"):
        fold("run-1", (StepStarted(BEGIN, "forward", 0),))
    with pytest.raises(ValueError, match="no events"):
        fold("run-1", ())


def test_a_wish_counts_from_the_start_of_its_step():
    shift = place(PLAN, Shift, 1)
    run = begun(PLAN, *done(PLAN, shift))
    assert (run.weight, run.judged, run.wanted) == (0.0, False, (2, 2))
    run = begun(PLAN, *done(PLAN, shift), StepStarted(BEGIN, "forward", shift))
    assert (run.weight, run.judged, run.under_way) == (10.0, True, True)


def test_every_step_leaves_a_record_with_its_times_and_its_outcome():
    run = begun(PLAN, StepStarted(BEGIN, "forward", 0), StepFinished(BEGIN + 2, "forward", 0, "unaltered"))
    (record,) = run.records
    assert (record.started, record.finished, record.outcome, record.detail) == (BEGIN, BEGIN + 2, "done", "unaltered")


def test_an_aborted_step_is_recorded_as_aborted_neither_failed_nor_errored():
    run = begun(PLAN, *BAKING, RollbackStarted(BEGIN + 9, "aborted", "abort", "aborted by bob"))
    assert (run.records[-1].outcome, run.records[-1].finished) == ("aborted", BEGIN + 9)
    assert (run.verdict, run.phase) == ("aborted", "rolling-back")


def test_a_failed_step_keeps_its_own_outcome_when_the_way_back_begins():
    facts = (
        StepFailed(BEGIN + 2, "forward", WATCH, "errored", "router-silent", "no answer"),
        RollbackStarted(BEGIN + 3, "errored", "router-silent", "no answer"),
    )
    run = begun(PLAN, *BAKING, *facts)
    assert (run.records[-1].outcome, run.records[-1].finished) == ("errored", BEGIN + 2)
    assert (run.verdict, run.failure.stage, run.failure.rule) == ("errored", "switch", "router-silent")


def test_a_pause_by_a_person_and_one_by_fairway_differ_in_their_verdict():
    run = begun(PLAN, *BAKING, Paused(BEGIN, "bob", "lunch"))
    assert (run.phase, run.paused, run.paused_by, run.verdict) == ("paused", "lunch", "bob", None)
    assert begun(PLAN, *BAKING, Paused(BEGIN, "fairway", "no requests")).verdict == "inconclusive"


def test_resuming_after_an_inconclusive_watch_begins_it_anew_and_after_a_person_it_does_not():
    run = begun(PLAN, *BAKING, Paused(BEGIN, "fairway", "no requests"), Resumed(BEGIN, "bob"))
    assert (run.paused, run.paused_by, run.extended, run.verdict, run.cursor) == (None, None, 1, None, WATCH)
    assert begun(PLAN, *BAKING, Paused(BEGIN, "bob", "lunch"), Resumed(BEGIN, "bob")).extended == 0


def test_advancing_counts_only_for_the_step_that_was_meant():
    run = begun(PLAN, *BAKING, Advanced(BEGIN, "bob", WATCH))
    assert (run.cursor, run.under_way, run.records[-1].outcome) == (WATCH + 1, False, "advanced")
    assert begun(PLAN, *BAKING, Advanced(BEGIN, "bob", WATCH - 1)).cursor == WATCH


def test_advancing_before_the_step_has_begun_is_recorded_all_the_same():
    run = begun(PLAN, *done(PLAN, WATCH), Advanced(BEGIN + 3, "bob", WATCH))
    assert run.cursor == WATCH + 1
    assert (run.records[-1].index, run.records[-1].outcome) == (WATCH, "advanced")


def test_an_approval_counts_once_a_person():
    run = begun(PLAN, Approved(BEGIN, "bob"), Approved(BEGIN, "bob"), Approved(BEGIN, "eve"))
    assert (run.approvals, run.version) == (("bob", "eve"), 4)


def test_waiting_for_approvals_shows_in_the_phase_before_and_while_it_is_waited():
    gate = place(PLAN, AwaitApprovals)
    run = begun(PLAN, *done(PLAN, gate))
    assert run.phase == "waiting-approval"
    assert begun(PLAN, *done(PLAN, gate), Paused(BEGIN, "bob", "lunch")).phase == "paused"


def test_an_abort_is_remembered_before_the_commit_point_and_dropped_after_it_and_on_the_way_back():
    abort = AbortRequested(BEGIN, "bob", "wrong day")
    assert begun(PLAN, abort).abort == abort
    assert begun(PLAN, *done(PLAN, PLAN.commit), abort).abort is None
    back = RollbackStarted(BEGIN, "failed", "hard-lane", "7 of 9")
    assert begun(PLAN, *BAKING, back, abort).abort is None


def test_a_hold_shows_until_it_is_released():
    held = Held(BEGIN, "metrics-outage", "no counters")
    run = begun(PLAN, *BAKING, held)
    assert (run.phase, run.held, run.held_reason) == ("held", "metrics-outage", "no counters")
    run = begun(PLAN, *BAKING, held, Released(BEGIN))
    assert (run.phase, run.held, run.held_reason) == ("progressing", None, "")


@pytest.mark.parametrize(
    "end",
    [
        StepFinished(BEGIN, "forward", WATCH),
        Advanced(BEGIN, "bob", WATCH),
        RollbackStarted(BEGIN, "failed", "hard-lane", "7 of 9"),
        RunEnded(BEGIN, "completed", "live"),
    ],
)
def test_a_hold_ends_with_its_step(end):
    run = begun(PLAN, *BAKING, Held(BEGIN, "metrics-outage", "no counters"), end)
    assert (run.held, run.held_reason) == (None, "")


def test_the_candidate_is_live_from_its_promotion_until_the_way_back():
    promoted = (*done(PLAN, place(PLAN, Promote) + 1),)
    run = begun(PLAN, *promoted)
    assert (run.promoted, run.live, run.phase) == (True, NEW, "observing")
    run = begun(PLAN, *promoted, RollbackStarted(BEGIN, "failed", "hard-lane", "7 of 9"))
    assert (run.promoted, run.live) == (False, OLD)


def test_the_way_back_begins_at_its_first_step_without_pause_or_hold():
    facts = (Paused(BEGIN, "bob", "lunch"), RollbackStarted(BEGIN, "failed", "hard-lane", "7 of 9"))
    run = begun(PLAN, *BAKING, *facts)
    assert (run.track, run.cursor, run.under_way, run.paused) == ("rollback", 0, False, None)
    assert not run.returnable
    assert not run.committed
    assert not run.judged


def test_weights_and_counts_follow_the_way_back():
    facts = (RollbackStarted(BEGIN, "failed", "hard-lane", "7 of 9"), *done(PLAN, len(PLAN.rollback), track="rollback"))
    run = begun(PLAN, *BAKING, *facts)
    assert (run.weight, run.wanted, run.current) == (0.0, (0, 2), None)


def test_attention_is_needed_until_the_step_is_done():
    needed = AttentionNeeded(BEGIN, "nothing answers")
    run = begun(PLAN, *BAKING, needed)
    assert run.attention == "nothing answers"
    assert begun(PLAN, *BAKING, needed, StepFinished(BEGIN, "forward", WATCH)).attention is None
    back = RollbackStarted(BEGIN, "aborted", "abort", "aborted by bob")
    assert begun(PLAN, *BAKING, needed, back).attention is None


def test_the_end_of_a_run_says_how_and_why():
    run = begun(PLAN, *done(PLAN, len(PLAN.forward)), RunEnded(BEGIN + 60, "completed", "live"))
    assert (run.outcome, run.ended, run.ended_reason, run.phase) == ("completed", BEGIN + 60, "live", "completed")
    assert (run.verdict, run.live) == ("passed", NEW)


def test_a_quarantine_is_remembered_and_lifting_one_is_done_once():
    digest = NEW.artifact.digest
    assert begun(PLAN, ArtifactQuarantined(BEGIN, digest, "7 of 9")).quarantined
    lifted = QuarantineLifted(BEGIN, "ann", digest, "network")
    assert begun(PLAN, lifted, lifts="network").lifts is None


def test_a_run_is_committed_from_the_commit_point_on():
    rolling = deployment(Rolling())
    for plan in (PLAN, rolling, returning(), deployment(Canary(), first=True)):
        assert not begun(plan, *done(plan, plan.commit - 1)).committed
        run = begun(plan, *done(plan, plan.commit))
        assert (run.committed, run.returnable, run.judged) == (True, False, False)


def test_a_watch_that_is_extended_goes_on_under_way_and_is_counted():
    extended = Extended(BEGIN + 2, WATCH, "too few requests")
    run = begun(PLAN, *BAKING, extended, extended)
    assert (run.cursor, run.under_way, run.extended, run.extensions, run.paused) == (WATCH, True, 2, 2, None)
    run = begun(PLAN, *BAKING, extended, Paused(BEGIN + 3, "fairway", "no answer"), Resumed(BEGIN + 4, "bob"))
    assert (run.extended, run.extensions) == (2, 0)
    run = begun(PLAN, *BAKING, extended, StepFinished(BEGIN + 3, "forward", WATCH))
    assert (run.cursor, run.extended, run.extensions) == (WATCH + 1, 1, 0)


def test_an_extension_of_a_watch_that_is_behind_changes_nothing():
    run = begun(PLAN, *BAKING, StepFinished(BEGIN + 3, "forward", WATCH), Extended(BEGIN + 4, WATCH, "late"))
    assert (run.extended, run.extensions) == (0, 0)
