"""The tail test: are more of the candidate's requests slow than of stable's?

What lives here: one formula, nothing that remembers. Blocks, capital and lanes live beside it.

"Slow" is above an edge: for stable the edge `b` near one of its quantiles, for the candidate the edge `m * b`, where
`m` is the margin. For a block with `n_c`, `n_s` requests of which `u`, `w` were slow, and the null hypothesis
`p_c <= p_s` about the chances of being slow, the e-value of a bet on the odds ratio `o > 1`, with `q` what stable's
tail share is taken for and `k = n_c / (n_c + n_s)`, is

    t = o q / (1 - q + o q),    z = k t + (1 - k) q,
    e = (t/z)^u ((1-t)/(1-z))^(n_c - u) (q/z)^w ((1-q)/(1-z))^(n_s - w).

It is the two-sample e-value of Turner, Ly and Gruenwald ("Generic E-variables for exact sequential k-sample tests that
allow for optional stopping", 2024). Proof that E e <= 1 under the null, for independent requests: with
`f(p) = (p t/z + (1-p)(1-t)/(1-z))` and `g(p) = (p q/z + (1-p)(1-q)/(1-z))`, E e is at most
`f(p_c)^n_c g(p_s)^n_s` (for unequal chances by the inequality of the means), and f rises with p_c because t > z, so at
most `f(p_s)^n_c g(p_s)^n_s <= (k f(p_s) + (1-k) g(p_s))^(n_c + n_s)`, again by the means; and `k t + (1-k) q = z`
makes that base 1. So it holds for every `q` and `o > 1`, however wrong the guess; guesses only decide how fast evidence
grows. With `o < 1` it is evidence against `p_c >= p_s`: that the candidate is not slower than the margin.
"""

from collections.abc import Sequence
from math import log


def log_tail_e_value(odds: float, *, share: float, candidate: tuple[int, int], stable: tuple[int, int]) -> float:
    """Natural logarithm of one block's e-value.

    Args:
        odds: the odds ratio that is bet on, above 0; above 1 for harm, below 1 for its absence.
        share: what stable's tail share is taken for, between 0 and 1; must come from earlier blocks only.
        candidate: requests of the candidate, and those of them slower than `m * b`.
        stable: requests of stable, and those of them slower than `b`; both revisions need at least one request.
    """
    (gain,) = log_tail_e_values((odds,), share=share, candidate=candidate, stable=stable)
    return gain


def log_tail_e_values(
    odds: Sequence[float], *, share: float, candidate: tuple[int, int], stable: tuple[int, int]
) -> list[float]:
    """The same for several bets on one block.

    With `d = 1 - q + o q` the quotients become `t/z = o/A`, `q/z = d/A`, `(1-t)/(1-z) = 1/B`, `(1-q)/(1-z) = d/B`,
    where `A = k o + (1-k) d` and `B = k + (1-k) d`, which leaves few logarithms.
    """
    (n_c, slow_c), (n_s, slow_s) = candidate, stable
    slow, fast = slow_c + slow_s, n_c + n_s - slow_c - slow_s
    part = n_c / (n_c + n_s)
    rest, passed = 1.0 - part, 1.0 - share
    gains = []
    for one in odds:
        scale = passed + one * share
        theirs = rest * scale
        gain = slow_c * log(one) + n_s * log(scale)
        gains.append(gain - slow * log(part * one + theirs) - fast * log(part + theirs))
    return gains
