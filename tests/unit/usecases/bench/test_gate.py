"""What a release must have shown before it may be deployed."""

from dataclasses import replace

import pytest

from fairway.domain.insight.comparison import ComparisonPolicy, compare
from fairway.domain.insight.expectations import Expectations
from fairway.domain.rollout.revision import Artifact
from fairway.testing.baselines import FakeBaselines, in_turn, sample_baseline
from fairway.usecases.bench.gate import find_refusal

NEW, OLD = (Artifact("shop", name, "", f"sha256:{name}", "/") for name in ("v2", "v1"))
EXPECT = Expectations(p50=20.0)


@pytest.fixture
def store() -> FakeBaselines:
    return FakeBaselines()


def refusal(store, *demands, expect=EXPECT, live=OLD) -> str:
    found = find_refusal(store, "shop", demands, expect, artifact=NEW, live=live)
    return "" if found is None else f"{found.code}: {found.sentence}"


def compared(store, slower: float, made: float = 1.0) -> None:
    before, after = sample_baseline("v1", *[10.0] * 20), sample_baseline("v2", *[10.0 * slower] * 20)
    store.save_comparison(compare(*in_turn(before, after), ComparisonPolicy(), made=made))


def test_nothing_demanded_is_nothing_refused(store):
    assert refusal(store) == ""


def test_a_release_that_was_never_measured_is_refused(store):
    store.save_baselines(sample_baseline("v1"))
    assert refusal(store, "load") == "load: v2 has not been put under load"


def test_a_release_that_kept_its_limits_may_go(store):
    store.save_baselines(sample_baseline("v2", 15.0))
    assert refusal(store, "load") == ""


def test_a_release_that_missed_a_limit_is_refused_until_a_later_measurement_keeps_it(store):
    store.save_baselines(sample_baseline("v2", 25.0))
    assert refusal(store, "load") == "load: v2 missed its limits under load: p50 25 where 20 is the limit"
    store.save_baselines(sample_baseline("v2", 15.0))
    assert refusal(store, "load") == ""


def test_a_limit_that_was_not_measured_is_not_kept(store):
    store.save_baselines(sample_baseline("v2", 15.0))
    assert "processor unknown" in refusal(store, "load", expect=Expectations(processor=5.0))


def test_a_demand_without_any_limit_is_refused_with_what_to_write(store):
    assert "bench.expect says nothing" in refusal(store, "load", expect=Expectations())


def test_a_release_that_was_not_compared_with_what_is_live_is_refused(store):
    assert refusal(store, "benchmark") == "benchmark: v2 has not been compared with v1, which is live"


def test_a_regression_is_refused(store):
    compared(store, 1.5)
    assert refusal(store, "benchmark").startswith("benchmark: v2 is slower than v1: P50 latency +50.0%")


def test_no_regression_may_go_and_the_latest_comparison_counts(store):
    compared(store, 1.0)
    assert refusal(store, "benchmark") == ""
    compared(store, 1.5)
    assert refusal(store, "benchmark") != ""


def test_no_answer_is_no_yes(store):
    before, after = sample_baseline("v1", 10.0), sample_baseline("v2", 10.0)
    store.save_comparison(compare(*in_turn(before, after), ComparisonPolicy(), made=1.0))
    assert "is not shown to be as fast as v1" in refusal(store, "benchmark")


def test_the_other_way_round_is_another_question(store):
    before, after = sample_baseline("v2", *[10.0] * 20), sample_baseline("v1", *[10.0] * 20)
    store.save_comparison(compare(*in_turn(before, after), ComparisonPolicy(), made=1.0))
    assert refusal(store, "benchmark") != ""


@pytest.mark.parametrize("live", [None, NEW])
def test_where_there_is_nothing_to_compare_with_nothing_is_demanded(store, live):
    assert refusal(store, "benchmark", live=live) == ""


def test_another_configuration_of_the_live_artifact_needs_no_comparison(store):
    assert refusal(store, "benchmark", live=replace(NEW, location="/elsewhere")) == ""
