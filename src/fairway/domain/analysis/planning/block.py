"""What a lane is to a prediction: its blocks, its capital, and the bets that a block of expected counts would hold."""

from dataclasses import dataclass
from typing import Protocol

from fairway.domain.analysis.capital import Schedule
from fairway.domain.analysis.planning.growth import Wager
from fairway.domain.analysis.planning.premises import Fault, Stretch


@dataclass(frozen=True, slots=True)
class Block:
    """What a block is expected to hold, and what is known of stable when it opens.

    Attributes:
        stretch: where the rollout stands.
        candidate: requests of the candidate.
        stable: requests of stable; 0 where it gets none.
        known: requests of stable in earlier blocks of the rollout.
    """

    stretch: Stretch
    candidate: float
    stable: float
    known: float


class PlannedLane(Protocol):
    """One lane of the analysis."""

    @property
    def weight(self) -> float:
        """Its part of the capital."""
        ...

    @property
    def schedule(self) -> Schedule:
        """How its capital is put at stake."""
        ...

    @property
    def cap(self) -> float:
        """Greatest e-value of one block."""
        ...

    @property
    def patient(self) -> bool:
        """It leaves out the warm-up."""
        ...

    def length(self, stretch: Stretch) -> float | None:
        """Seconds of a block; None where this lane cannot judge."""
        ...

    def wagers(self, block: Block, fault: Fault) -> list[Wager]:
        """The bets on a block, always the same number."""
        ...
