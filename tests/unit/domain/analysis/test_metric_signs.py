"""The sign process of gauges: exact expectations, by enumeration."""

from itertools import product

import pytest

from fairway.domain.analysis.metrics.signs import SignTest


def _e_value(signs, weights_change_after=None):
    test = SignTest()
    for number, above in enumerate(signs):
        if number == weights_change_after:
            test.enter_step()
        test.observe(above=above)
    return test.e_value()


def _expectation(length, chance, **options):
    """Exact: every sequence with its probability; `chance(past)` is that of the next sign being above."""
    total = 0.0
    for signs in product((False, True), repeat=length):
        probability = 1.0
        for number, above in enumerate(signs):
            q = chance(signs[:number])
            probability *= q if above else 1.0 - q
        total += probability * _e_value(signs, **options)
    return total


@pytest.mark.parametrize("q", [0.0, 0.1, 0.3, 0.45, 0.5])
def test_a_candidate_that_is_above_no_more_often_than_not_gains_nothing_on_average(q):
    assert _expectation(9, lambda past: q) <= 1.0 + 1e-12


def test_at_the_boundary_nothing_is_lost_either():
    assert _expectation(9, lambda past: 0.5) == pytest.approx(1.0)


def test_the_chance_may_depend_on_the_past():
    assert _expectation(9, lambda past: 0.5 if sum(past) % 2 else 0.2) <= 1.0 + 1e-12


def test_capital_that_is_put_at_stake_at_a_change_of_weight_keeps_the_expectation():
    assert _expectation(9, lambda past: 0.5, weights_change_after=4) == pytest.approx(1.0)


def test_a_candidate_that_is_more_often_above_gains():
    assert _expectation(9, lambda past: 0.7) > 1.5


def test_a_dozen_signs_in_a_row_are_enough_and_eleven_are_not():
    assert _e_value([True] * 12) >= 500.0 > _e_value([True] * 11)


def test_what_begins_late_is_found_too():
    healthy = [number % 2 == 0 for number in range(100)]
    assert _e_value(healthy) < 2.0
    assert _e_value(healthy + [True] * 25) >= 500.0
