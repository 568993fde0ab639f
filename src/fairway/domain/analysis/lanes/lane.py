"""What every lane can do, and what it is told.

A lane is one kind of evidence with its own blocks and its own capital. The rollout's e-value is the weighted mean of
the lanes' e-values; it is an e-process whatever the dependence between them (Vovk and Wang 2021), so one threshold
serves all and the weights are the only price of a further lane.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from fairway.domain.analysis.distribution import NO_DISTRIBUTION, Distribution
from fairway.domain.analysis.evidence import Finding, LaneEvidence
from fairway.domain.analysis.tally import Tally
from fairway.domain.analysis.traffic import InstanceTraffic


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch of the rollout with one weight.

    Attributes:
        weight: percent of the requests that go to the candidate.
        alone: stable gets no requests of its own, so there is nothing to compare with.
        bake: how long the step shall be watched, in seconds; 0 when that is not known.
        copies: the candidate gets copies of this share of the requests; stable answers all of them.
        against: percent of the requests that go to what the candidate is compared with; None: to stable, all others.
    """

    weight: float
    alone: bool
    bake: float
    copies: bool = False
    against: float | None = None

    @property
    def balance(self) -> float:
        """Requests of the candidate per request of what it is compared with, as configured; below a weight of 100."""
        if self.against is not None:
            return self.weight / self.against
        return self.weight / (100.0 if self.copies else 100.0 - self.weight)


BLOCKS_IN_BAKE = 12
"""So that a short bake can be decided at all: four capped blocks are the least, warm-up takes up to a quarter."""


def block_length(block: float, *, shortest: float, bake: float) -> float:
    """Seconds of a block in a step that is watched for `bake` seconds; 0: not known.

    Args:
        block: where there is time enough.
        shortest: a bake may shorten it down to this.
        bake: how long the step shall be watched.
    """
    if bake <= 0.0:
        return block
    part = bake / BLOCKS_IN_BAKE
    # Written out, because it is asked at each reading.
    part = part if part > shortest else shortest  # noqa: FURB136
    return block if block < part else part  # noqa: FURB136


NO_STEP = Step(0.0, True, 0.0)
"""Before the first step."""


@dataclass(frozen=True, slots=True)
class Histograms:
    """Latency as counted up to now, cumulative, both revisions in one reading.

    Attributes:
        series: number of times that counting began again; numbers of different series cannot be subtracted.
        candidate: first tries that were answered without failing.
        stable: likewise.
        instances: those of stable, with their own latency where the data plane tells it.
        candidates: how many instances the candidate has.
    """

    series: int = 0
    candidate: Distribution = NO_DISTRIBUTION
    stable: Distribution = NO_DISTRIBUTION
    instances: tuple[InstanceTraffic, ...] = ()
    candidates: int = 1


NO_HISTOGRAMS = Histograms()


@dataclass(slots=True)
class Reading:
    """What ended since the reading before. Lanes don't change it; to freeze it would cost too much.

    Attributes:
        seconds: time that passed, 0 or more, as far as it can be trusted.
        tally: the counts.
        warming: the candidate was scaled up a short while ago.
        incident: both revisions were failing when this stretch began. Never taken from the counts in `tally`.
        histograms: latency as counted up to the end of this stretch.
        calm: failures are known to come nearly independently, also as of when this stretch began.
        waiting: requests under way at the end of this stretch, of the candidate and of stable.
        dispersion: how many times more the failures of stable's instances vary than independent failures would, 1 or
            more; known when this stretch began. Logarithms of e-values are divided by it.
        pace: seconds of the last of the readings that this one stands for; 0: it stands for itself.
    """

    seconds: float
    tally: Tally
    warming: bool
    incident: bool
    histograms: Histograms = NO_HISTOGRAMS
    dispersion: float = 1.0
    waiting: tuple[int, int] = (0, 0)
    calm: bool = False
    pace: float = 0.0

    @property
    def half(self) -> float:
        """Half of the seconds to the next reading: a block ends at the reading that is nearest to its length."""
        return (self.pace or self.seconds) / 2.0


class Lane(Protocol):
    """One kind of evidence."""

    name: str
    weight: float

    def close_block(self) -> None:
        """Judges the open block if it can be judged: the step ends."""
        ...

    def enter_step(self, step: Step) -> None:
        """Discards what is left of an open block; later readings belong to the new step."""
        ...

    def observe(self, reading: Reading) -> None:
        """Adds a reading to the open block and closes the block when its time has come."""
        ...

    def rest(self, *, left_out: bool) -> float:
        """Seconds for which readings are only added up; 0 or less where the next one may do more than that.

        Args:
            left_out: no block begins now, because of the warm-up.
        """
        ...

    def e_value(self) -> float:
        """The odds against the candidate over the whole rollout; 1 at the beginning."""
        ...

    def evidence(self) -> LaneEvidence:
        """What to show."""
        ...

    def obstacle(self) -> Finding | None:
        """Why this lane cannot judge at present although it has data, which stops the clock; None if it can."""
        ...

    def to_json(self) -> dict[str, Any]:
        """The whole state; `restore` of the lane's class makes an equal lane from it."""
        ...
