"""A canary beside fresh instances of the stable release: what becomes of them, and what they may not do."""

from dataclasses import replace

import pytest
from engine_world import Controller, approve, drive_until, facts, live_through
from matrix import order_faults
from scripts import BESIDE

from fairway.adapters.metrics.conditions import CelConditions
from fairway.domain.analysis.metrics.policy import Metric, MetricsPolicy, Rule
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.rollout.events import AttentionNeeded, Held, Released, StepFailed
from fairway.domain.rollout.routes import Mirror
from fairway.domain.rollout.steps import Watch
from fairway.domain.rollout.strategy import Canary, Rehearsal
from fairway.testing.metrics import FakeSource
from fairway.testing.target import Behaviour
from rollout_samples import NEW, OLD, begun, deployment, done

LONG = Canary(steps=(10.0, 50.0, 75.0, 100.0), bake=12.0, baseline=True)


def baseline_of(street):
    return street.plan.baseline.id


def at_the_bake(make, strategy=LONG, **world):
    street = make(deployment(strategy, **world.pop("plan", {})), **world)
    controller = Controller(street, "only")
    drive_until(controller, lambda: isinstance(street.run().current.step, Watch))
    return street, controller


def test_the_baseline_gets_as_much_as_the_candidate_then_what_is_left_and_is_gone_at_the_end(make):
    street = make(deployment(LONG))
    run = live_through(street)
    assert run.outcome == "completed"
    shares = [(routes.weight, routes.baseline_weight) for routes in street.router.history if routes.candidate]
    assert list(dict.fromkeys(shares)) == [(0.0, 0.0), (10.0, 10.0), (50.0, 50.0), (75.0, 25.0), (100.0, 0.0)]
    assert street.target.list_revisions() == (NEW.id,)
    assert baseline_of(street) not in str(street.router.observe().routes)


def test_both_are_started_before_anybody_waits_for_either(make):
    street = make(deployment(LONG))
    drive_until(Controller(street, "only"), lambda: street.share() == 10.0)
    since = {revision: street.target._of(revision)[0].since for revision in (NEW.id, baseline_of(street))}
    assert max(since.values()) - min(since.values()) <= 0.2


def test_what_is_wrong_with_fresh_instances_of_either_release_takes_nothing_back(make):
    strategy = Canary(steps=(10.0, 40.0, 100.0), bake=6.0, baseline=True)
    failing = {NEW.id: 0.05, deployment(strategy).baseline.id: 0.05}
    street, controller = at_the_bake(make, strategy, failing=failing)
    drive_until(controller, lambda: street.share() == 100.0)
    assert facts(street, Held) == []
    street.failing.clear()
    controller.drive(approve)
    assert street.run().outcome == "completed"


def test_where_all_that_serves_is_young_and_fails_the_rollout_waits_until_it_is_older(make):
    failing = {NEW.id: 0.05, deployment(LONG).baseline.id: 0.05}
    street, controller = at_the_bake(make, failing=failing)
    run = drive_until(controller, lambda: street.run().held is not None)
    assert (run.weight, run.held) == (50.0, "shared-incident")
    street.failing.clear()
    controller.drive(approve)
    assert street.run().outcome == "completed"


def test_what_is_wrong_with_the_candidate_alone_takes_it_back(make):
    street = make(deployment(LONG), failing={NEW.id: 0.05})
    run = live_through(street)
    assert run.outcome == "rolled-back"
    assert "the baseline" in run.failure.reason
    assert street.target.list_revisions() == (OLD.id,)


def test_the_way_back_gives_all_requests_to_stable_by_one_change_and_none_to_the_baseline(make):
    street, controller = at_the_bake(make, failing={NEW.id: 1.0})
    before = len(street.router.history)
    drive_until(controller, lambda: street.run().track == "rollback")
    first = street.router.history[before]
    assert (first.stable, first.weight, first.baseline_weight) == (OLD.id, 0.0, 0.0)


def test_a_baseline_that_crashes_is_told_and_the_rollout_goes_on(make):
    street, controller = at_the_bake(make)
    street.pass_time(1.0)
    drive_until(controller, lambda: street.store.load_evidence(street.id) is not None)
    street.target.kill(f"{baseline_of(street)}.1")
    run = drive_until(controller, lambda: street.run().held is not None)
    assert (run.phase, run.held) == ("held", "baseline")
    assert f"instance {baseline_of(street)}.1 of the baseline" in run.held_reason
    controller.drive(approve)
    assert street.run().outcome == "completed"
    assert (len(facts(street, Held)), len(facts(street, Released))) == (1, 1)
    assert street.picture()["rejected"] == []


def test_a_baseline_that_stays_down_is_told_to_a_person_who_may_go_on_without_it(make):
    analysis = AnalysisPolicy(warmup=0.0, block=0.5, no_data=20.0)
    street, controller = at_the_bake(make, plan={"analysis": analysis})
    drive_until(controller, lambda: street.store.load_evidence(street.id) is not None)
    street.target.behave(baseline_of(street), Behaviour(ready_after=None))
    for one in street.target._of(baseline_of(street)):
        street.target.kill(one.id)
    run = drive_until(controller, lambda: street.run().attention is not None)
    assert "of the baseline is not ready any more" in run.attention
    assert len(facts(street, AttentionNeeded)) == 1
    for _ in range(3):
        assert street.run().phase == "held"
        street.helm.promote_run(street.id, actor="bob")
        weight = street.run().weight
        drive_until(controller, lambda weight=weight: street.run().weight != weight)
    controller.drive(approve)
    assert street.run().outcome == "completed"
    assert street.target.list_revisions() == (NEW.id,)


def test_a_stable_release_that_does_not_start_any_more_rejects_no_candidate(make):
    street = make(deployment(LONG), behaviours={deployment(LONG).baseline.id: Behaviour(crashes=True)})
    run = live_through(street)
    assert (run.outcome, run.verdict, run.failure.rule) == ("rolled-back", "errored", "baseline-not-ready")
    assert "does not become ready" in facts(street, StepFailed)[0].reason
    assert street.picture()["rejected"] == []
    assert street.target.list_revisions() == (OLD.id,)


@pytest.mark.parametrize("after", ["check", "switch"])
def test_an_abort_ends_the_baseline_wherever_it_comes(after, make):
    street = make(deployment(BESIDE))
    controller = Controller(street, "only")
    drive_until(controller, lambda: street.run().current.stage == after and street.run().under_way)
    street.helm.abort_run(street.id, actor="bob", reason="wrong day")
    controller.drive(approve)
    assert street.run().outcome == "rolled-back"
    assert street.target.list_revisions() == (OLD.id,)
    assert order_faults(street.store.list_events(street.id)) == []


def test_metrics_of_stable_are_those_of_the_baseline_until_all_requests_go_to_the_candidate(make):
    queue = Metric("queue", "gauge", query='queue{revision="{{revision}}"}', ratio=1.5, interval=1.0)
    analysis = AnalysisPolicy(warmup=0.0, block=0.5, metrics=MetricsPolicy(metrics=(queue,)))
    street = make(deployment(LONG, analysis=analysis))
    source = FakeSource({f'queue{{revision="{one}"}}': (("", 5.0),) for one in (NEW.id, baseline_of(street), OLD.id)})
    world = street.world
    street.world = lambda: replace(world(), metrics=source, conditions=CelConditions())
    controller = Controller(street, "only")
    drive_until(controller, lambda: street.share() == 75.0)
    asked = {query for query, _ in source.asked}
    assert asked == {f'queue{{revision="{one}"}}' for one in (NEW.id, baseline_of(street))}
    controller.drive(approve)
    assert {query for query, _ in source.asked} - asked == {f'queue{{revision="{OLD.id}"}}'}


def at_a_metric(make, **values):
    """A canary with a gauge that is compared; instances that scale up count as cold for a minute."""
    queue = Metric("queue", "gauge", query='queue{revision="{{revision}}"}', ratio=1.5, interval=1.0)
    analysis = AnalysisPolicy(warmup=60.0, block=0.5, metrics=MetricsPolicy(metrics=(queue,), alpha=0.002))
    strategy = Canary(steps=(10.0, 100.0), bake=240.0, baseline=True)
    street = make(deployment(strategy, analysis=analysis))
    names = {"new": NEW.id, "fresh": baseline_of(street)}
    queries = {name: f'queue{{revision="{one}"}}' for name, one in names.items()}
    source = FakeSource({queries[name]: (("", values.get(name, 5.0)),) for name in queries})
    world = street.world
    street.world = lambda: replace(world(), metrics=source)
    controller = Controller(street, "only")
    drive_until(controller, lambda: street.share() == 10.0)
    return street, controller, lambda value: source.answers.update({queries["new"]: (("", value),)})


def test_metrics_are_compared_from_the_first_reading_on_where_both_are_as_young(make):
    street, controller, _ = at_a_metric(make, new=50.0)
    begun = street.clock()
    run = drive_until(controller, lambda: street.run().failure is not None)
    assert run.failure.rule == "metric-queue"
    assert street.clock() - begun < 50.0


def test_while_the_baseline_is_down_metrics_are_no_evidence(make):
    street, controller, answer = at_a_metric(make)
    street.target.behave(baseline_of(street), Behaviour(ready_after=None))
    for one in street.target._of(baseline_of(street)):
        street.target.kill(one.id)
    drive_until(controller, lambda: street.run().held == "baseline")
    answer(50.0)
    since = street.clock()
    drive_until(controller, lambda: street.clock() >= since + 50.0)
    assert (street.run().held, street.run().failure) == ("baseline", None)


def test_rules_that_name_stable_look_at_the_baseline(make):
    worse = Rule(
        "worse",
        "candidate.error_ratio > 2.0 * stable.error_ratio",
        ("candidate.error_ratio", "stable.error_ratio"),
        lasting=2.0,
    )
    analysis = AnalysisPolicy(warmup=0.0, block=0.5, metrics=MetricsPolicy(rules=(worse,)))
    strategy = Canary(steps=(10.0, 40.0, 100.0), bake=6.0, baseline=True)
    young = {NEW.id: 0.05, deployment(strategy).baseline.id: 0.05}
    street = make(deployment(strategy, analysis=analysis), failing=young)
    world = street.world
    street.world = lambda: replace(world(), conditions=CelConditions())
    controller = Controller(street, "only")
    drive_until(controller, lambda: street.share() == 40.0)
    drive_until(controller, lambda: street.store.load_evidence(street.id)["assessment"]["watched"] >= 4.0)
    assert street.share() == 40.0
    (rule,) = street.store.load_evidence(street.id)["assessment"]["rules"]
    assert (rule["state"], rule["seconds"]) == ("false", 0.0)


def test_what_is_wanted_of_stable_is_not_touched_by_the_baseline():
    """What an environment brings up again while a run is under way."""
    plan = deployment(LONG)
    for count in range(1, len(plan.forward) - 1):
        assert begun(plan, *done(plan, count)).wanted[1] == 2


def test_a_rehearsal_copies_requests_to_both(make):
    strategy = Canary(steps=(10.0, 100.0), bake=2.0, rehearsal=Rehearsal(Mirror(50.0), bake=4.0), baseline=True)
    young = {NEW.id: 0.2, deployment(strategy).baseline.id: 0.2}
    street, controller = at_the_bake(make, strategy, failing=young)
    assert street.run().current.step.purpose == "rehearse"
    drive_until(controller, lambda: street.share() == 10.0)
    seen = street.router.observe_traffic()
    assert seen.of(NEW.id).finished == pytest.approx(seen.of(baseline_of(street)).finished, abs=2)
    controller.drive(approve)
    assert street.run().outcome == "completed"
