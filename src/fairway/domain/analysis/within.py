"""Evidence that a share of failures is within a margin.

With the terms of `margin`: for the null hypothesis `p_c >= ratio * p_s + points` the same product with a bet `a < 1`,
thus `b = 1 + ratio * k * (1 - a) > 1`, is an e-value, because `n_c (a - 1) (p_c - ratio p_s - points) <= 0` again. Our
own form, as there; the probability that it ever reaches 1/beta under the null is at most beta (Ville 1939). With
`ratio` 0 it compares with nothing and shows that an absolute limit is kept.
"""

from dataclasses import dataclass, field
from math import exp, log, log1p

from fairway.domain.analysis.evidence import GREATEST_E_VALUE, Counts
from fairway.domain.analysis.margin import Margin, best_bets, guess_ratio
from fairway.domain.analysis.tally import Tally

BETA = 0.05
"""Greatest probability that a step ends early with a candidate beyond a promotion margin."""

CAP = BETA ** (-1.0 / 3.0) * (1.0 + 1e-12)
HIGHEST = log(CAP)
"""Greatest e-value of one block; a little above the third root, or three blocks would miss 1/beta by a last digit."""

RATIO, POINTS = 1.25, 0.002
"""The promotion margin for errors: 1.25 times stable's error ratio plus 0.2 points."""

BETS = ((0.5, None), (0.2, 0.05), (0.15, 0.3), (0.15, 0.6))
"""Shares of the capital, each with the error ratio that it bets on as a part of the margin's limit; None: stable's."""

LEAST_ALTERNATIVE = 1e-6
"""An error ratio of 0 would be lost for good with the first failure."""


@dataclass(slots=True)
class ErrorEvidence:
    """Evidence that the candidate's error ratio is within a margin.

    Attributes:
        logs: logarithm of what each bet has become, 0 at the beginning of a step.
        stable: what closed blocks of the whole rollout have counted of stable.
    """

    logs: list[float] = field(default_factory=lambda: [0.0] * len(BETS))
    stable: Counts = field(default_factory=lambda: Counts(0, 0))

    def begin(self) -> None:
        """Another step begins."""
        self.logs = [0.0] * len(BETS)

    def grow(self, block: Tally, margin: Margin, *, dispersion: float = 1.0) -> None:
        """Settles one block, in which both revisions finished requests.

        Args:
            block: what it has counted.
            margin: the promotion margin.
            dispersion: how many times more failures vary than independent ones would; divides the logarithms.
        """
        balance = block.candidate_finished / block.stable_finished
        self.logs = [
            total + min(HIGHEST, gain / dispersion)
            for total, gain in zip(self.logs, self._gains(block, margin, balance), strict=True)
        ]
        finished, failed = self.stable.finished + block.stable_finished, self.stable.failed + block.stable_failed
        self.stable = Counts(finished, failed)

    def e_value(self) -> float:
        """The odds against "the candidate is beyond the margin"; never above the greatest that is told apart."""
        return mixture(tuple((share, total) for (share, _), total in zip(BETS, self.logs, strict=True)))

    def missing(self, margin: Margin, *, balance: float) -> int | None:
        """How many more requests of the candidate show it if the candidate fails as often as stable.

        Args:
            margin: the promotion margin.
            balance: requests of the candidate per request of stable to be expected, above 0.

        Returns:
            About how many, 0 if it is shown; None if no number of them would.
        """
        if self.e_value() >= 1.0 / BETA:
            return 0
        ratio = max(self.guess(), LEAST_ALTERNATIVE)
        wanted = []
        for (share, _), total, bet in zip(BETS, self.logs, self._bets(margin, balance), strict=True):
            growth = ratio * log(bet) + margin.points * (1.0 - bet)
            growth += ratio / balance * log1p(margin.ratio * balance * (1.0 - bet))
            if bet < 1.0 and growth > 0.0:
                wanted.append(max(0.0, (log(1.0 / BETA) - log(share) - total) / growth))
        return round(min(wanted)) if wanted else None

    def _gains(self, block: Tally, margin: Margin, balance: float) -> list[float]:
        candidate = (block.candidate_finished, block.candidate_failed)
        bets = self._bets(margin, balance)
        return [error_gain(bet, candidate, block.stable_failed, balance=balance, margin=margin) for bet in bets]

    def guess(self) -> float:
        """What stable's error ratio is taken for in the next block."""
        return guess_ratio(self.stable.failed, self.stable.finished)

    def _bets(self, margin: Margin, balance: float) -> list[float]:
        """The bets of the next block; what they rest on comes from closed blocks only."""
        return bets_on(self.guess(), margin, balance=balance)


def bets_on(guess: float, margin: Margin, *, balance: float) -> list[float]:
    """One bet for each of `BETS`; 1 or more where none should be made.

    Args:
        guess: what stable's error ratio is taken for.
        margin: what the candidate must be within.
        balance: finished requests of the candidate per finished request of stable.
    """
    limit = margin.limit(guess)
    alternatives = [guess if part is None else part * limit for _, part in BETS]
    alternatives = [one if one > LEAST_ALTERNATIVE else LEAST_ALTERNATIVE for one in alternatives]  # noqa: FURB136
    return best_bets(alternatives, stable=guess, balance=balance, margin=margin)


def error_gain(bet: float, candidate: tuple[int, int], stable_failed: int, *, balance: float, margin: Margin) -> float:
    """Logarithm of one block's e-value.

    Args:
        bet: below 1; with 1 or more no bet is made, which gives 0.
        candidate: finished and failed requests of the candidate.
        stable_failed: failed requests of stable.
        balance: finished requests of the candidate per finished request of stable.
        margin: what the candidate must be within.
    """
    if bet >= 1.0:
        return 0.0
    finished, failed = candidate
    gain = failed * log(bet) + margin.points * finished * (1.0 - bet)
    return gain + stable_failed * log1p(margin.ratio * balance * (1.0 - bet))


def mixture(parts: tuple[tuple[float, float], ...]) -> float:
    """The mean of e-values given as `(share, logarithm)`; never above the greatest that is told apart."""
    highest = log(GREATEST_E_VALUE) + 1.0
    return min(GREATEST_E_VALUE, sum(share * exp(min(highest, total)) for share, total in parts))
