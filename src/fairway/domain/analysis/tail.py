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

from math import log


def log_tail_e_value(odds: float, *, share: float, candidate: tuple[int, int], stable: tuple[int, int]) -> float:
    """Natural logarithm of one block's e-value.

    Args:
        odds: the odds ratio that is bet on, above 0; above 1 for harm, below 1 for its absence.
        share: what stable's tail share is taken for, between 0 and 1; must come from earlier blocks only.
        candidate: requests of the candidate, and those of them slower than `m * b`.
        stable: requests of stable, and those of them slower than `b`; both revisions need at least one request.
    """
    (n_c, slow_c), (n_s, slow_s) = candidate, stable
    theirs = odds * share / (1.0 - share + odds * share)
    both = (n_c * theirs + n_s * share) / (n_c + n_s)
    slow = slow_c * log(theirs) + slow_s * log(share) - (slow_c + slow_s) * log(both)
    fast_c, fast_s = n_c - slow_c, n_s - slow_s
    return slow + fast_c * log(1.0 - theirs) + fast_s * log(1.0 - share) - (fast_c + fast_s) * log(1.0 - both)
