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

Failed requests are among the slow ones, but the candidate may fail `ratio * f_s + points` of its requests when stable
fails `f_s`, and what its errors are allowed must not count as slowness. So each of its failures counts as the part
`l <= 1 / ratio` of a slow request: its factor is `F = (1 - l) (1-t)/(1-z) + l t/z`. With `s_c <= s_s` slow answers,
`s_c + l f_c <= s_s + f_s + l points`, so that f is evaluated at most `l points` beyond `p_s`, which raises it by at
most the factor `exp(l points (t/z (1-z)/(1-t) - 1))` a request; divided by that the proof stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import log

from fairway.domain.analysis.margin import Margin

DEAREST = 0.001
"""A request of the candidate costs no more than `l points = DEAREST`; wide margins make failures count less instead."""


@dataclass(frozen=True, slots=True)
class Failures:
    """How the candidate's failures count.

    Attributes:
        part: of a slow request, above 0 and at most 1.
        free: share of the requests by which they may exceed stable's, as parts of slow ones.
    """

    part: float = 1.0
    free: float = 0.0

    @classmethod
    def within(cls, margin: Margin) -> "Failures":
        """Such that failures within a margin are no slowness."""
        part = 1.0 / max(1.0, margin.ratio, margin.points / DEAREST)
        return cls(part, part * margin.points)


AS_SLOW = Failures()
"""One failure is one slow request."""


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
    odds: Sequence[float],
    *,
    share: float,
    candidate: tuple[int, int],
    stable: tuple[int, int],
    failed: int = 0,
    failures: Failures = AS_SLOW,
) -> list[float]:
    """The same for several bets on one block; `failed` of the candidate's slow requests failed.

    With `d = 1 - q + o q` the quotients become `t/z = o/A`, `q/z = d/A`, `(1-t)/(1-z) = 1/B`, `(1-q)/(1-z) = d/B`,
    where `A = k o + (1-k) d` and `B = k + (1-k) d`, which leaves few logarithms. Failures that count in part are for
    odds above 1 only.
    """
    (n_c, slow_c), (n_s, slow_s) = candidate, stable
    slow, fast = slow_c + slow_s, n_c + n_s - slow_c - slow_s
    part = n_c / (n_c + n_s)
    rest, passed = 1.0 - part, 1.0 - share
    gains, counted, free = [], failures.part, failures.free * n_c
    for one, weight in zip(odds, _logs(tuple(odds)), strict=True):
        scale = passed + one * share
        theirs = rest * scale
        above, below = part * one + theirs, part + theirs
        gain = slow_c * weight + n_s * log(scale) - slow * log(above) - fast * log(below)
        if free or (failed and counted < 1.0):
            worth = one * below / above
            gain -= free * (worth - 1.0)
            if failed:
                gain += failed * log(counted + (1.0 - counted) / worth)
        gains.append(gain)
    return gains


@cache
def _logs(odds: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(log(one) for one in odds)
