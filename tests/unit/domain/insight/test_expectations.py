"""Limits, and what was measured."""

from dataclasses import replace

import pytest

from fairway.domain.insight.expectations import Expectations, hold_against
from fairway.testing.baselines import sample_baseline, sample_round


def met(expect, baseline) -> dict[str, bool | None]:
    return {one.name: one.is_met for one in hold_against(baseline, expect)}


def test_each_limit_is_held_against_its_own_figure():
    baseline = sample_baseline("v1", 10.0, 12.0, 11.0)  # median 11: P95 33, P99 44
    expect = Expectations(rate=100, mean=13, p50=10.9, p95=33.0, p99=43.9)
    assert met(expect, baseline) == {"rate": True, "mean": True, "p50": False, "p95": True, "p99": False}


def test_a_figure_that_was_not_measured_meets_no_limit():
    assert met(Expectations(processor=500.0), sample_baseline()) == {"processor": None}


@pytest.mark.parametrize(
    ("failed", "limit", "is_met"), [(0, 0.0, True), (1, 0.0, False), (1, 0.01, True), (2, 0.01, False)]
)
def test_failures_of_all_rounds_count_together(failed, limit, is_met):
    rounds = (sample_round(), sample_round(failed=2 * failed))
    assert met(Expectations(errors=limit), replace(sample_baseline(), rounds=rounds)) == {"errors": is_met}


def test_a_rate_that_was_asked_for_but_not_answered_is_missed():
    rounds = (sample_round(failed=40),) * 3
    assert met(Expectations(rate=100), replace(sample_baseline(), rounds=rounds)) == {"rate": False}


def test_nothing_expected_is_nothing_met():
    assert Expectations().is_empty
    assert hold_against(sample_baseline(), Expectations()) == ()
    assert not Expectations(errors=0.0).is_empty
