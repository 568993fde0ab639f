"""A candidate that gets no requests although stable does: routing is broken, or every request hangs.

No evidence must not look like good evidence. But at a weight of 0.1 % nothing may come for minutes in good health, so
the rule speaks only when the silence is improbable: with a share `w` of the requests, stable finishing `n` while the
candidate finishes none has the probability `(1 - w)^n`, and that must be below 1 in 10,000.
"""

from dataclasses import dataclass
from math import log1p

from fairway.domain.analysis.tally import Tally

READINGS = 3
IMPROBABLE = 9.21
"""-ln(1/10,000)."""


@dataclass(slots=True)
class AbsenceWatch:
    """What happened since the candidate last finished a request.

    Attributes:
        readings: how many readings.
        stable: how many requests stable finished.
        silent: that has become improbable.
        seconds: for how long it has been.
    """

    readings: int = 0
    stable: int = 0
    silent: bool = False
    seconds: float = 0.0

    def observe(self, seconds: float, tally: Tally, *, weight: float) -> None:
        """Adds a reading made at a weight above 0."""
        if tally.candidate_finished:
            self.readings, self.stable, self.silent, self.seconds = 0, 0, False, 0.0
            return
        self.readings += 1
        self.seconds += seconds if self.silent else 0.0
        self.stable += tally.stable_finished
        improbable = -self.stable * log1p(-_share(weight)) >= IMPROBABLE
        self.silent = self.readings >= READINGS and improbable

    def expected(self, weight: float) -> float:
        """How many requests the candidate should have finished in that time."""
        share = _share(weight)
        return self.stable * share / (1.0 - share)


def _share(weight: float) -> float:
    """At 100 percent stable may still finish what it had; a few requests of stable alone are no silence."""
    return min(0.99, weight / 100.0)
