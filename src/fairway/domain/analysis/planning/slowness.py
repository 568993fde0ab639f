"""The latency lane as a prediction sees it: edges in stable's histogram, and a candidate slower by a factor."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from fairway.domain.analysis.capital import Schedule
from fairway.domain.analysis.distribution import Distribution
from fairway.domain.analysis.lanes.latency import KNOWN, ODDS, SHARES, LatencyTest
from fairway.domain.analysis.latency import Cell, allowed
from fairway.domain.analysis.planning.block import Block
from fairway.domain.analysis.planning.growth import Wager
from fairway.domain.analysis.planning.premises import Fault, Stretch, Traffic


@dataclass(frozen=True, slots=True)
class PlannedLatency:
    """The latency lane, under the policy's own margin: that the instances of stable differ is not known before.

    Attributes:
        stable: what is known of stable's latency.
        edges: the candidate's edge, in microseconds, and the share of stable's answers above stable's edge; empty where
            too little is known of stable.
    """

    weight: float
    test: LatencyTest
    traffic: Traffic
    stable: Distribution
    edges: tuple[tuple[float, float], ...]

    @classmethod
    def begin(cls, weight: float, test: LatencyTest, traffic: Traffic) -> "PlannedLatency":
        """The lane with the edges that it would choose for this traffic."""
        stable = Distribution(traffic.latency)
        chosen = stable.edges(SHARES) if stable.total >= KNOWN else ()
        limits = ((allowed(edge, margin=test.margin, slack=test.slack), share) for edge, share in chosen)
        edges = tuple((_next_cell(traffic.latency, edge), share) for edge, share in limits)
        return cls(weight, test, traffic, stable, edges)

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
        """As the lane's; None where there is nothing to compare with."""
        return None if stretch.alone or not self.edges else self.test.length(stretch.seconds)

    def wagers(self, block: Block, fault: Fault) -> list[Wager]:
        """One for each edge and odds ratio. Failed requests are slower than every edge, in part."""
        mine, theirs = fault.error_ratio(self.traffic), self.traffic.errors
        failed = self.test.failures.part * mine
        made = []
        for edge, share in self.edges:
            slow_c = failed + (1.0 - mine) * fault.slow_share(self.stable, edge)
            slow_s = theirs + (1.0 - theirs) * share
            made += [_wager(odds, slow_c, slow_s, block) for odds in ODDS]
        return made or [Wager(0.0, 0.0, 0.0, 0.0, 0.0)]


def _wager(odds: float, slow_c: float, slow_s: float, block: Block) -> Wager:
    """The bet of the tail test on an odds ratio, when stable's tail share is known."""
    n_c, n_s = block.candidate, block.stable
    theirs = odds * slow_s / (1.0 - slow_s + odds * slow_s)
    both = (n_c * theirs + n_s * slow_s) / (n_c + n_s)
    fast_c, fast_s = log((1.0 - theirs) / (1.0 - both)), log((1.0 - slow_s) / (1.0 - both))
    return Wager(
        up=log(theirs / both) - fast_c,
        down=log(slow_s / both) - fast_s,
        cost=-n_c * fast_c - n_s * fast_s,
        candidate=slow_c,
        stable=slow_s,
    )


def _next_cell(cells: Sequence[Cell], edge: float) -> float:
    """The edge itself where a cell begins there or none lies there, else the end of its cell."""
    place = bisect_left(cells, edge, key=lambda cell: cell[0]) - 1
    if place < 0:
        return edge
    lower, width, _ = cells[place]
    return lower + width if lower < edge < lower + width else edge
