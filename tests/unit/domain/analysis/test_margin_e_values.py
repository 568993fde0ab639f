from fractions import Fraction
from itertools import product
from math import comb, exp, log

import pytest

from fairway.domain.analysis.margin import Margin, best_bet, log_e_value, log_e_values

RATIOS = (0.0, 1.0, 1.25, 3.0)
POINTS = (0.0, 0.0001, 0.2)
SIZES = ((1, 1), (1, 4), (4, 1), (3, 3))
STABLE = (0.0, 0.01, 0.3, 1.0)


def slow_e_value(bet, n_c, x_c, n_s, x_s, ratio, points):
    """The definition, in exact fractions but for the exponential."""
    a = Fraction(bet)
    b = 1 - Fraction(ratio) * Fraction(n_c, n_s) * (a - 1)
    return float(a**x_c * b**x_s) * exp(-points * n_c * (bet - 1.0))


def binomial(n, x, p):
    return comb(n, x) * p**x * (1.0 - p) ** (n - x)


def grid():
    for ratio, points, (n_c, n_s), p_s in product(RATIOS, POINTS, SIZES, STABLE):
        margin = Margin(ratio, points)
        p_c = min(1.0, margin.limit(p_s))
        for alternative, guess in product((0.05, 0.5, 1.0), (0.001, 0.2)):
            bet = best_bet(alternative, stable=guess, balance=n_c / n_s, margin=margin)
            if bet > 1.0:
                yield margin, n_c, n_s, p_c, p_s, bet


def test_the_expected_e_value_is_at_most_one_on_the_margin_for_every_bet_that_is_ever_made():
    worst, cases = 0.0, 0
    for margin, n_c, n_s, p_c, p_s, bet in grid():
        expectation = 0.0
        for x_c, x_s in product(range(n_c + 1), range(n_s + 1)):
            gain = log_e_value(bet, candidate=(n_c, x_c), stable_failed=x_s, balance=n_c / n_s, margin=margin)
            expectation += binomial(n_c, x_c, p_c) * binomial(n_s, x_s, p_s) * exp(gain)
        worst, cases = max(worst, expectation), cases + 1
    assert cases > 500
    assert worst <= 1.0 + 1e-9
    assert worst > 0.99  # the bound is reached, so the grid really lies on the margin


def test_the_expected_e_value_is_at_most_one_when_requests_have_different_chances():
    margin, bet, n = Margin(1.25, 0.001), 1.5, 2
    for p1, p2, q1, q2 in product((0.0, 0.2, 0.9), repeat=4):
        if (p1 + p2) / 2 > margin.limit((q1 + q2) / 2):
            continue
        expectation = 0.0
        for c1, c2, s1, s2 in product((0, 1), repeat=4):
            chance = 1.0
            for happened, p in ((c1, p1), (c2, p2), (s1, q1), (s2, q2)):
                chance *= p if happened else 1.0 - p
            gain = log_e_value(bet, candidate=(n, c1 + c2), stable_failed=s1 + s2, balance=1.0, margin=margin)
            expectation += chance * exp(gain)
        assert expectation <= 1.0 + 1e-12


def test_the_e_value_agrees_with_its_definition():
    for margin, n_c, n_s, _, _, bet in grid():
        if bet > 1e3:
            continue
        for x_c, x_s in product(range(n_c + 1), range(n_s + 1)):
            gain = log_e_value(bet, candidate=(n_c, x_c), stable_failed=x_s, balance=n_c / n_s, margin=margin)
            expected = slow_e_value(bet, n_c, x_c, n_s, x_s, margin.ratio, margin.points)
            assert exp(gain) == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_several_bets_in_one_go_are_the_same_bets():
    for margin, n_c, n_s, _, _, _ in grid():
        alternatives, guess, balance = (0.0001, 0.05, 0.5, 1.0), 0.01, n_c / n_s
        for x_c, x_s in product(range(n_c + 1), range(n_s + 1)):
            sides = {"candidate": (n_c, x_c), "stable": (n_s, x_s)}
            together = log_e_values(alternatives, guess=guess, margin=margin, **sides)
            bets = (best_bet(one, stable=guess, balance=balance, margin=margin) for one in alternatives)
            apart = [
                log_e_value(bet, candidate=(n_c, x_c), stable_failed=x_s, balance=balance, margin=margin)
                for bet in bets
            ]
            assert together == pytest.approx(apart, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("alternative", "stable", "balance"), [(0.02, 0.001, 0.1), (0.5, 0.05, 1.0), (1.0, 0.0, 0.01)])
def test_the_best_bet_grows_faster_than_its_neighbours(alternative, stable, balance):
    margin = Margin(1.25, 0.0001)

    def growth(bet):
        pull = margin.ratio * balance
        lost = stable / balance * log(1.0 - pull * (bet - 1.0)) if stable else 0.0
        return alternative * log(bet) + lost - margin.points * (bet - 1.0)

    bet = best_bet(alternative, stable=stable, balance=balance, margin=margin)
    highest = 1.0 + 0.999 / (margin.ratio * balance)
    assert 1.0 < bet <= highest
    assert growth(bet) >= growth(1.0 + (bet - 1.0) * 0.9)
    if bet < highest:
        assert growth(bet) >= growth(min(highest, 1.0 + (bet - 1.0) * 1.1))


def test_no_bet_is_made_on_an_alternative_within_the_margin():
    margin = Margin(1.0, 0.2)
    bet = best_bet(0.1, stable=0.05, balance=0.5, margin=margin)
    assert bet <= 1.0
    assert log_e_value(bet, candidate=(10, 10), stable_failed=0, balance=0.5, margin=margin) == 0.0
