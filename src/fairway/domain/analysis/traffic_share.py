"""Whether the candidate gets the share of the requests that was configured.

A share that is wrong means that something else than the lot decides which requests go where; what is compared then is
not the two revisions. Null hypothesis: each request goes to the candidate with a chance that is off the weight by at
most a fifth of it, or of what is left to stable if that is less. The test is the likelihood ratio of a request's place
against the edge of that range, in both directions, as a detector that forgets evidence for the configured share (Shin,
Ramdas, Rinaldo, "E-detectors", 2022). At 10,000 it stops the clock, and it lets it go on when the share has been right
for about as long. It never takes a candidate back.

First tries that ended are counted, also those that clients gave up, so the first seconds after a change of weight, in
which requests of the old weight end, do not count.
"""

from dataclasses import dataclass, field
from functools import cache
from math import log, log1p

from fairway.domain.analysis.evidence import Finding
from fairway.domain.analysis.tally import Tally

TOLERANCE = 0.2
SETTLING = 2.0
"""Seconds after a change of weight."""

BETS = (0.3, 0.55, 1.7, 3.0)
"""Alternatives, as multiples of the configured odds."""

LIMIT = log(10_000.0)
HIGHEST = 1.2 * LIMIT
"""Evidence above is not remembered, so that a hold can end."""

RULE = "traffic-share"


@dataclass(slots=True)
class ShareWatch:
    """Evidence about the candidate's share in the present step.

    Attributes:
        weight: percent, as configured.
        seconds: since the weight was set.
        logs: of the evidence of each bet, 0 or more.
        candidate: first tries that ended since the evidence began to rise.
        both: likewise of both revisions.
    """

    weight: float = 0.0
    seconds: float = 0.0
    logs: list[float] = field(default_factory=lambda: [0.0] * len(BETS))
    candidate: int = 0
    both: int = 0

    def enter_step(self, weight: float) -> None:
        """The weight was set."""
        self.weight, self.seconds = weight, 0.0
        self.logs = [0.0] * len(BETS)
        self.candidate = self.both = 0

    def observe(self, seconds: float, tally: Tally) -> None:
        """Adds a reading."""
        self.seconds += seconds
        n_c = tally.candidate_finished + tally.candidate_abandoned
        n_s = tally.stable_finished + tally.stable_abandoned
        if self.seconds <= SETTLING or not 0.0 < self.weight < 100.0 or not n_c + n_s:
            return
        gains = [n_c * hit + n_s * miss for hit, miss in _gains(self.weight / 100.0)]
        if max(gains) <= 0.0 and not any(self.logs):
            self.candidate = self.both = 0
            return  # nothing spoke against the share, and nothing does
        logs = [before + gain for before, gain in zip(self.logs, gains, strict=True)]
        self.logs = [0.0 if one <= 0.0 else min(HIGHEST, one) for one in logs]
        if any(self.logs):
            self.candidate, self.both = self.candidate + n_c, self.both + n_c + n_s
        else:
            self.candidate = self.both = 0

    def finding(self) -> Finding | None:
        """The share is certainly wrong."""
        if max(self.logs) < LIMIT:
            return None
        observed = 100.0 * self.candidate / self.both if self.both else 0.0
        cause = (
            f"the candidate gets {observed:.3g} % of the requests ({self.candidate:,} of {self.both:,}), "
            f"configured are {self.weight:g} %, so that something else than the lot divides them"
        )
        return Finding(RULE, cause)


@cache
def _gains(share: float) -> tuple[tuple[float, float], ...]:
    """For each bet what a request to the candidate and one to stable add to the logarithm of the evidence."""
    off = TOLERANCE * min(share, 1.0 - share)
    gains = []
    for multiple in BETS:
        edge = share + off if multiple > 1.0 else share - off
        wanted = multiple * share / (1.0 - share + multiple * share)
        gains.append((log(wanted / edge), log1p(-wanted) - log1p(-edge)))
    return tuple(gains)
