"""What the engine makes of the user's metrics: readings that never delay, evidence that outlives controllers."""

import threading
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import replace

import pytest
from engine_world import Controller, approve, begin, drive_until, facts

from fairway.adapters.metrics.conditions import CelConditions
from fairway.domain.analysis.metrics.policy import Metric, MetricsPolicy, Rule
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.errors import TransientError
from fairway.domain.rollout.events import Held, Released, StepFailed
from fairway.domain.rollout.strategy import Canary
from fairway.domain.rollout.watching import MOST_EXTENSIONS
from fairway.engine.judge import READ_EVERY, Judge
from fairway.ports.checks import Answer
from fairway.testing.checks import FakeProbe
from fairway.testing.metrics import FakeSource
from rollout_samples import deployment

CANARY = Canary(steps=(10.0, 100.0), bake=6.0)
QUEUE = Metric("queue", "gauge", query="sum(queue)", interval=1.0)
FULL = Rule("full", "queue > 20", ("queue",), lasting=3.0)
FINE, MUCH = (("", 5.0),), (("", 30.0),)


@pytest.fixture
def watched(make):
    """Makes a street whose run has rules over a source that answers as the test says."""

    def watched(*rules, metrics=(QUEUE,), no_data=300.0, probe=None, policy="pause"):
        own = MetricsPolicy(metrics=metrics, rules=rules, no_data=no_data)
        analysis = AnalysisPolicy(warmup=0.0, block=0.5, metrics=own, inconclusive=policy)
        street = make(deployment(CANARY, analysis=analysis))
        street.source = FakeSource({"sum(queue)": FINE})
        world = street.world
        street.world = lambda: replace(
            world(), metrics=street.source, conditions=CelConditions(), probe=probe or FakeProbe()
        )
        return street

    return watched


def _at_ten_percent(street, name="only"):
    controller = Controller(street, name)
    drive_until(controller, lambda: street.share() == 10.0)
    return controller


def test_a_rule_takes_the_candidate_back_and_the_reason_is_in_the_journal(watched):
    street = watched(FULL)
    controller = _at_ten_percent(street)
    street.source.answers["sum(queue)"] = MUCH
    bad = street.clock()
    drive_until(controller, lambda: street.share() == 0.0)
    assert 3.0 <= street.clock() - bad <= 6.0
    (failed,) = facts(street, StepFailed)
    assert failed.rule == "rule-full"
    assert failed.evidence["rules"][0]["state"] == "fulfilled"
    controller.drive(approve)
    assert street.run().quarantined


def test_how_long_a_rule_was_true_outlives_the_controller(watched):
    street = watched(replace(FULL, lasting=5.0))
    first = _at_ten_percent(street, "first")
    street.source.answers["sum(queue)"] = MUCH
    bad = street.clock()
    drive_until(first, lambda: street.clock() >= bad + 4.0)
    second = Controller(street, "second")
    drive_until(second, lambda: street.share() == 0.0)
    assert street.clock() - bad <= 9.0, "from the beginning it would be 10"
    assert facts(street, StepFailed)[0].rule == "rule-full"


def test_a_source_that_is_away_holds_and_the_run_goes_on_when_it_is_back(watched):
    street = watched(FULL)
    controller = _at_ten_percent(street)
    street.source.answers["sum(queue)"] = TransientError("metrics-unreachable", "nobody listens there")
    away = street.clock()
    held = drive_until(controller, lambda: street.run().held is not None)
    assert (held.held, held.phase) == ("metric-error", "held")
    assert "nobody listens there" in held.held_reason
    drive_until(controller, lambda: street.clock() >= away + 30.0)
    assert street.share() == 10.0, "the clock stands still"
    street.source.answers["sum(queue)"] = FINE
    back = street.clock()
    drive_until(controller, lambda: street.share() == 100.0)
    assert street.clock() - back >= 1.5, "what was left of the bake"
    assert [event.rule for event in facts(street, Held)] == ["metric-error"]
    assert len(facts(street, Released)) == 1
    controller.drive(approve)
    assert street.run().outcome == "completed"


@pytest.mark.parametrize("answer", [(), (("", float("nan")),), TransientError("metrics-timeout", "no answer")])
def test_no_answer_for_too_long_is_inconclusive_neither_good_nor_bad(watched, answer):
    street = watched(FULL, no_data=10.0)
    controller = _at_ten_percent(street)
    street.source.answers["sum(queue)"] = answer
    run = drive_until(controller, lambda: street.run().paused is not None)
    assert (run.paused_by, run.verdict, run.failure) == ("fairway", "inconclusive", None)
    assert "queue" in run.paused


def test_each_extension_waits_for_a_metric_as_long_as_the_watch_did(watched):
    street = watched(FULL, no_data=10.0, policy="extend")
    controller = _at_ten_percent(street)
    street.source.answers["sum(queue)"] = ()
    away = street.clock()
    run = drive_until(controller, lambda: street.run().paused is not None)
    assert run.extended == MOST_EXTENSIONS
    assert street.clock() - away >= 10.0 * (1 + MOST_EXTENSIONS)


def test_a_query_that_hangs_delays_no_reading_of_the_counters(watched):
    street = watched(FULL)
    stop, let_go = threading.Event(), []

    def hang(at):
        let_go.append(stop.wait(5))
        return FINE

    street.source.answers["sum(queue)"] = hang
    with ThreadPoolExecutor(1) as readers:
        controller = Controller(street, "only")
        looks = controller.engine.judge._executor
        controller.engine.judge = Judge(controller.store, looks, readers)
        try:
            drive_until(controller, lambda: street.share() == 10.0)
            street.failing.update({street.plan.candidate.id: 1.0})
            bad = street.clock()
            drive_until(controller, lambda: street.share() == 0.0)
            assert street.clock() - bad <= 2.0 + READ_EVERY
            assert facts(street, StepFailed)[0].rule in ("hard-lane", "ejected")
        finally:
            stop.set()
    assert let_go[0], "nobody waited for it"


def test_a_rule_over_the_routers_own_numbers_needs_no_source(watched):
    rule = Rule("busy", "candidate.request_rate > 30", ("candidate.request_rate",), lasting=2.0)
    street = watched(rule, metrics=())
    controller = _at_ten_percent(street)
    begun = street.clock()
    drive_until(controller, lambda: street.share() == 0.0)
    assert 2.0 <= street.clock() - begun <= 5.0
    assert facts(street, StepFailed)[0].rule == "rule-busy"


def test_a_request_to_the_candidate_is_a_metric_too(watched):
    probe = FakeProbe()
    metric = Metric("deps", "http", path="/deps", contains="ok", interval=1.0)
    rule = Rule("deps", "candidate.deps < 1", ("candidate.deps",), lasting=2.0)
    street = watched(rule, metrics=(metric,), probe=probe)
    controller = _at_ten_percent(street)
    begun = street.clock()
    drive_until(controller, lambda: street.clock() >= begun + 3.0)
    assert street.share() == 10.0
    (url,) = {asked for asked in probe.asked if asked.endswith("/deps")}
    probe.answers[url] = Answer(200, "the database is away")
    drive_until(controller, lambda: street.share() == 0.0)
    assert facts(street, StepFailed)[0].rule == "rule-deps"


def test_a_second_try_of_an_artifact_goes_on_with_the_evidence_of_its_metrics(watched):
    memory = Metric("memory", "gauge", query='m{r="{{revision}}"}', interval=1.0, ratio=1.2)
    street = watched(metrics=(memory,))
    for revision, value in ((street.plan.candidate, 13.0), (street.plan.stable, 10.0)):
        street.source.answers[f'm{{r="{revision.id}"}}'] = (("", value),)
    controller = _at_ten_percent(street)
    begun = street.clock()
    drive_until(controller, lambda: street.clock() >= begun + 3.5)
    street.helm.abort_run(street.id, actor="bob", reason="lunch")
    drive_until(controller, lambda: street.run().outcome is not None)
    before = street.store.load_evidence(street.id)["metrics"]["e_value"]
    assert before > 1.5
    again = copy(street)
    again.id, again._seen = "run-again", None
    begin(again)
    _at_ten_percent(again, "second")
    drive_until(Controller(again, "third"), lambda: again.store.load_evidence(again.id) is not None)
    assert again.store.load_evidence(again.id)["metrics"]["carried"] == before


def test_a_source_that_does_not_answer_is_asked_once_and_not_for_every_query(watched):
    street = watched(metrics=(QUEUE, replace(QUEUE, name="other", query="sum(other)")))
    away = TransientError("metrics-timeout", "no answer within 5 s")
    street.source.answers |= {"sum(queue)": away, "sum(other)": away}
    _at_ten_percent(street)
    assert {query for query, _ in street.source.asked} == {"sum(queue)"}
    drive_until(Controller(street, "other"), lambda: street.run().held is not None)
    metrics = street.store.load_evidence(street.id)["assessment"]["metrics"]
    assert [one["state"] for one in metrics] == ["error", "error"]
