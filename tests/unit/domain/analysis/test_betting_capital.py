from itertools import product
from math import log

import pytest

from fairway.domain.analysis.capital import Capital, Schedule

SCHEDULE = Schedule(first=0.5, entry=0.25, late=0.25, pace=4.0)
CAP = 4.64


def test_the_capital_is_one_at_the_beginning_and_stays_one_while_bets_are_even():
    capital = Capital.begin(SCHEDULE, 3)
    for block in range(50):
        assert capital.total(SCHEDULE) == pytest.approx(1.0)
        if block % 10 == 9:
            capital.enter_step()
        capital.grow([0.0, 0.0, 0.0], schedule=SCHEDULE, cap=CAP)


def test_a_fair_game_is_fair_whatever_the_order_of_wins_and_steps():
    """Each block doubles the stakes or loses them, with probability one half each: the expectation must stay 1."""
    for steps in product((False, True), repeat=4):
        expectation = 0.0
        for outcomes in product((2.0, 1e-300), repeat=5):
            capital = Capital.begin(SCHEDULE, 1)
            for block, outcome in enumerate(outcomes):
                capital.grow([log(outcome)], schedule=SCHEDULE, cap=CAP)
                if block < 4 and steps[block]:
                    capital.enter_step()
            expectation += capital.total(SCHEDULE) / 2**5
        assert expectation == pytest.approx(1.0)


def test_one_block_multiplies_by_the_cap_at_most():
    capital = Capital.begin(Schedule(1.0, 0.0, 0.0, 1.0), 2)
    capital.grow([50.0, 1.0], schedule=Schedule(1.0, 0.0, 0.0, 1.0), cap=CAP)
    assert capital.stakes == pytest.approx([0.5 * CAP, 0.5 * 2.718281828])


def test_after_a_long_healthy_time_what_is_left_still_finds_a_failure():
    capital = Capital.begin(SCHEDULE, 1)
    for _ in range(5000):
        capital.grow([-9.0], schedule=SCHEDULE, cap=CAP)
    assert capital.total(SCHEDULE) > 0.25
    for _ in range(15):
        capital.grow([9.0], schedule=SCHEDULE, cap=CAP)
    assert capital.total(SCHEDULE) > 100.0


def test_each_change_of_weight_stakes_half_of_what_is_kept_for_it():
    capital = Capital.begin(SCHEDULE, 1)
    for left in (0.125, 0.0625, 0.03125):
        capital.grow([-800.0], schedule=SCHEDULE, cap=CAP)
        capital.enter_step()
        assert (capital.pending, capital.entry_left) == (left, left)
        capital.enter_step()
        assert capital.entry_left == left
