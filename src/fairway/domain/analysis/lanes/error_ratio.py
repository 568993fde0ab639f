"""Lanes that compare error ratios by the affine-margin test. The hard lane and the error lane are two of them.

Rules of a block:
- It closes by time, by a change of weight, never by what it contains of failures.
- A block without a request of the candidate, or without one of stable's, goes on instead of closing; a change of
  weight discards it, because requests of different weights are not comparable.
- Only first tries count; what stable answers in place of the candidate is no request of stable's.
- Guesses that the bets use (stable's error ratio) come from closed blocks only.
- Whether a reading is left out (warm-up, shared incident) is known before the reading. A block that is open goes on to
  its end all the same.

Where stable has no requests of its own (weight 100; a first deployment; no old instance left, which is when its silence
is improbable at this weight) the comparison is replaced by an absolute limit: the greater of the policy's reference and
what the margin allows at the upper 99 % limit of stable's error ratio in this rollout's earlier blocks. The capital
stays the same. What that guarantees is less: the probability of a wrong roll-back is at most alpha only if the
candidate's true error ratio stays below that limit. An incident that hits everyone then looks like a fault of the
candidate, unless second tries on stable fail as well.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf, log
from typing import Any

from fairway.domain import codec
from fairway.domain.analysis.capital import Capital, Schedule
from fairway.domain.analysis.evidence import GREATEST_E_VALUE, Counts, Finding, LaneEvidence
from fairway.domain.analysis.interval import RatioInterval
from fairway.domain.analysis.lanes.lane import NO_STEP, Reading, Step, block_length
from fairway.domain.analysis.margin import Margin, guess_ratio, log_e_values
from fairway.domain.analysis.proportion import upper_limit
from fairway.domain.analysis.tally import Tally

NO_COUNTS = Counts(0, 0)

NOT_STORED = ("test", "shown")
"""The test follows from the policy, what is shown from all the rest."""

PATIENCE = 8
"""Block lengths without a request of stable before which the candidate is not judged alone …"""

IMPROBABLE = log(10_000.0)
"""… nor before the lot would leave stable out of so many requests once in 10,000 times: that few requests go to stable
at a high weight is no reason to blame the candidate for what hits both."""

CALM = 0.5
"""Part of a block that is enough where failures are known not to come in clusters: blocks of ten seconds are there so
that one cluster falls into one block."""

KNOWN_STABLE = 100
"""Requests of stable from which on its own error ratio says more than the policy's reference."""


@dataclass(frozen=True, slots=True)
class ErrorRatioTest:
    """What makes one error-ratio lane differ from another.

    Attributes:
        margin: what the candidate is allowed.
        alternatives: the error ratios to bet on, from the limit of the margin; always the same number.
        schedule: how the capital is put at stake.
        cap: greatest e-value of one block.
        block: seconds.
        shortest: seconds; a bake may shorten the block down to this.
        reference: error ratio that is in order where there is nothing to compare with.
        patient: leaves out warm-up and shared incidents; divides logarithms by the dispersion of failures.
        words: the margin in words.
        share: what is compared, in words.
        needs_stable: where nothing is known of stable nothing is judged, instead of by the reference alone.
    """

    margin: Margin
    alternatives: Callable[[float], tuple[float, ...]]
    schedule: Schedule
    cap: float
    block: float
    shortest: float
    reference: float
    patient: bool
    words: str
    share: str = "an error ratio"
    needs_stable: bool = False

    def length(self, bake: float, *, calm: bool = False) -> float:
        """Seconds of a block.

        Args:
            bake: seconds for which the step is watched; 0: not known.
            calm: failures are known to come nearly independently, so that half a block is enough.
        """
        block = self.block * CALM if calm and self.patient else self.block
        return block_length(block, shortest=self.shortest, bake=bake)


@dataclass(slots=True)
class ErrorRatioLane:
    """State of one error-ratio lane.

    Attributes:
        step: where the rollout stands.
        seconds: age of the open block.
        quiet: seconds since stable last finished a request in this step.
        unmatched: requests that the candidate finished in that time.
        open: what the open block has counted.
        judged: what closed blocks of the present step have counted.
        stable: what closed blocks of the whole rollout have counted of stable.
        shown: the evidence as of the last closed block, once it was asked for.
        dispersion: by which the open block will be tempered, as known when it began.
        calm: failures were known to come nearly independently, likewise.
    """

    name: str
    weight: float
    test: ErrorRatioTest
    capital: Capital
    step: Step = NO_STEP
    seconds: float = 0.0
    quiet: float = 0.0
    unmatched: int = 0
    open: Tally = field(default_factory=Tally)
    judged: Tally = field(default_factory=Tally)
    stable: Counts = field(default_factory=lambda: NO_COUNTS)
    interval: RatioInterval = field(default_factory=RatioInterval)
    dispersion: float = 1.0
    calm: bool = False
    shown: LaneEvidence | None = field(default=None, compare=False)

    @classmethod
    def begin(cls, name: str, weight: float, test: ErrorRatioTest) -> "ErrorRatioLane":
        """The lane at the beginning of a rollout."""
        return cls(name, weight, test, Capital.begin(test.schedule, len(test.alternatives(0.5))))

    def close_block(self) -> None:
        """Judges the open block if it can be judged."""
        if self._close(alone=self.step.alone):
            self.seconds, self.open = 0.0, Tally()

    def enter_step(self, step: Step) -> None:
        """Discards what is left of an open block; forgets what described the step before."""
        self.seconds, self.quiet, self.unmatched, self.open = 0.0, 0.0, 0, Tally()
        self.judged, self.interval, self.shown = Tally(), RatioInterval(), None
        if self.capital.blocks:
            self.capital.enter_step()
        self.step = step

    def observe(self, reading: Reading) -> None:
        """Adds a reading; closes the block when its time has come."""
        if self.test.patient:
            left_out = reading.warming or reading.incident
        else:
            left_out = reading.incident and self.step.alone
            tally = reading.tally
            if (
                self.seconds == 0.0 < tally.candidate_finished
                and tally.stable_finished > 0
                and not self.step.alone
                and reading.seconds >= self.test.block
                and self.open.is_empty
            ):
                # A reading is a block, as nearly always. What is written out below comes to the same.
                self.quiet, self.unmatched = 0.0, 0
                self._settle(tally, paired=True)
                return
        self.take(reading, reading.tally, left_out=left_out, calm=reading.calm)

    def take(self, reading: Reading, tally: Tally, *, left_out: bool, calm: bool) -> None:
        """The same with other counts than those of failures.

        Args:
            reading: when it was, and what was known then.
            tally: what is compared.
            left_out: no block begins here.
            calm: what is counted is known to come nearly independently.
        """
        begins = self.seconds == 0.0
        if begins and left_out:
            return
        if begins and self.test.patient:
            self.dispersion, self.calm = reading.dispersion, calm
        self.seconds += reading.seconds
        self._listen(reading.seconds, tally)
        self.open.add(tally)
        if self.seconds + reading.half < self.test.length(self.step.bake, calm=self.calm):
            return  # the next reading is as near to the block's end as this one, or nearer
        # With all the weight there is nobody else to listen for.
        alone = self.step.alone or (self.unmatched > 0 and self._silent(self.test.length(self.step.bake)))
        if self._close(alone=alone):
            self.seconds, self.open = 0.0, Tally()

    def rest(self, *, left_out: bool) -> float:
        """Seconds until the block may close that is open or begins with the next reading."""
        if self.seconds == 0.0:
            # Whether it will be a calm one, which is shorter, is known when it begins.
            return inf if left_out else self.test.length(self.step.bake, calm=True)
        return self.test.length(self.step.bake, calm=self.calm) - self.seconds

    def e_value(self) -> float:
        """The odds against the candidate over the whole rollout."""
        return self.capital.total(self.test.schedule)

    def obstacle(self) -> Finding | None:
        """Nothing ever stops this lane."""
        return None

    def evidence(self) -> LaneEvidence:
        """What to show; counts, ratio and interval describe the present step."""
        if self.shown is None:
            self.shown = self._show()
        return self.shown

    def _show(self) -> LaneEvidence:
        candidate = Counts(self.judged.candidate_finished, self.judged.candidate_failed)
        stable = Counts(self.judged.stable_finished, self.judged.stable_failed)
        ratio = candidate.ratio / stable.ratio if candidate.ratio is not None and stable.ratio else None
        low, high = self.interval.bounds()
        words = self.test.words
        if self.step.alone:
            words = f"{self.test.share} of at most {self._absolute().points * 100:.3g} %"
        e_value = min(self.e_value(), GREATEST_E_VALUE)
        return LaneEvidence(self.name, self.weight, e_value, candidate, stable, ratio, low, high, words)

    def to_json(self) -> dict[str, Any]:
        """The whole state, but for the test, which follows from the policy."""
        return _write(self)

    @classmethod
    def restore(cls, value: dict[str, Any], test: ErrorRatioTest) -> "ErrorRatioLane":
        """The lane that `to_json` described."""
        parts: dict[str, type] = {
            "capital": Capital,
            "step": Step,
            "open": Tally,
            "judged": Tally,
            "stable": Counts,
            "interval": RatioInterval,
        }
        pieces: dict[str, Any] = {name: codec.from_json(kind, value[name]) for name, kind in parts.items()}
        plain = {"seconds": value["seconds"], "quiet": value["quiet"], "dispersion": value.get("dispersion", 1.0)}
        plain |= {"unmatched": value.get("unmatched", 0), "calm": value.get("calm", False)}
        return cls(value["name"], value["weight"], test, **plain, **pieces)

    def _listen(self, seconds: float, tally: Tally) -> None:
        if tally.stable_finished:
            self.quiet, self.unmatched = 0.0, 0
        else:
            self.quiet += seconds
            self.unmatched += tally.candidate_finished

    def _silent(self, length: float) -> bool:
        """Stable answers nothing any more, for so long that it is no chance."""
        if self.quiet < PATIENCE * length:
            return False
        balance = self.step.balance
        share = balance / (1.0 + balance)
        return share <= 0.0 or -self.unmatched * log(share) >= IMPROBABLE

    def _close(self, *, alone: bool) -> bool:
        """Judges the open block; False if it cannot be judged yet."""
        block = self.open
        paired = block.stable_finished > 0 and not self.step.alone
        if block.candidate_finished == 0 or not (paired or alone):
            return False
        if not paired and self.test.needs_stable and self.stable.finished < KNOWN_STABLE:
            return False
        self._settle(block if paired else Tally(block.candidate_finished, block.candidate_failed), paired=paired)
        return True

    def _settle(self, block: Tally, *, paired: bool) -> None:
        """Settles a block that can be judged."""
        self.capital.grow(self._gains(block), schedule=self.test.schedule, cap=self.test.cap)
        self.judged.add(block)
        self.shown = None
        if paired:
            finished, failed = block.stable_finished, block.stable_failed
            self.stable = Counts(self.stable.finished + finished, self.stable.failed + failed)
            if self.test.patient:
                share = block.candidate_finished / (block.candidate_finished + finished)
                self.interval.add(candidate_failed=block.candidate_failed, stable_failed=failed, share=share)
            elif failed or block.candidate_failed:
                mine = (block.candidate_finished, block.candidate_failed)
                self.interval.pool(mine, (finished, failed))

    def _gains(self, block: Tally) -> list[float]:
        paired = block.stable_finished > 0
        margin = self.test.margin if paired else self._absolute()
        guess = guess_ratio(self.stable.failed, self.stable.finished)
        gains = log_e_values(
            self.test.alternatives(margin.limit(guess)),
            guess=guess,
            candidate=(block.candidate_finished, block.candidate_failed),
            stable=(block.stable_finished, block.stable_failed),
            margin=margin,
        )
        return gains if self.dispersion == 1.0 else [gain / self.dispersion for gain in gains]

    def _absolute(self) -> Margin:
        """The margin where there is nothing to compare with."""
        known = self.stable.finished >= KNOWN_STABLE
        stable = upper_limit(self.stable.failed, self.stable.finished) if known else 0.0
        return Margin(0.0, max(self.test.reference, self.test.margin.limit(stable)))


_STORED = tuple(name for name in ErrorRatioLane.__slots__ if name not in NOT_STORED)
_write = codec.writer(ErrorRatioLane, _STORED)
