"""The affine-margin test: is the candidate's error ratio above `ratio × stable's + points`?

What lives here: one formula, its best bet, nothing that remembers. Blocks, capital and lanes live beside it.

For a block with `n_c`, `n_s` finished and `x_c`, `x_s` failed requests, `k = n_c / n_s`, and the null hypothesis
`p_c <= ratio * p_s + points` about the block's mean failure probabilities, the e-value of a bet `a > 1` is

    e(a) = a^x_c * b^x_s * exp(-points * n_c * (a - 1)),    b = 1 - ratio * k * (a - 1) > 0.

Proof that E e(a) <= 1 under the null, for independent requests with any, even unequal, probabilities:

    E a^x_c = prod(1 + p_i (a - 1)) <= exp(n_c p_c (a - 1)),  and likewise  E b^x_s <= exp(n_s p_s (b - 1));
    n_s (b - 1) = -ratio n_c (a - 1), so the exponents add up to n_c (a - 1) (p_c - ratio p_s - points),
    which is <= 0 under the null, because a > 1.

The form is our own, from the Chernoff and Poisson bounds (Howard, Ramdas, McAuliffe, Sekhon, "Time-uniform Chernoff
bounds", 2020). `p_s` may differ from block to block, so incidents that hit both revisions do no harm. With `ratio` 1
and `points` 0 it is the test on the traffic's split (Lindon and Malek, "Anytime-valid inference for multinomial count
data", 2022); with `ratio` 0 it is a test against an absolute limit. The product over blocks is a test supermartingale:
it ever reaches 1/alpha with probability at most alpha (Ville 1939), however often one looks.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import log, log1p, sqrt

LARGEST_BET = 1e6
"""Where the null allows no failure at all, the best bet is unbounded; this is as good."""

GUESS_FAILED, GUESS_FINISHED = 0.1, 100.0
"""What stable's error ratio is taken for before anything is known: one in a thousand, worth a hundred requests."""

NEAR_LIMIT = 0.999
"""Bets stay this far below the value at which one failure of stable would lose everything."""


@dataclass(frozen=True, slots=True)
class Margin:
    """The null hypothesis: the candidate fails at most `ratio` times as often as stable plus `points`.

    Attributes:
        ratio: 0 or more; 0 compares with nothing.
        points: 0 or more, as a fraction of 1: 0.2 is 20 percentage points.
    """

    ratio: float
    points: float

    def limit(self, stable: float) -> float:
        """The greatest error ratio within the margin when stable's is `stable`."""
        return self.ratio * stable + self.points


def guess_ratio(failed: float, finished: float) -> float:
    """What stable's error ratio is taken for when so much has been seen of it."""
    return (failed + GUESS_FAILED) / (finished + GUESS_FINISHED)


def best_bet(alternative: float, *, stable: float, balance: float, margin: Margin) -> float:
    """The bet that grows fastest if the candidate's error ratio is `alternative`.

    Maximises the expected logarithm of the e-value: the smaller root of a quadratic, in the form that loses no digits.

    Args:
        alternative: supposed error ratio of the candidate, 0 to 1.
        stable: supposed error ratio of stable; must come from earlier blocks only.
        balance: finished requests of the candidate per finished request of stable in this block.
        margin: the null hypothesis.

    Returns:
        The bet `a`; 1 or less means that the alternative lies within the margin and no bet should be made.
    """
    (bet,) = best_bets((alternative,), stable=stable, balance=balance, margin=margin)
    return bet


def best_bets(alternatives: Iterable[float], *, stable: float, balance: float, margin: Margin) -> list[float]:
    """The same for several alternatives."""
    pull = margin.ratio * balance
    scale, usual, highest = 1.0 + pull, margin.ratio * stable, LARGEST_BET
    points, crossed = margin.points * scale, 4.0 * margin.points * pull
    if pull > 0.0:
        highest = min(1.0 + NEAR_LIMIT / pull, LARGEST_BET)
    bets = []
    for alternative in alternatives:
        linear, constant = alternative * pull + usual + points, alternative * scale
        square = linear * linear - crossed * constant
        bet = 2.0 * constant / (linear + (sqrt(square) if square > 0.0 else 0.0)) if linear > 0.0 else highest
        bets.append(bet if bet < highest else highest)  # noqa: FURB136 -- faster, and done often
    return bets


def log_e_value(bet: float, *, candidate: tuple[int, int], stable_failed: int, balance: float, margin: Margin) -> float:
    """Natural logarithm of one block's e-value.

    Args:
        bet: `a` of the formula, above 1 and below `1 + 1 / (ratio * balance)`; at most 1 is no bet and gives 0.
        candidate: finished and failed requests of the candidate.
        stable_failed: failed requests of stable.
        balance: finished requests of the candidate per finished request of stable.
        margin: the null hypothesis.
    """
    if bet <= 1.0:
        return 0.0
    finished, failed = candidate
    gain = failed * log(bet) - margin.points * finished * (bet - 1.0)
    if margin.ratio > 0.0 and stable_failed:
        gain += stable_failed * log1p(-margin.ratio * balance * (bet - 1.0))
    return gain


def log_e_values(
    alternatives: Iterable[float],
    *,
    guess: float,
    candidate: tuple[int, int],
    stable: tuple[int, int],
    margin: Margin,
) -> list[float]:
    """`log_e_value` of the `best_bet` on each of several alternatives, in one go because it is done often.

    Args:
        alternatives: supposed error ratios of the candidate, 0 to 1.
        guess: supposed error ratio of stable; must come from earlier blocks only.
        candidate: finished and failed requests of the candidate.
        stable: likewise of stable; without requests nothing is compared with, and the margin's ratio is 0.
        margin: the null hypothesis.
    """
    (finished, failed), (others, others_failed) = candidate, stable
    pull = margin.ratio * finished / others if others else 0.0
    highest = min(1.0 + NEAR_LIMIT / pull, LARGEST_BET) if pull > 0.0 else LARGEST_BET
    fixed, scale = margin.ratio * guess + margin.points * (1.0 + pull), 1.0 + pull
    crossed, cost = 4.0 * margin.points * pull, margin.points * finished
    gains = []
    for alternative in alternatives:
        linear, constant = alternative * pull + fixed, alternative * scale
        square = linear * linear - crossed * constant
        bet = 2.0 * constant / (linear + (sqrt(square) if square > 0.0 else 0.0)) if linear > 0.0 else highest
        bet, gain = (bet if bet < highest else highest), 0.0  # noqa: FURB136 -- faster, and done often
        if bet > 1.0:
            gain = -cost * (bet - 1.0)
            if failed:
                gain += failed * log(bet)
            if others_failed and pull > 0.0:
                gain += others_failed * log1p(-pull * (bet - 1.0))
        gains.append(gain)
    return gains
