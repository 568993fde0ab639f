"""The betting capital of one lane: what of it is at stake, and what is kept for later.

A lane bets on several alternatives at once. The capital put on an alternative is multiplied by that alternative's
e-value after every block; what is not yet at stake stays as it is. Whatever is put at stake is decided before the
block is seen, so the total is a mixture of e-processes that start at different times, and an e-process itself
(Shin, Ramdas, Rinaldo, "E-detectors", 2022; Vovk and Wang 2021 on averages of e-values).

Three parts are put at stake at three kinds of moments, because failures begin at three kinds of moments:
with the first block; with the first block after each change of weight (half of what is left of that part); and, in
case the candidate fails later, a little with every block, so slowly that it never runs out. Without the last two a
candidate that was healthy for ten seconds could fail as it liked: a healthy block of 25 requests shrinks a bet against
20 points to less than a hundredth, and nothing grows back from e^-400.

The cap is a limit on each block's e-value. Truncation only lowers expectations, so nothing is lost but speed, and a
burst that happened to hit one revision cannot decide alone.

Kept as plain numbers, not logarithms: a lane stops when the rollout is decided, at most one capped block above the
threshold, so it cannot overflow; and what underflows to 0 had lost everything.
"""

from dataclasses import dataclass, field
from math import exp, log


@dataclass(frozen=True, slots=True)
class Schedule:
    """How the capital of a lane is divided; the parts add up to 1.

    Attributes:
        first: put at stake with the first block.
        entry: kept for changes of weight.
        late: kept for failures that begin later.
        pace: blocks after which half of `late` has been put at stake; after j blocks `pace / (pace + j)` is left.
    """

    first: float
    entry: float
    late: float
    pace: float


PATIENT = Schedule(first=0.5, entry=0.1, late=0.4, pace=120.0)
"""Of the lanes whose blocks last some seconds: half of the late part is at stake after twenty minutes of ten each."""


@dataclass(slots=True)
class Capital:
    """What a lane owns, in parts of what it began with.

    Attributes:
        stakes: at stake, one for each alternative.
        pending: to be put at stake with the next block.
        entry_left: kept for changes of weight.
        blocks: how many blocks were judged.
        worth: all of it, once it was asked for since the last block.
    """

    stakes: list[float]
    pending: float
    entry_left: float
    blocks: int = 0
    worth: float | None = field(default=None, compare=False)

    @classmethod
    def begin(cls, schedule: Schedule, alternatives: int) -> "Capital":
        """The capital before the first block."""
        return cls([0.0] * alternatives, schedule.first, schedule.entry)

    def enter_step(self) -> None:
        """The weight changed: the next block gets half of what is kept for such changes.

        Nothing happens while the last amount waits for a block, so a second call changes nothing.
        """
        if self.pending == 0.0:
            self.pending = self.entry_left = self.entry_left / 2.0

    def grow(self, logs: list[float], *, schedule: Schedule, cap: float) -> None:
        """Settles one block.

        Args:
            logs: natural logarithms of the e-values, one for each alternative.
            schedule: as given at the beginning.
            cap: greatest e-value that one block may contribute.
        """
        # Written out, like other loops of this package: `min` takes longer than `exp`, and there are dozens of bets.
        late, pace, highest = schedule.late * schedule.pace, schedule.pace + self.blocks, log(cap)
        self.blocks += 1
        fresh = (self.pending + late / pace - late / (schedule.pace + self.blocks)) / len(self.stakes)
        self.stakes = [
            (stake + fresh) * exp(gain if gain < highest else highest)  # noqa: FURB136
            for stake, gain in zip(self.stakes, logs, strict=True)
        ]
        self.pending, self.worth = 0.0, None

    def total(self, schedule: Schedule) -> float:
        """The lane's e-value: everything it owns, 1 at the beginning."""
        if self.worth is None:
            self.worth = sum(self.stakes) + self.pending + self.entry_left + self._late_left(schedule)
        return self.worth

    def _late_left(self, schedule: Schedule) -> float:
        return schedule.late * schedule.pace / (schedule.pace + self.blocks)
