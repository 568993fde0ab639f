"""The lanes as a prediction sees them: the bets that a block of expected counts would hold."""

from dataclasses import dataclass
from math import log1p

from fairway.domain.analysis.capital import Schedule
from fairway.domain.analysis.distribution import Distribution
from fairway.domain.analysis.lanes import begin_lanes
from fairway.domain.analysis.lanes.error_ratio import KNOWN_STABLE, ErrorRatioLane, ErrorRatioTest
from fairway.domain.analysis.lanes.latency import LatencyLane
from fairway.domain.analysis.lanes.objective import ObjectiveLane
from fairway.domain.analysis.margin import Margin, best_bet, guess_ratio
from fairway.domain.analysis.planning.block import Block, PlannedLane
from fairway.domain.analysis.planning.growth import Wager
from fairway.domain.analysis.planning.objectives import PlannedObjective
from fairway.domain.analysis.planning.premises import Fault, Stretch, Traffic
from fairway.domain.analysis.planning.slowness import PlannedLatency
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.proportion import upper_limit


@dataclass(frozen=True, slots=True)
class PlannedErrors:
    """A lane that compares error ratios."""

    weight: float
    test: ErrorRatioTest
    traffic: Traffic

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
        """As the lane's."""
        return self.test.patient

    def length(self, stretch: Stretch) -> float | None:
        """As the lane's."""
        return self.test.length(stretch.seconds)

    def wagers(self, block: Block, fault: Fault) -> list[Wager]:
        """One for each alternative."""
        traffic = self.traffic
        failed = block.known * traffic.errors
        guess = guess_ratio(failed, block.known)
        alone = block.stable <= 0.0
        margin = self._absolute(block.known, failed) if alone else self.test.margin
        balance = 0.0 if alone else block.candidate / block.stable
        ratio, made = fault.error_ratio(traffic), []
        for alternative in self.test.alternatives(margin.limit(guess)):
            bet = best_bet(alternative, stable=guess, balance=balance, margin=margin) - 1.0
            if bet > 0.0:
                cost = margin.points * block.candidate * bet
                made.append(Wager(log1p(bet), log1p(-margin.ratio * balance * bet), cost, ratio, traffic.errors))
            else:
                made.append(Wager(0.0, 0.0, 0.0, ratio, traffic.errors))
        return made

    def _absolute(self, known: float, failed: float) -> Margin:
        """What takes the comparison's place where there is nothing to compare with."""
        stable = upper_limit(round(failed), round(known)) if known >= KNOWN_STABLE else 0.0
        return Margin(0.0, max(self.test.reference, self.test.margin.limit(stable)))


def planned_lanes(policy: AnalysisPolicy, traffic: Traffic) -> tuple[PlannedLane, ...]:
    """The lanes that can be predicted; what others would find besides is not counted on."""
    planned: list[PlannedLane] = []
    for lane in begin_lanes(policy):
        match lane:
            case ErrorRatioLane():
                planned.append(PlannedErrors(lane.weight, lane.test, traffic))
            case LatencyLane():
                planned.append(PlannedLatency.begin(lane.weight, lane.test, traffic))
            case ObjectiveLane():
                planned.append(PlannedObjective(lane.weight, lane.test, traffic, Distribution(traffic.latency)))
            case _:  # how often clients leave is nothing that can be supposed beforehand
                pass
    return tuple(planned)
