"""How a block's logarithm of the e-value is spread, when only expectations are known.

For a bet that was made, the logarithm is linear in what the block counts: `up` for each bad request of the candidate,
`down` for each bad request of stable, less a fixed `cost`; and at most the cap. Its mean and variance follow from the
distribution of the candidate's bad requests. A block holds at least one request of the candidate, or it would not have
closed; the others come at random.

Bets on harm win with the candidate's bad requests (`up` above 0, `down` below); bets on its absence lose with them and
win with every good one, so that their `cost` is below 0.
"""

from dataclasses import dataclass
from math import erf, exp, pi, sqrt

WIDE = 9.0
"""Variance of a block's bad requests from which on a normal distribution stands for their number."""

MOST = 60.0
"""Bad requests in a block from which on they are not summed up one by one."""

NEGLIGIBLE = 1e-9
"""Probability that is left out of sums."""


@dataclass(frozen=True, slots=True)
class Wager:
    """One bet on one block of expected counts, with what is supposed to be true.

    Attributes:
        up: what a bad request of the candidate adds to the logarithm of the e-value.
        down: what a bad request of stable adds.
        cost: what is taken off whatever happens.
        candidate: chance that a request of the candidate is bad.
        stable: chance that a request of stable is bad.
    """

    up: float
    down: float
    cost: float
    candidate: float
    stable: float

    def expect(self, n_c: float, n_s: float, *, cap: float) -> tuple[float, float]:
        """Mean and variance of the logarithm of the block's e-value.

        Args:
            n_c: expected requests of the candidate; 1 or more in a block that closes by itself.
            n_s: expected requests of stable.
            cap: greatest logarithm of one block's e-value.
        """
        stable_bad = n_s * self.stable
        fixed = self.down * stable_bad - self.cost
        noise = self.down * self.down * stable_bad * (1.0 - self.stable)
        bad = n_c * self.candidate
        spread = bad * (1.0 - self.candidate)
        if self.up == 0.0:
            return fixed, noise
        if self.up < 0.0:
            return self._reassure(bad, spread, fixed=fixed, noise=noise, cap=cap)
        if spread > WIDE or bad > MOST:
            return _capped_normal(self.up * bad + fixed, self.up * self.up * spread + noise, cap)
        mean, variance = _capped_counts(self.up, fixed, bad, min(1.0, n_c) * self.candidate, cap)
        return mean, variance + noise

    def _reassure(self, bad: float, spread: float, *, fixed: float, noise: float, cap: float) -> tuple[float, float]:
        """The same for a bet on the absence of harm, whose best blocks are those without a bad request."""
        if spread > WIDE or bad > MOST:
            return _capped_normal(self.up * bad + fixed, self.up * self.up * spread + noise, cap)
        mean = square = 0.0
        chance, left = exp(-bad), 1.0
        for count in range(round(3.0 * MOST)):
            first, variance = _capped_normal(self.up * count + fixed, noise, cap)
            mean, square, left = mean + chance * first, square + chance * (variance + first * first), left - chance
            if left < NEGLIGIBLE:
                break
            chance *= bad / (count + 1)
        return mean, max(0.0, square - mean * mean)


def _capped_normal(mean: float, variance: float, cap: float) -> tuple[float, float]:
    """Mean and variance of the lesser of a normal variable and the cap."""
    sd = sqrt(variance)
    if sd < 1e-9 or abs(cap - mean) > 6.0 * sd:
        return (mean, variance) if mean < cap else (cap, 0.0)
    d = (cap - mean) / sd
    below, density = 0.5 * (1.0 + erf(d / sqrt(2.0))), exp(-d * d / 2.0) / sqrt(2.0 * pi)
    first = mean * below - sd * density + cap * (1.0 - below)
    second = (mean * mean + variance) * below - sd * (mean + cap) * density + cap * cap * (1.0 - below)
    return first, max(0.0, second - first * first)


def _capped_counts(up: float, fixed: float, bad: float, first: float, cap: float) -> tuple[float, float]:
    """Mean and variance of `min(cap, up * count + fixed)` for a small number of bad requests.

    Args:
        up: above 0.
        fixed: what is there without any.
        bad: expected number.
        first: chance that the request that the block needs is bad; the others follow a Poisson distribution.
        cap: the greatest value.
    """
    others = bad - first
    total = mean = square = before = 0.0
    chance = exp(-others)
    count = 0
    while (gain := up * count + fixed) < cap and count < 3.0 * MOST:
        weight = chance * (1.0 - first) + before * first
        total += weight
        mean += weight * gain
        square += weight * gain * gain
        count += 1
        before, chance = chance, chance * others / count
    rest = max(0.0, 1.0 - total)
    mean += rest * cap
    square += rest * cap * cap
    return mean, max(0.0, square - mean * mean)
