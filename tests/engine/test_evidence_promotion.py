"""Steps that end on evidence: not before their least time, as soon as it is there, and without an answer else."""

import pytest
from engine_world import Controller, approve, drive_until, facts, live_through
from scripts import EVIDENCE, WIDE

from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.rollout.events import Extended, Paused
from fairway.domain.rollout.steps import Watch
from fairway.domain.rollout.strategy import Canary, StepTimes
from fairway.domain.rollout.watching import MOST_EXTENSIONS
from fairway.engine.judge import READ_EVERY
from rollout_samples import deployment

DEADLINE = EVIDENCE.bake


def bake_of(street):
    """Seconds that the bake took, and what was written down at its end."""
    run = street.run()
    (index,) = (i for i, planned in enumerate(run.plan.forward) if getattr(planned.step, "purpose", "") == "bake")
    record = next(record for record in run.records if (record.track, record.index) == ("forward", index))
    return record.finished - record.started, record.detail


def policy(inconclusive="pause", margin=0.05):
    return AnalysisPolicy(
        warmup=0.0, block=0.5, absolute_margin=margin, abandoned_points=0.05, inconclusive=inconclusive
    )


def at_the_bake(make, **world):
    street = make(deployment(EVIDENCE, analysis=world.pop("analysis", WIDE)), **world)
    controller = Controller(street, "only")
    drive_until(controller, lambda: street.share() == 10.0)
    drive_until(controller, lambda: isinstance(street.run().current.step, Watch))
    return street, controller


def test_a_step_ends_as_soon_as_the_candidate_is_shown_to_be_good(make):
    street = make(deployment(EVIDENCE, analysis=WIDE))
    assert live_through(street).outcome == "completed"
    took, sentence = bake_of(street)
    assert EVIDENCE.min_bake < took < DEADLINE - 2.0
    assert sentence.startswith("Good enough to go on after ")
    assert "errors e-value" in sentence


def test_no_step_ends_before_its_least_time_however_much_is_shown(make):
    strategy = Canary(steps=(10.0, 100.0), bake=8.0, min_bake=5.0)
    street = make(deployment(strategy, analysis=WIDE), rate=40_000.0)
    live_through(street)
    took, _ = bake_of(street)
    assert 5.0 <= took <= 5.0 + 3 * READ_EVERY


def test_each_step_has_times_of_its_own(make):
    own = (StepTimes(50.0, 8.0, 4.0),)
    strategy = Canary(steps=(10.0, 50.0, 100.0), bake=2.0, own=own)
    street = make(deployment(strategy, analysis=WIDE), rate=4_000.0)
    run = live_through(street)
    bakes = [one for one in run.records if getattr(run.plan.forward[one.index].step, "purpose", "") == "bake"]
    first, second = (one.finished - one.started for one in bakes if one.track == "forward")
    assert 2.0 <= first <= 2.0 + 3 * READ_EVERY
    assert 4.0 <= second <= 4.0 + 3 * READ_EVERY


def test_evidence_of_one_step_does_not_count_in_the_next(make):
    strategy = Canary(steps=(10.0, 11.0, 100.0), bake=8.0, min_bake=0.5)
    street = make(deployment(strategy, analysis=WIDE))
    run = live_through(street)
    bakes = [one for one in run.records if getattr(run.plan.forward[one.index].step, "purpose", "") == "bake"]
    first, second = (one.finished - one.started for one in bakes if one.track == "forward")
    assert second >= 0.8 * first * 10.0 / 11.0


def test_at_the_deadline_too_little_evidence_is_no_answer_and_the_missing_requests_are_named(make):
    street, controller = at_the_bake(make, analysis=policy(margin=0.0001))
    begun = street.clock()
    run = drive_until(controller, lambda: street.run().paused is not None)
    assert DEADLINE <= street.clock() - begun <= DEADLINE + 3 * READ_EVERY
    assert (run.paused_by, run.verdict, run.phase) == ("fairway", "inconclusive", "paused")
    assert "about 1," in run.paused
    assert "more canary requests" in run.paused
    assert "An error ratio of 1 % would have been found with a probability of " in run.paused


def test_what_was_shown_at_one_weight_still_counts_when_the_watch_is_begun_again(make):
    analysis = policy(margin=0.007)
    street, controller = at_the_bake(make, analysis=analysis)
    drive_until(controller, lambda: street.run().paused is not None)
    street.helm.resume_run(street.id, actor="bob")
    resumed = street.clock()
    drive_until(controller, lambda: street.share() == 100.0)
    assert EVIDENCE.min_bake <= street.clock() - resumed < DEADLINE


def test_a_step_without_an_answer_is_extended_a_few_times_and_then_waits_for_a_person(make):
    street, controller = at_the_bake(make, rate=0.0, analysis=policy("extend"))
    begun = street.clock()
    run = drive_until(controller, lambda: street.run().paused is not None)
    rounds = MOST_EXTENSIONS + 1
    assert rounds * DEADLINE <= street.clock() - begun <= rounds * (DEADLINE + 4 * READ_EVERY)
    assert [event.index for event in facts(street, Extended)] == [run.cursor] * MOST_EXTENSIONS
    (paused,) = facts(street, Paused)
    assert paused.reason.startswith(f"Inconclusive after {rounds * DEADLINE:.0f} s at 10 %")
    street.helm.resume_run(street.id, actor="bob")
    drive_until(controller, lambda: len(facts(street, Extended)) == MOST_EXTENSIONS + 1)


def test_an_extended_step_that_is_shown_to_be_good_goes_on(make):
    street, controller = at_the_bake(make, rate=0.0, analysis=policy("extend"))
    drive_until(controller, lambda: len(facts(street, Extended)) == 1)
    street.rate = 400.0
    controller.drive(approve)
    assert street.run().outcome == "completed"
    assert facts(street, Paused) == []
    assert len(facts(street, Extended)) == 1


@pytest.mark.parametrize(("inconclusive", "outcome"), [("promote", "completed"), ("rollback", "rolled-back")])
def test_the_policy_says_what_becomes_of_a_step_without_an_answer(inconclusive, outcome, make):
    street = make(deployment(EVIDENCE, analysis=policy(inconclusive)), rate=0.0)
    assert live_through(street).outcome == outcome
    took, sentence = bake_of(street)
    assert took >= DEADLINE
    assert sentence.startswith("Inconclusive after 8 s at 10 %")


def test_a_hold_stops_the_clock_of_the_deadline(make):
    street, controller = at_the_bake(make, analysis=policy(margin=0.0001))
    begun = street.clock()
    drive_until(controller, lambda: street.clock() >= begun + 2.0)
    street.router.silent = True
    drive_until(controller, lambda: street.clock() >= begun + 22.0)
    assert street.run().paused is None
    street.router.silent = False
    drive_until(controller, lambda: street.run().paused is not None)
    assert street.clock() - begun >= DEADLINE + 19.0


def test_a_shared_incident_stops_the_clock_and_is_no_evidence(make):
    street, controller = at_the_bake(make, analysis=policy(margin=0.0001))
    drive_until(controller, lambda: street.store.load_evidence(street.id)["assessment"]["watched"] >= 3.0)
    street.failing.update({street.plan.candidate.id: 0.5, street.plan.stable.id: 0.5})
    drive_until(controller, lambda: street.run().held == "shared-incident")

    def seen():
        assessment = street.store.load_evidence(street.id)["assessment"]
        return assessment["watched"], [one["e_value"] for one in assessment["evidence"]["promotion"]]

    drive_until(controller, lambda: street.clock() % 1.0 < READ_EVERY)
    since, (watched, odds) = street.clock(), seen()
    drive_until(controller, lambda: street.clock() >= since + 10.0)
    later, still = seen()
    assert later - watched <= 1.0
    assert still == pytest.approx(odds, rel=5.0)
    assert street.run().phase == "held"


def test_a_candidate_that_fails_is_taken_back_before_any_evidence_for_it(make):
    street, _ = at_the_bake(make, analysis=policy(margin=0.0001))
    street.failing.update({street.plan.candidate.id: 1.0})
    run = live_through(street)
    assert (run.outcome, run.failure.rule) == ("rolled-back", "hard-lane")


def test_the_evidence_for_a_candidate_goes_on_after_the_controller_died(make):
    street, first = at_the_bake(make, analysis=policy(margin=0.01))
    begun = street.clock()
    drive_until(first, lambda: street.clock() >= begun + 4.9)
    known = first.engine.judge._runs[street.id].analysis.promotion.errors
    second = Controller(street, "second")
    street.pass_time(9.0)
    second.engine.advance(street.id, second.claim())
    inherited = second.engine.judge._runs[street.id].analysis.promotion.errors
    assert inherited.stable.finished >= known.stable.finished > 0
    assert inherited.e_value() > 1.0
    drive_until(second, lambda: street.share() == 100.0, seconds=6.0)
