"""The lanes of the user's objectives as a prediction sees them."""

from dataclasses import dataclass
from math import log

from fairway.domain.analysis.capital import Schedule
from fairway.domain.analysis.distribution import Distribution
from fairway.domain.analysis.lanes.objective import MULTIPLES, ObjectiveTest
from fairway.domain.analysis.margin import Margin, best_bet
from fairway.domain.analysis.planning.block import Block
from fairway.domain.analysis.planning.growth import Wager
from fairway.domain.analysis.planning.premises import Fault, Stretch, Traffic


@dataclass(frozen=True, slots=True)
class PlannedObjective:
    """A greatest share of the candidate's requests that may fail, or be slow.

    Attributes:
        stable: what is known of stable's latency.
    """

    weight: float
    test: ObjectiveTest
    traffic: Traffic
    stable: Distribution

    @property
    def schedule(self) -> Schedule:
        """As the lane's."""
        return self.test.schedule

    @property
    def cap(self) -> float:
        """As the lane's."""
        return self.test.cap

    @property
    def patient(self) -> bool:
        """As the lane."""
        return True

    def length(self, stretch: Stretch) -> float | None:
        """As the lane's; None where stable misses the objective itself, or where its latency is not known."""
        if self.test.slower is not None and not self.stable.total:
            return None
        return None if self._share(Fault()) > self.test.limit else self.test.length(stretch.seconds)

    def wagers(self, block: Block, fault: Fault) -> list[Wager]:
        """One for each alternative."""
        limit, share = self.test.limit, self._share(fault)
        bets = (
            best_bet(min(1.0, multiple * limit), stable=0.0, balance=0.0, margin=Margin(0.0, limit))
            for multiple in MULTIPLES
        )
        return [Wager(log(bet), 0.0, limit * block.candidate * (bet - 1.0), share, 0.0) for bet in bets]

    def _share(self, fault: Fault) -> float:
        """Requests that count against a candidate with that fault."""
        failed = fault.error_ratio(self.traffic)
        if self.test.slower is None or not self.stable.total:
            return failed
        return failed + (1.0 - failed) * fault.slow_share(self.stable, self.test.slower)
