"""The user's counters and gauges take part in promotion: a step may end early only when they show it, too."""

from dataclasses import replace
from itertools import product

import pytest

from fairway.domain.analysis.evidence import Assessment, Counts, Evidence, Promotion
from fairway.domain.analysis.metrics.judgement import MetricsJudgement
from fairway.domain.analysis.metrics.policy import Metric, MetricsPolicy, Rule
from fairway.domain.analysis.metrics.ratios import NUMBERS
from fairway.domain.analysis.metrics.samples import Trouble
from fairway.domain.analysis.metrics.signs import SignTest
from fairway.domain.analysis.noninferiority import BETA, is_shown

LIMIT = 1.0 / BETA
LANES = (Promotion("errors", 50.0, LIMIT, 0, "as much as allowed"),)
SAID = Assessment(
    "continue", True, "watching", "", 9.0, 1.0, Evidence(1.0, 100.0, 1.0, 10.0, Counts(9, 0), Counts(81, 0), (), LANES)
)
MEMORY = Metric("heap_size", "gauge", query='m{r="{{revision}}"}', interval=15.0, ratio=1.1)
ORDERS = Metric("orders", "counter", failed="f", total="t", ratio=1.25, points=0.001)
SHOWN_ONLY = Metric("queue", "gauge", query="sum(queue)")


def judged(*metrics, rules=()):
    judgement = MetricsJudgement(MetricsPolicy(metrics=metrics, rules=rules))
    judgement.enter_step(10.0, alone=False)
    return judgement


def read_memory(judgement, candidate, stable, times=1, **options):
    given = {"candidate": (("", float(candidate)),), "stable": (("", float(stable)),)}
    for _ in range(times):
        judgement.take(MEMORY, given, counting=options.get("counting", True))
    return judgement


def read_orders(judgement, candidate, stable, times):
    """Readings that each add these `(failed, total)`."""
    for number in range(times):
        numbers = [number * one for one in (*candidate, *stable)]
        judgement.take(ORDERS, {k: (("", float(n)),) for k, n in zip(NUMBERS, numbers, strict=True)}, counting=True)
    return judgement


def shown(judgement, assessment=SAID):
    return judgement.weigh(assessment, bake=60.0).evidence.promotion


def test_a_gauge_as_low_as_stables_is_shown_after_some_readings_and_not_before():
    early, late = (shown(read_memory(judged(MEMORY), 100, 101, times)) for times in (4, 8))
    assert [one.name for one in early] == ["errors", "metric-heap-size"]
    assert not is_shown(early)
    assert is_shown(late)
    assert (early[1].missing, late[1].missing) == (None, 0)
    assert late[1].margin == "not 1.25 × more than stable's in most readings"


def test_a_gauge_that_is_higher_for_as_long_shows_nothing():
    assert shown(read_memory(judged(MEMORY), 140, 100, 40))[1].e_value < 1.0


def test_a_metric_without_data_or_before_its_first_reading_keeps_the_step_from_ending_early():
    judgement = judged(MEMORY)
    assert not is_shown(shown(judgement))
    for _ in range(20):
        judgement.take(MEMORY, {"candidate": Trouble("away"), "stable": Trouble("away")}, counting=True)
    assert not is_shown(shown(judgement))


def test_what_was_read_in_warm_up_shows_nothing():
    assert shown(read_memory(judged(MEMORY), 100, 100, 30, counting=False))[1].e_value == 1.0


def test_each_step_begins_anew():
    judgement = read_memory(judged(MEMORY), 100, 100, 30)
    judgement.enter_step(50.0, alone=False)
    assert shown(judgement)[1].e_value == 1.0


def test_a_counter_must_show_that_it_is_within_the_promotion_margin():
    good = shown(read_orders(judged(ORDERS), (0, 200), (2, 1800), 60))
    assert is_shown(good)
    assert good[1].margin == "at most 1.25 × stable's ratio + 0.2 points"
    assert not is_shown(shown(read_orders(judged(ORDERS), (2, 200), (2, 1800), 60)))


def test_metrics_that_only_rules_look_at_have_no_part_in_it():
    rule = Rule("full", "queue > 20", ("queue",))
    assert shown(judged(SHOWN_ONLY, rules=(rule,))) == LANES


def test_where_nothing_can_be_shown_the_metrics_show_nothing_either():
    alone = replace(SAID, evidence=replace(SAID.evidence, promotion=()))
    assert shown(judged(MEMORY), alone) == ()


@pytest.mark.parametrize("chance", [0.5, 0.6, 0.9])
def test_the_expectation_of_a_gauges_evidence_is_at_most_one_when_it_is_above_as_often_as_not(chance):
    """By enumeration of every sequence of nine signs."""
    expected = 0.0
    for signs in product((False, True), repeat=9):
        test, probability = SignTest(), 1.0
        for beyond in signs:
            test.observe(above=False, beyond=beyond)
            probability *= chance if beyond else 1.0 - chance
        expected += probability * test.promotion()
    assert expected <= 1.0 + 1e-9


def test_a_watch_that_begins_again_has_all_its_patience_again():
    rule = Rule("odd", "queue > 20", ("queue",))
    judgement = judged(SHOWN_ONLY, rules=(rule,))
    at = 100.0
    for _ in range(400):
        at += 1.0
        judgement.look({"odd": ("error", "it is odd")}, at=at, frozen=False)
    assert judgement.weigh(SAID, bake=60.0).decision == "inconclusive"
    judgement.watch_again()
    judgement.look({"odd": ("error", "it is odd")}, at=at + 1.0, frozen=False)
    assert judgement.weigh(SAID, bake=60.0).decision == "continue"
