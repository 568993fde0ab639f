"""What a prediction rests on: the traffic, the stretches of the rollout, and the fault that is supposed."""

from bisect import bisect_left
from dataclasses import dataclass

from fairway.domain.analysis.distribution import Distribution
from fairway.domain.analysis.latency import Cell
from fairway.domain.analysis.same_age import baseline_share


@dataclass(frozen=True, slots=True)
class Traffic:
    """The requests of an environment, taken to stay as they are.

    Attributes:
        rps: requests a second to both revisions together.
        errors: stable's error ratio, as a fraction of 1.
        latency: stable's histogram; empty where it is not known.
    """

    rps: float
    errors: float
    latency: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the rollout that is watched at one weight.

    Attributes:
        weight: percent of the requests that go to the candidate.
        seconds: how long it is watched, or how long at most.
        purpose: as the plan calls it: rehearse, bake, settle or observe.
        scaled_up: instances of the candidate were added right before, so that warm-up begins again.
        copies: percent of the requests of which the candidate gets a copy, at a weight of 0; stable answers them all.
        least: seconds from which on evidence for the candidate ends it; None: time does.
        baseline: the candidate is compared with a baseline of its own age, and not with stable.
    """

    weight: float
    seconds: float
    purpose: str = "bake"
    scaled_up: bool = False
    copies: float = 0.0
    least: float | None = None
    baseline: bool = False

    @property
    def alone(self) -> bool:
        """Stable gets no requests of its own to compare with."""
        return self.weight >= 100.0

    def candidate_rps(self, traffic: Traffic) -> float:
        """Requests or copies a second to the candidate."""
        return traffic.rps * min(100.0, self.copies or self.weight) / 100.0

    def stable_rps(self, traffic: Traffic) -> float:
        """Requests a second to what the candidate is compared with; a baseline gets copies, too."""
        if self.baseline:
            return traffic.rps * (self.copies or baseline_share(self.weight)) / 100.0
        return traffic.rps * max(0.0, 100.0 - self.weight) / 100.0


@dataclass(frozen=True, slots=True)
class Fault:
    """What may be wrong with a candidate, for good.

    Attributes:
        errors: its error ratio, as a fraction of 1; None: as stable's.
        slower: its latency as a multiple of stable's …
        slowest: … of so large a part of its answers, above 0 and up to 1: the slowest ones.
    """

    errors: float | None = None
    slower: float = 1.0
    slowest: float = 1.0

    def error_ratio(self, traffic: Traffic) -> float:
        """The candidate's error ratio."""
        return traffic.errors if self.errors is None else self.errors

    def slow_share(self, stable: Distribution, edge: float) -> float:
        """The share of the candidate's answers above an edge.

        Args:
            stable: latency of stable's answers; at least one.
            edge: microseconds.
        """
        return max(tail_share(stable, edge), min(self.slowest, tail_share(stable, edge / self.slower)))


def tail_share(stable: Distribution, edge: float) -> float:
    """The share of stable's answers above the edge, spread evenly within cells."""
    above = float(stable.slower(edge))
    place = bisect_left(stable.cells, edge, key=lambda cell: cell[0]) - 1
    if place >= 0:
        lower, width, count = stable.cells[place]
        above += count * min(1.0, max(0.0, (lower + width - edge) / width))
    return above / stable.total


HEALTHY = Fault()
