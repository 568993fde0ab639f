"""Lanes that hold the candidate to an objective of the user's: a greatest share of requests that fail, or are slow.

Null hypothesis: of the candidate's requests at most the share `limit` counts against it. The test is the affine-margin
test with `ratio` 0, on the candidate alone: `e = a^x exp(-limit n (a - 1))`.

What stable does decides whether that may be held against the candidate. The same bets are made on stable, as a
detector that forgets good times (Shin, Ramdas, Rinaldo, "E-detectors", 2022). While it has risen by one capped block,
blocks of the candidate are left out, which is known before each of them; and while both have risen by two, the clock
stands still: the environment misses the objective, whichever revision serves. A candidate that repairs a stable which
misses it goes on. Where stable has no requests of its own, nothing excuses the candidate.
"""

from dataclasses import dataclass, field
from functools import cache
from math import exp, inf, log
from typing import Any

from fairway.domain import codec
from fairway.domain.analysis.capital import Capital, Schedule
from fairway.domain.analysis.evidence import GREATEST_E_VALUE, Counts, Finding, LaneEvidence, Slowness
from fairway.domain.analysis.lanes.lane import NO_STEP, Reading, Step, block_length
from fairway.domain.analysis.lanes.tail_window import TailWindow
from fairway.domain.analysis.margin import Margin, best_bet, log_e_value
from fairway.domain.analysis.tally import Tally

MULTIPLES = (1.4, 2.0, 3.5, 7.0, 16.0, 50.0)
"""Alternatives, as multiples of the limit."""

RULE = "objective-missed-by-both"


@dataclass(frozen=True, slots=True)
class ObjectiveTest:
    """One objective.

    Attributes:
        limit: greatest share of requests that may count against the candidate, above 0.
        slower: microseconds; a request that took longer counts, a failed one as well; None: only failed ones do.
        cap: greatest e-value of one block.
        block: seconds.
        shortest: seconds; a bake may shorten the block down to this.
        words: the objective in words.
    """

    limit: float
    slower: float | None
    cap: float
    block: float
    shortest: float
    words: str
    schedule: Schedule

    def length(self, bake: float) -> float:
        """Seconds of a block in a step that is watched for `bake` seconds; 0: not known."""
        return block_length(self.block, shortest=self.shortest, bake=bake)

    def gains(self, finished: int, failed: int) -> list[float]:
        """Logarithms of one block's e-values, one for each alternative."""
        return [failed * hit + finished * miss for hit, miss in _bets(self.limit)]


@cache
def _bets(limit: float) -> tuple[tuple[float, float], ...]:
    """For each alternative what a request that counts adds to the logarithm of the e-value, and what each costs."""
    margin, bets = Margin(0.0, limit), []
    for multiple in MULTIPLES:
        bet = best_bet(min(1.0, multiple * limit), stable=0.0, balance=0.0, margin=margin)
        hit = log_e_value(bet, candidate=(0, 1), stable_failed=0, balance=0.0, margin=margin)
        bets.append((hit, log_e_value(bet, candidate=(1, 0), stable_failed=0, balance=0.0, margin=margin)))
    return tuple(bets)


@dataclass(slots=True)
class ObjectiveLane:
    """State of one objective.

    Attributes:
        seconds: age of the open block.
        open: what it has counted; not used where slow requests count.
        window: the open block where slow requests count.
        judged: counts of closed blocks of this step; where slow requests count, they are among the failed.
        candidate_misses: how the evidence that the candidate misses the objective has risen of late, for each
            alternative; 1 or more.
        stable_misses: likewise for stable.
        dispersion: by which the open block will be tempered, as known when it began.
    """

    name: str
    weight: float
    test: ObjectiveTest
    capital: Capital
    step: Step = NO_STEP
    seconds: float = 0.0
    open: Tally = field(default_factory=Tally)
    window: TailWindow = field(default_factory=TailWindow)
    judged: Tally = field(default_factory=Tally)
    candidate_misses: list[float] = field(default_factory=lambda: [1.0] * len(MULTIPLES))
    stable_misses: list[float] = field(default_factory=lambda: [1.0] * len(MULTIPLES))
    dispersion: float = 1.0

    @classmethod
    def begin(cls, name: str, weight: float, test: ObjectiveTest) -> "ObjectiveLane":
        """The lane at the beginning of a rollout."""
        return cls(name, weight, test, Capital.begin(test.schedule, len(MULTIPLES)))

    def close_block(self) -> None:
        """Nothing: what was counted since the last block is discarded by the new step."""

    def enter_step(self, step: Step) -> None:
        """Discards the open block."""
        self.seconds, self.open = 0.0, Tally()
        self.window.close()
        self.judged = Tally()
        if self.capital.blocks:
            self.capital.enter_step()
        if step.alone:  # what stable missed is past, and it gets no request that could show so
            self.stable_misses = [1.0] * len(MULTIPLES)
        self.step = step

    def observe(self, reading: Reading) -> None:
        """Adds a reading; closes the block when its time has come."""
        left_out = reading.warming or reading.incident or self.step.weight <= 0.0
        if self.test.slower is not None and self.window.series != reading.histograms.series:
            self._open(reading, left_out=left_out)
            return
        if self.seconds == 0.0:
            if left_out and not self.window.is_open:
                return
            self.dispersion = reading.dispersion
        self.seconds += reading.seconds
        self.open.add(reading.tally)
        self.window.add(reading.tally)
        if self.seconds + reading.half < self.test.length(self.step.bake):
            return  # the next reading is as near to the block's end as this one, or nearer
        block = self._block(reading)
        if block is not None:
            self._judge(block)
            self.seconds, self.open = 0.0, Tally()
            if left_out:
                self.window.close()

    def rest(self, *, left_out: bool) -> float:
        """Seconds until the open block may close; 0 where one may begin at the end of the next reading."""
        if left_out and not (self.seconds or self.window.is_open):
            return inf
        if self.test.slower is not None and not self.window.is_open:
            return 0.0
        return self.test.length(self.step.bake) - self.seconds

    def e_value(self) -> float:
        """The odds against the candidate over the whole rollout."""
        return self.capital.total(self.test.schedule)

    def obstacle(self) -> Finding | None:
        """Both revisions miss the objective."""
        if min(max(self.candidate_misses), max(self.stable_misses)) < self.test.cap**2:
            return None
        return Finding(RULE, f"stable misses the objective as well ({self.test.words}), so the cause lies elsewhere")

    def evidence(self) -> LaneEvidence:
        """What to show; counts describe the present step."""
        slowness = None
        if self.test.slower is not None:
            slowness = Slowness(self.test.slower / 1000.0, self.test.slower / 1000.0)
        return LaneEvidence(
            self.name,
            self.weight,
            min(self.e_value(), GREATEST_E_VALUE),
            Counts(self.judged.candidate_finished, self.judged.candidate_failed),
            Counts(self.judged.stable_finished, self.judged.stable_failed),
            None,
            None,
            None,
            self.test.words,
            slowness=slowness,
            objective=True,
        )

    def to_json(self) -> dict[str, Any]:
        """The whole state, but for the test, which follows from the policy."""
        return _write(self)

    @classmethod
    def restore(cls, value: dict[str, Any], test: ObjectiveTest) -> "ObjectiveLane":
        """The lane that `to_json` described."""
        parts: dict[str, type] = {
            "capital": Capital,
            "step": Step,
            "open": Tally,
            "window": TailWindow,
            "judged": Tally,
        }
        plain = {name: value[name] for name in ("seconds", "candidate_misses", "stable_misses")}
        plain["dispersion"] = value.get("dispersion", 1.0)
        pieces: dict[str, Any] = {name: codec.from_json(kind, value[name]) for name, kind in parts.items()}
        return cls(value["name"], value["weight"], test, **plain, **pieces)

    def _open(self, reading: Reading, *, left_out: bool) -> None:
        """Begins a block of slow requests at the end of a reading, where one may begin."""
        self.seconds, self.open = 0.0, Tally()
        self.window.close()
        if self.test.slower is not None and not left_out:
            self.window.open(reading.histograms, [self.test.slower], [self.test.slower])

    def _block(self, reading: Reading) -> Tally | None:
        """What the open block holds of both revisions; None while that is nothing."""
        if self.test.slower is None:
            block = self.open
            return block if block.candidate_finished or block.stable_finished else None
        taken = self.window.take(reading.histograms, either=True)
        if taken is None:
            return None
        (n_c, (slow_c,)), (n_s, (slow_s,)) = taken
        return Tally(n_c, slow_c, n_s, slow_s)

    def _judge(self, block: Tally) -> None:
        finished = 0 if self.step.alone else block.stable_finished
        gains = self.test.gains(block.candidate_finished, block.candidate_failed)
        if self.dispersion != 1.0:
            gains = [gain / self.dispersion for gain in gains]
        if block.candidate_finished and max(self.stable_misses) < self.test.cap:
            self.capital.grow(gains, schedule=self.test.schedule, cap=self.test.cap)
            self.judged.add(block if finished else Tally(block.candidate_finished, block.candidate_failed))
        self.candidate_misses = self._risen(self.candidate_misses, gains)
        if finished:
            self.stable_misses = self._risen(self.stable_misses, self.test.gains(finished, block.stable_failed))

    def _risen(self, before: list[float], gains: list[float]) -> list[float]:
        """The detectors after a block: none falls below 1, nor rises so high that it could not fall again."""
        if max(gains) <= 0.0 and max(before) <= 1.0:
            return before
        cap, highest = self.test.cap, log(self.test.cap)
        risen, most = [one * exp(min(gain, highest)) for one, gain in zip(before, gains, strict=True)], cap**3
        return [1.0 if one < 1.0 else min(one, most) for one in risen]


_write = codec.writer(ObjectiveLane, [name for name in ObjectiveLane.__slots__ if name != "test"])
