"""What `plan` says of the traffic, and what it makes of it."""

from dataclasses import dataclass, field, replace

import pytest

from fairway.domain.analysis.analysis import Analysis
from fairway.domain.analysis.budget import Budget
from fairway.domain.analysis.metrics.policy import Metric, MetricsPolicy
from fairway.domain.analysis.planning.premises import Fault
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.traffic import RevisionTraffic, TrafficSnapshot
from fairway.domain.rollout.revision import Endpoint
from fairway.domain.rollout.routes import Backend, Routes, Stickiness
from fairway.domain.rollout.strategy import BlueGreen, Canary, Rolling
from fairway.testing.router import FakeRouter
from fairway.usecases.predict import (
    Assumptions,
    next_plan,
    own_weights,
    predict,
    stretches_of,
)
from fairway.usecases.present_traffic import Counted, Measured, counted_before, measure
from rollout_samples import ENVIRONMENT, NEW, OLD, SERVICE, deployment, scaling

USUAL = {"analysis": AnalysisPolicy(), "observe": 600.0}
ABUNDANT = Measured(2_000, 2.0, 1_000_000, 1_000, ())


@dataclass
class Street:
    """A router that passes the same number of requests to the live revision every second."""

    rps: float
    now: float = 5000.0
    router: FakeRouter = field(init=False)
    due: float = 0.0

    def __post_init__(self):
        backend = Backend(OLD.id, (Endpoint("i-1", "127.0.0.1", 9000),))
        routes = Routes(stable=OLD.id, candidate=None, weight=0.0, backends=(backend,))
        self.router = FakeRouter(clock=lambda: self.now)
        self.router.ensure_routes(routes, epoch=1)

    def pause(self, seconds: float) -> None:
        self.now += seconds
        self.due += self.rps * seconds
        self.router.count(OLD.id, finished=int(self.due))
        self.due -= int(self.due)

    def measure(self, **more):
        return measure(self.router, OLD.id, self.pause, **more)


def plan_of(strategy, **changes):
    return deployment(strategy, **(USUAL | changes))


def test_busy_traffic_is_measured_in_two_seconds():
    street = Street(rps=80.0)
    seen = street.measure()
    assert (seen.requests, seen.seconds) == (160, 2.0)


def test_rare_requests_are_counted_for_longer():
    street = Street(rps=4.0)
    street.router.count(OLD.id, finished=1)
    seen = street.measure()
    assert (seen.requests, seen.seconds) == (20, 5.0)


def test_where_no_request_ever_came_nobody_waits_for_five_seconds():
    seen = Street(rps=0.0).measure()
    assert (seen.requests, seen.seconds, seen.finished) == (0, 2.0, 0)


def test_second_tries_are_no_requests_of_stable():
    street = Street(rps=0.0)
    street.router.count(OLD.id, finished=100, failed=3, retried=40)
    assert street.measure(at_once=True).finished == 60


def test_what_was_counted_since_the_last_run_says_more_of_rare_requests():
    street = Street(rps=0.25)
    street.router.count(OLD.id, finished=1000)
    before = Counted(street.now - 4000.0, street.router.observe_traffic().origin, 100)
    seen = street.measure(before=before)
    assert seen.requests == 901
    assert seen.seconds == pytest.approx(4005.0)
    assert street.measure(before=replace(before, origin="another")).seconds == 5.0
    assert Street(rps=80.0).measure(before=before).seconds == 2.0


def test_the_evidence_of_the_last_run_says_how_far_the_counters_had_come():
    analysis = Analysis(AnalysisPolicy(), candidate=OLD.id, stable="older")
    counted = RevisionTraffic(OLD.id, 500, 5, retried=20)
    analysis.observe(TrafficSnapshot(4000.0, "first", (counted, RevisionTraffic("older", 7, 0))), (), at=4000.0)
    stored = {"analysis": analysis.to_json()}
    assert counted_before(stored, OLD.id) == Counted(4000.0, "first", 480)
    assert counted_before(stored, "older") == Counted(4000.0, "first", 7)
    assert counted_before(stored, "a stranger") is None
    assert counted_before(None, OLD.id) is None


def test_counters_that_cannot_be_read_are_said_to_be_so():
    street = Street(rps=5.0)
    street.router.silent = True
    told = predict(plan_of(Canary()), street.measure(), Assumptions())
    assert told.forecast is None
    assert "could not be read" in told.basis
    assert "--rps" in told.hint


def test_counters_that_begin_again_meanwhile_are_no_measurement():
    street = Street(rps=5.0)

    def pause(seconds: float) -> None:
        street.now += seconds
        street.router.restart()

    assert "began again" in measure(street.router, OLD.id, pause)


def test_without_a_request_nothing_is_foretold_and_the_user_is_asked():
    told = predict(plan_of(Canary()), Measured(0, 2.0, 0, 0, ()), Assumptions())
    assert told.forecast is None
    assert "no request came within 2 s" in told.basis
    assert "--rps" in told.hint


def test_what_the_user_supposes_takes_the_place_of_what_was_measured():
    told = predict(plan_of(Canary()), Measured(0, 0.0, 50_000, 100, ()), Assumptions(rps=300.0))
    assert told.forecast is not None
    assert (told.forecast.traffic.rps, told.forecast.traffic.errors) == (300.0, 0.002)
    assert "300 requests a second, as you suppose" in told.basis
    assert "0.2 % of the 50,000" in told.basis
    supposed = predict(plan_of(Canary()), "", Assumptions(rps=300.0, errors=0.05))
    assert supposed.forecast is not None
    assert supposed.forecast.traffic.errors == 0.05


def test_the_present_traffic_says_what_each_step_would_find():
    told = predict(plan_of(Canary(steps=(10.0, 50.0, 100.0), bake=300.0)), ABUNDANT, Assumptions())
    forecast = told.forecast
    assert forecast is not None
    assert [(step.stretch.weight, step.rps, step.requests) for step in forecast.steps] == [
        (10.0, 100.0, 30_000.0),
        (50.0, 500.0, 150_000.0),
        (100.0, 1000.0, 600_000.0),
    ]
    assert told.ladder is None
    assert told.warnings == ()
    total = forecast.faults.index(Fault(1.0))
    found = forecast.steps[0].found[total]
    assert found is not None
    assert found.seconds < 2.0
    assert found.failed == pytest.approx(100.0 * found.seconds)
    assert forecast.faults[0].errors == 0.002
    assert all(one.errors is None or one.errors > forecast.limit for one in forecast.faults)


def test_greater_faults_are_found_no_later():
    forecast = predict(plan_of(Canary()), Measured(100, 2.0, 10_000, 10, ()), Assumptions()).forecast
    assert forecast is not None
    for step in forecast.steps:
        times = [float("inf") if found is None else found.seconds for found in step.found]
        assert times == sorted(times, reverse=True)


def test_a_step_without_enough_requests_is_named_and_a_better_ladder_is_advised():
    plan = plan_of(Canary(steps=(1.0, 100.0), bake=60.0))
    told = predict(plan, Measured(4, 2.0, 5000, 5, ()), Assumptions(), own=(1.0,))
    assert any(one.startswith("bake at 1 % shows nothing: about 1.2 requests") for one in told.warnings)
    assert told.ladder is not None
    assert told.ladder.weights[-1] == 100.0
    better = plan_of(Canary(steps=told.ladder.weights, bake=told.ladder.bake))
    again = predict(better, Measured(4, 2.0, 5000, 5, ()), Assumptions(), own=told.ladder.weights[:-1])
    assert again.warnings == ()
    assert again.ladder is None


def test_a_step_that_gets_fewer_requests_than_an_answer_needs_is_named_with_what_is_done_then():
    plan = plan_of(Canary(steps=(5.0, 100.0), bake=60.0))
    told = predict(plan, Measured(10, 2.0, 5000, 5, ()), Assumptions(), own=(5.0,))
    assert told.warnings[0] == (
        "bake at 5 % has no answer at its end: about 15 requests come, and min_requests asks for 20. "
        "Then the run waits for a person (inconclusive: pause)"
    )
    assert told.ladder is not None
    assert all(0.05 * weight * told.ladder.bake > 20.0 for weight in told.ladder.weights)
    asks_less = replace(plan, analysis=replace(plan.analysis, min_requests=3))
    assert predict(asks_less, Measured(10, 2.0, 5000, 5, ()), Assumptions()).forecast.scarce == ()


def test_metrics_of_the_users_own_must_be_shown_before_a_step_ends_early_and_are_not_predicted():
    queries = Metric("orders", "counter", failed="bad", total="all", ratio=1.25)
    policy = AnalysisPolicy(metrics=MetricsPolicy("prometheus", (queries,)))
    said = "your own metrics must be shown to be good as well before a step ends early, which takes longer than said"
    assert said in predict(plan_of(Canary(min_bake=30.0), analysis=policy), ABUNDANT, Assumptions()).warnings
    assert said not in predict(plan_of(Canary(), analysis=policy), ABUNDANT, Assumptions()).warnings


def test_the_own_weights_are_kept_where_longer_bakes_are_all_that_is_missing():
    plan = plan_of(Canary(steps=(20.0, 60.0, 100.0), bake=30.0))
    told = predict(plan, Measured(20, 2.0, 5000, 5, ()), Assumptions(), own=(20.0, 60.0))
    assert told.ladder is not None
    assert told.ladder.weights == (20.0, 60.0, 100.0)
    assert told.ladder.bake > 30.0


def test_traffic_for_which_no_ladder_lasts_less_than_a_day_gets_none():
    told = predict(plan_of(Canary()), Measured(1, 20_000.0, 5000, 5, ()), Assumptions())
    assert told.forecast is not None
    assert told.warnings
    assert told.aim is not None
    assert told.ladder is None


def test_where_nothing_is_compared_that_is_said():
    told = predict(plan_of(BlueGreen(keep=600.0)), ABUNDANT, Assumptions())
    assert "no step compares" in told.warnings[0]
    assert told.ladder is None


def test_a_budget_that_is_spent_before_the_evidence_is_there_is_said():
    plan = replace(plan_of(Canary()), budget=Budget(50))
    assert any("budget of 50" in one for one in predict(plan, ABUNDANT, Assumptions()).warnings)
    rich = replace(plan, budget=Budget(10_000_000))
    assert predict(rich, ABUNDANT, Assumptions()).warnings == ()


def test_users_who_are_kept_on_one_revision_make_it_rough():
    plan = replace(plan_of(Canary()), sticky=Stickiness("cookie", "basket"))
    assert any("only roughly" in one for one in predict(plan, ABUNDANT, Assumptions()).warnings)


def test_a_plan_without_a_watched_step_can_find_nothing():
    told = predict(scaling(3), ABUNDANT, Assumptions())
    assert told.forecast is None
    assert "No step" in told.basis


def test_warm_up_begins_again_with_each_batch_of_a_rolling_update():
    stretches = list(stretches_of(plan_of(Rolling(bake=30.0))))
    assert [stretch.purpose for stretch in stretches] == ["settle"] * (len(stretches) - 1) + ["observe"]
    assert [stretch.scaled_up for stretch in stretches if stretch.weight < 100.0] == [True]
    assert list(stretches_of(plan_of(Canary(steps=(5.0, 50.0, 100.0)))))[1].scaled_up is False


def test_after_a_first_deployment_the_same_strategy_has_something_to_compare_with():
    first = deployment(Canary(), first=True, **USUAL)
    assert list(stretches_of(first)) == []
    environment = replace(ENVIRONMENT, strategy=Canary(), **USUAL)
    following = next_plan(SERVICE, environment, first)
    assert following.stable is not None
    assert following.candidate == NEW
    assert [stretch.weight for stretch in stretches_of(following)] == [10.0, 50.0, 100.0]
    assert own_weights(environment) == (10.0, 50.0)
    assert own_weights(replace(environment, strategy=BlueGreen())) == ()
