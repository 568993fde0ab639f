"""Gauges, and sources that know quantiles only: is the candidate above its margin more often than not?

Of each interval there are two numbers, read at the same time, and one sign: the candidate's is above `ratio × stable's`
or not. Null hypothesis: given the past, the sign is "above" with probability at most 1/2. With `k` of `n` signs above,
a bet `p > 1/2` has grown to

    e(p) = (2p)^k (2(1 - p))^(n - k),

whose expectation is at most 1 under the null: one sign contributes `2pq + 2(1 - p)(1 - q) <= 1` for `q <= 1/2`. The
mean over several `p` is an e-process too (Vovk and Wang 2021), and so is capital that is put at stake in parts
(`capital.py`). Nothing is assumed about the numbers themselves: no variance, no distribution, any noise that hits both.

The same with bets `p < 1/2` is evidence for the candidate: against "above the promotion margin at least as often as
not".

Not covered: readings that overlap in time (one minute looked at four times is one observation, not four), and a
candidate whose own ups and downs last longer than an interval.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import exp, log

from fairway.domain.analysis.capital import Capital, Schedule

BETS = (0.55, 0.65, 0.75, 0.85, 0.95, 0.995)
_LOGS = tuple((log(2.0 * p), log(2.0 * (1.0 - p))) for p in BETS)
_AGAINST = tuple((below, above) for above, below in _LOGS)
"""Of bets on `1 - p`: that the candidate is above a margin less often than not."""

SCHEDULE = Schedule(first=0.5, entry=0.25, late=0.25, pace=60.0)
"""As in the lanes: half at once, the rest for changes of weight and for what begins late."""

CAP = 2.0
"""No sign can contribute more."""


def _begin() -> Capital:
    return Capital.begin(SCHEDULE, len(BETS))


@dataclass(slots=True)
class SignTest:
    """The evidence of one gauge.

    Attributes:
        intervals: how many were judged.
        above: in how many of them the candidate was above its margin.
        logs: of the evidence of the present step that the candidate is within the promotion margin, one for each bet.
    """

    capital: Capital = field(default_factory=_begin)
    intervals: int = 0
    above: int = 0
    logs: list[float] = field(default_factory=lambda: [0.0] * len(BETS))

    def enter_step(self) -> None:
        """The weight changed."""
        self.logs = [0.0] * len(BETS)
        if self.capital.blocks:
            self.capital.enter_step()

    def observe(self, *, above: bool, beyond: bool = False) -> None:
        """Adds the sign of one interval.

        Args:
            above: the candidate was above its margin.
            beyond: it was above the promotion margin as well.
        """
        self.logs = [one + gain for one, gain in zip(self.logs, _gains(_AGAINST, beyond), strict=True)]
        self.intervals += 1
        self.above += above
        self.capital.grow(_gains(_LOGS, above), schedule=SCHEDULE, cap=CAP)

    def e_value(self) -> float:
        """The odds against the candidate; 1 at the beginning."""
        return self.capital.total(SCHEDULE)

    def promotion(self) -> float:
        """The odds against "above the promotion margin at least as often as not", in the present step."""
        return sum(exp(min(MOST, one)) for one in self.logs) / len(BETS)


MOST = 30.0
"""Greatest logarithm that is told apart."""


def _gains(bets: Iterable[tuple[float, float]], above: bool) -> list[float]:
    return [pair[0] if above else pair[1] for pair in bets]
