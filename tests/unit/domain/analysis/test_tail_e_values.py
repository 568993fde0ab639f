from fractions import Fraction
from itertools import product
from math import comb, exp, log

import pytest

from fairway.domain.analysis.margin import Margin
from fairway.domain.analysis.tail import Failures, log_tail_e_value, log_tail_e_values

ODDS = (1.15, 2.0, 60.0)
SIZES = ((1, 1), (1, 4), (4, 1), (3, 3))
SHARES = (0.01, 0.25, 0.5, 0.9)
CHANCES = (0.0, 0.01, 0.3, 0.7, 1.0)


def slow_e_value(odds, share, candidate, stable):
    """The definition, in exact fractions."""
    (n_c, u), (n_s, w), o, q = candidate, stable, Fraction(odds), Fraction(share)
    t = o * q / (1 - q + o * q)
    z = Fraction(n_c, n_c + n_s) * t + Fraction(n_s, n_c + n_s) * q
    return (t / z) ** u * ((1 - t) / (1 - z)) ** (n_c - u) * (q / z) ** w * ((1 - q) / (1 - z)) ** (n_s - w)


def binomial(n, x, p):
    return comb(n, x) * p**x * (1.0 - p) ** (n - x)


def expectation(odds, share, n_c, n_s, p_c, p_s):
    total = 0.0
    for u, w in product(range(n_c + 1), range(n_s + 1)):
        gain = log_tail_e_value(odds, share=share, candidate=(n_c, u), stable=(n_s, w))
        total += binomial(n_c, u, p_c) * binomial(n_s, w, p_s) * exp(gain)
    return total


def test_the_expected_e_value_is_at_most_one_whatever_the_chance_of_being_slow_and_the_guess_of_it():
    worst, cases = 0.0, 0
    for odds, (n_c, n_s), share, p_s, p_c in product(ODDS, SIZES, SHARES, CHANCES, CHANCES):
        if p_c <= p_s:
            worst, cases = max(worst, expectation(odds, share, n_c, n_s, p_c, p_s)), cases + 1
    assert cases > 700
    assert 0.99 < worst <= 1.0 + 1e-9


def test_a_bet_below_one_is_evidence_against_a_candidate_that_is_slower():
    for odds, (n_c, n_s), share, p_s, p_c in product((0.1, 0.8), SIZES, SHARES, CHANCES, CHANCES):
        if p_c >= p_s:
            assert expectation(odds, share, n_c, n_s, p_c, p_s) <= 1.0 + 1e-9


def test_the_expected_e_value_is_at_most_one_when_requests_have_different_chances():
    for odds, p1, p2, q1, q2 in product(ODDS, *[(0.0, 0.2, 0.9)] * 4):
        if p1 + p2 > q1 + q2:
            continue
        total = 0.0
        for c1, c2, s1, s2 in product((0, 1), repeat=4):
            chance = 1.0
            for happened, p in ((c1, p1), (c2, p2), (s1, q1), (s2, q2)):
                chance *= p if happened else 1.0 - p
            gain = log_tail_e_value(odds, share=0.3, candidate=(2, c1 + c2), stable=(2, s1 + s2))
            total += chance * exp(gain)
        assert total <= 1.0 + 1e-12


def expectation_of_answers(odds, share, margin, stable, candidate):
    """Three requests each, of which so many are slow and failed by chance."""
    (slow_s, failed_s), (slow_c, failed_c) = stable, candidate
    failures, total = Failures.within(margin), 0.0
    for x, y in product(range(4), repeat=2):
        if x + y > 3:
            continue
        chance = comb(3, x) * comb(3 - x, y) * slow_c**x * failed_c**y * (1.0 - slow_c - failed_c) ** (3 - x - y)
        for w in range(4):
            (gain,) = log_tail_e_values(
                (odds,), share=share, candidate=(3, x + y), stable=(3, w), failed=y, failures=failures
            )
            total += chance * binomial(3, w, slow_s + failed_s) * exp(gain)
    return total


@pytest.mark.parametrize("margin", [Margin(1.0, 0.0), Margin(1.25, 0.0001), Margin(2.0, 0.001), Margin(0.5, 0.05)])
def test_failures_within_the_margin_of_errors_are_not_expected_to_win(margin):
    worst = 0.0
    for odds, share, slow, failed in product(ODDS, (0.01, 0.25, 0.6), (0.0, 0.1, 0.3), (0.0, 0.02, 0.2, 0.3)):
        allowed = margin.limit(failed)
        worst = max(worst, expectation_of_answers(odds, share, margin, (slow, failed), (slow, allowed)))
    assert 0.9 < worst <= 1.0 + 1e-9


def test_failures_beyond_the_margin_of_errors_are_expected_to_win():
    assert expectation_of_answers(4.0, 0.1, Margin(1.25, 0.0001), (0.1, 0.0), (0.1, 0.3)) > 1.5


def test_the_e_value_agrees_with_its_definition():
    for odds, (n_c, n_s), share in product(ODDS, SIZES, SHARES):
        for u, w in product(range(n_c + 1), range(n_s + 1)):
            gain = log_tail_e_value(odds, share=share, candidate=(n_c, u), stable=(n_s, w))
            expected = slow_e_value(odds, share, (n_c, u), (n_s, w))
            assert gain == pytest.approx(log(expected), rel=1e-9, abs=1e-9)


def test_blocks_of_the_same_balance_may_be_merged_and_come_in_any_order():
    blocks = [((10, 3), (40, 5)), ((20, 2), (80, 9)), ((5, 5), (20, 0))]
    merged = tuple(tuple(map(sum, zip(*side, strict=True))) for side in zip(*blocks, strict=True))
    for forth in (blocks, blocks[::-1]):
        apart = [log_tail_e_values(ODDS, share=0.1, candidate=c, stable=s) for c, s in forth]
        whole = log_tail_e_values(ODDS, share=0.1, candidate=merged[0], stable=merged[1])
        assert [sum(gains) for gains in zip(*apart, strict=True)] == pytest.approx(whole)


def test_slower_requests_of_the_candidate_raise_and_of_stable_lower_the_e_value():
    for odds, u, w in product(ODDS, range(10), range(20)):
        here = log_tail_e_value(odds, share=0.2, candidate=(10, u), stable=(20, w))
        assert log_tail_e_value(odds, share=0.2, candidate=(10, u + 1), stable=(20, w)) > here
        assert log_tail_e_value(odds, share=0.2, candidate=(10, u), stable=(20, w + 1)) < here
