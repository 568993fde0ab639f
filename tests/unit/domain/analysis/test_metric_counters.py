"""Counters of the user's: raw differences, and the affine-margin test on them."""

from math import comb

import pytest

from fairway.domain.analysis.metrics.differences import Differences
from fairway.domain.analysis.metrics.policy import Metric
from fairway.domain.analysis.metrics.ratios import NUMBERS, RatioTest

ORDERS = Metric("orders", "counter", failed="f", total="t", ratio=1.25, points=0.001)


def _one(value):
    return (("", float(value)),)


def test_the_first_reading_only_says_where_counting_begins():
    assert Differences().read(_one(1000)) is None


def test_later_readings_are_differenced_raw():
    counter = Differences()
    counter.read(_one(1000))
    assert [counter.read(_one(value)) for value in (1007, 1007, 1010)] == [7, 0, 3]


def test_a_counter_that_began_again_loses_the_stretch_and_goes_on_from_there():
    counter = Differences()
    counter.read((("a", 100.0), ("b", 50.0)))
    assert counter.read((("a", 4.0), ("b", 60.0))) is None
    assert counter.read((("a", 6.0), ("b", 61.0))) == 3


def test_series_are_differenced_one_by_one_so_that_a_reset_cannot_hide_behind_growth():
    counter = Differences()
    counter.read((("a", 100.0), ("b", 50.0)))
    assert counter.read((("a", 4.0), ("b", 500.0))) is None


def test_a_series_that_appears_began_at_zero():
    counter = Differences()
    counter.read(())
    assert counter.read((("failed", 3.0),)) == 3


def test_a_series_that_was_missed_once_is_not_counted_twice():
    counter = Differences()
    counter.read((("a", 100.0), ("b", 70.0)))
    assert counter.read((("a", 101.0),)) == 1
    assert counter.read((("a", 102.0), ("b", 75.0))) == 6


def _observe(test, *readings, counting=True):
    for numbers in readings:
        test.observe(ORDERS, {name: _one(n) for name, n in zip(NUMBERS, numbers, strict=True)}, counting=counting)
    return test


def _grown(rates, count, start=(0, 0, 0, 0)):
    return [tuple(s + r * n for s, r in zip(start, rates, strict=True)) for n in range(count)]


def test_a_candidate_whose_orders_fail_is_found_within_few_blocks():
    test = _observe(RatioTest(), *_grown((25, 50, 0, 50), 22))
    assert test.e_value() >= 500.0
    assert test.shown == {"candidate": 0.5, "stable": 0.0}


def test_one_block_alone_never_decides():
    test = _observe(RatioTest(), *_grown((5000, 5000, 0, 5000), 6))
    assert sum(test.judged) > 0
    assert test.e_value() < 10.0


def test_incidents_that_hit_both_are_no_evidence():
    test = _observe(RatioTest(), *_grown((25, 50, 25, 50), 60))
    assert test.e_value() < 2.0


def test_a_change_of_weight_discards_the_open_block_and_the_reading_across_it():
    test = _observe(RatioTest(), *_grown((0, 10, 0, 10), 3))
    test.enter_step()
    assert test.open == [0, 0, 0, 0]
    _observe(test, (20, 40, 0, 40), (20, 50, 0, 50))
    assert test.open == [0, 10, 0, 10]


def test_more_failures_than_events_are_a_fault_of_the_source_and_no_evidence():
    test = _observe(RatioTest(), *_grown((9, 3, 0, 50), 40))
    assert test.e_value() == 1.0
    assert test.judged == [0, 0, 0, 0]


def test_warm_up_is_left_out():
    test = _observe(RatioTest(), *_grown((25, 50, 0, 50), 40), counting=False)
    assert test.e_value() == 1.0


def _binomial(n, k, p):
    return comb(n, k) * p**k * (1 - p) ** (n - k)


@pytest.mark.parametrize("p_s", [0.0, 0.01, 0.1, 0.3])
@pytest.mark.parametrize("sizes", [(6, 6), (4, 9), (9, 3)])
@pytest.mark.parametrize("ratio", [1.0, 1.25])
def test_the_expectation_of_a_block_within_the_margin_is_at_most_one(p_s, sizes, ratio):
    metric = Metric("orders", "counter", ratio=ratio, points=0.02)
    p_c, total = min(1.0, ratio * p_s + 0.02), 0.0
    for x_c in range(sizes[0] + 1):
        for x_s in range(sizes[1] + 1):
            test = RatioTest(open=[x_c, sizes[0], x_s, sizes[1]])
            test._close(metric)
            total += _binomial(sizes[0], x_c, p_c) * _binomial(sizes[1], x_s, p_s) * test.e_value()
    assert total <= 1.0 + 1e-12
