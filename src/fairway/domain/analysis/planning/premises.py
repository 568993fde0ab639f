"""What a prediction rests on: the traffic, the stretches of the rollout, and the fault that is supposed."""

from dataclasses import dataclass

from fairway.domain.analysis.latency import Cell


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
        seconds: how long it is watched.
        purpose: as the plan calls it: bake, settle or observe.
        scaled_up: instances of the candidate were added right before, so that warm-up begins again.
    """

    weight: float
    seconds: float
    purpose: str = "bake"
    scaled_up: bool = False

    @property
    def alone(self) -> bool:
        """Stable gets no requests of its own to compare with."""
        return self.weight >= 100.0

    def candidate_rps(self, traffic: Traffic) -> float:
        """Requests a second to the candidate."""
        return traffic.rps * min(100.0, self.weight) / 100.0

    def stable_rps(self, traffic: Traffic) -> float:
        """Requests a second to stable."""
        return traffic.rps * max(0.0, 100.0 - self.weight) / 100.0


@dataclass(frozen=True, slots=True)
class Fault:
    """What may be wrong with a candidate, for good.

    Attributes:
        errors: its error ratio, as a fraction of 1; None: as stable's.
        slower: its latency as a multiple of stable's.
    """

    errors: float | None = None
    slower: float = 1.0

    def error_ratio(self, traffic: Traffic) -> float:
        """The candidate's error ratio."""
        return traffic.errors if self.errors is None else self.errors


HEALTHY = Fault()
