"""Evidence that clients do not leave the candidate more often than the promotion margin allows.

The test of `errors` with "given up" in place of "failed", on blocks of its own that begin after a pause (see
`lanes/abandonment.py`). A client leaves long after its request began, so that a candidate which lets requests hang
looks well until the first clients lose patience. So requests that wait there, beyond what wait at stable in proportion,
count as given up as long as they wait: that only ever lowers the evidence.
"""

from dataclasses import dataclass, field
from math import inf, log, sqrt

from fairway.domain.analysis.lanes.abandonment import pause_at_entry
from fairway.domain.analysis.lanes.lane import Reading
from fairway.domain.analysis.margin import Margin
from fairway.domain.analysis.tally import Tally
from fairway.domain.analysis.within import BETS, ErrorEvidence, bets_on, mixture

BY_CHANCE = 3.0
"""Standard deviations by which what waits varies anyway."""


@dataclass(slots=True)
class AbandonmentEvidence:
    """Evidence that the share of requests given up is within the margin.

    Attributes:
        known: what closed blocks have shown.
        seconds: age of the open block.
        open: what it has counted.
        age: seconds of the present step.
        pause: seconds of it that are left out; None before its first reading.
        waiting: requests that wait at the candidate beyond their due.
        dispersion: by which the open block will be tempered, as known when it began.
    """

    known: ErrorEvidence = field(default_factory=ErrorEvidence)
    seconds: float = 0.0
    open: Tally = field(default_factory=Tally)
    age: float = 0.0
    pause: float | None = None
    waiting: int = 0
    dispersion: float = 1.0

    def discard(self) -> None:
        """Discards the open block: another stretch begins."""
        self.seconds, self.open = 0.0, Tally()

    def begin(self) -> None:
        """Another step begins."""
        self.discard()
        self.known.begin()
        self.age, self.pause, self.waiting = 0.0, None, 0

    def observe(self, reading: Reading, margin: Margin, *, length: float, balance: float) -> bool:
        """Adds a reading; closes the block when its time has come.

        Args:
            reading: what ended; both revisions have requests in this step.
            margin: the promotion margin.
            length: seconds of a block.
            balance: requests of the candidate per request of stable, as the weight has them.

        Returns:
            Whether there is something new to show.
        """
        if self.pause is None:
            self.pause = pause_at_entry(reading.histograms)
        settling, self.age = self.age < self.pause, self.age + reading.seconds
        before, self.waiting = self.waiting, _overdue(*reading.waiting, margin=margin, balance=balance)
        if self.seconds == 0.0:
            if settling or reading.warming or reading.incident:
                return self.waiting != before
            self.dispersion = reading.dispersion
        self.seconds += reading.seconds
        self.open.add(reading.tally)
        if self.seconds + reading.half < length:
            return self.waiting != before  # the next reading is as near to the block's end as this one, or nearer
        block = self.open.given_up()
        if not block.candidate_finished or not block.stable_finished:
            return self.waiting != before
        self.known.grow(block, margin, dispersion=self.dispersion)
        self.discard()
        return True

    def rest(self, length: float, *, left_out: bool) -> float:
        """Seconds until a block of that length may close or the pause ends; 0 while requests wait too long."""
        if self.pause is None or self.waiting:
            return 0.0
        settled = self.age >= self.pause
        rest = inf if self.seconds == 0.0 and (left_out or not settled) else length - self.seconds
        return rest if settled else min(rest, self.pause - self.age)

    def e_value(self, margin: Margin, *, balance: float) -> float:
        """The odds against "the candidate is beyond the margin" if whoever waits too long there gives up."""
        if not self.waiting:
            return self.known.e_value()
        bets = bets_on(self.known.guess(), margin, balance=balance)
        costs = [self.waiting * log(bet) if bet < 1.0 else 0.0 for bet in bets]
        logs = zip(BETS, self.known.logs, costs, strict=True)
        return mixture(tuple((share, total + cost) for (share, _), total, cost in logs))

    def missing(self, margin: Margin, *, balance: float, threshold: float) -> int | None:
        """How many more requests of the candidate show it if it is as good as stable; see `ErrorEvidence.missing`."""
        if self.waiting and self.e_value(margin, balance=balance) < threshold:
            return None
        return self.known.missing(margin, balance=balance)


def _overdue(candidate: int, stable: int, *, margin: Margin, balance: float) -> int:
    """Requests under way at the candidate beyond those that the margin and chance explain."""
    due = margin.ratio * balance * stable
    return max(0, round(candidate - due - BY_CHANCE * sqrt(due + 1.0)))
