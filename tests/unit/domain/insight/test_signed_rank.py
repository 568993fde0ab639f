"""The interval for the middle of paired differences."""

import math
import random

import pytest

from fairway.domain.insight.signed_rank import fewest, find_middle


def test_the_estimate_is_the_median_of_the_means_of_all_pairs():
    found = find_middle([1.0, 2.0, 4.0], 0.2)
    # 1, 1.5, 2, 2.5, 3, 4
    assert found.estimate == 2.25


def test_the_ends_are_those_of_the_tables_of_wilcoxon_s_test():
    """For ten differences and 2.5 % a side the critical value is 8: the ninth mean from either end."""
    values = [1.0, 3.0, 7.0, 12.0, 20.0, 31.0, 45.0, 62.0, 82.0, 105.0]
    means = sorted((a + b) / 2 for i, a in enumerate(values) for b in values[i:])
    found = find_middle(values, 0.025)
    assert (found.lower, found.upper) == (means[8], means[-9])


@pytest.mark.parametrize(("count", "risk"), [(6, 0.01), (1, 0.1), (9, 0.001)])
def test_too_few_differences_have_no_interval(count, risk):
    assert count < fewest(risk)
    found = find_middle([0.1] * count, risk)
    assert (found.lower, found.upper) == (-math.inf, math.inf)
    assert math.isfinite(find_middle([0.1] * fewest(risk), risk).lower)


def test_nothing_has_no_middle():
    assert find_middle([], 0.01) is None


def test_one_wild_round_moves_the_ends_little():
    calm = [0.01 * (number % 5 - 2) for number in range(20)]
    wild = [*calm[:-1], 50.0]
    assert abs(find_middle(wild, 0.005).estimate - find_middle(calm, 0.005).estimate) < 0.01
    assert find_middle(wild, 0.005).upper < 0.05


def test_the_true_middle_lies_outside_as_seldom_as_said_even_with_heavy_tails():
    chance = random.Random(7)
    missed = 0
    for _ in range(1000):
        values = [0.3 + chance.gauss(0, 1) / max(0.05, chance.random()) for _ in range(12)]
        found = find_middle(values, 0.05)
        missed += not found.lower <= 0.3 <= found.upper
    # Ten per cent are allowed; four standard deviations more would be a fault.
    assert missed < 100 + 4 * math.sqrt(90)
    assert missed > 40, "an interval that is never wrong says too little"
