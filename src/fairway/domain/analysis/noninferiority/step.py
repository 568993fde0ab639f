"""All evidence for the candidate in one step of a rollout."""

from dataclasses import dataclass, field
from functools import cache
from math import inf

from fairway.domain.analysis.evidence import Promotion
from fairway.domain.analysis.lanes.lane import NO_STEP, Reading, Step
from fairway.domain.analysis.lanes.lane import block_length as lanes_block
from fairway.domain.analysis.lanes.objectives import objective_tests
from fairway.domain.analysis.margin import Margin
from fairway.domain.analysis.noninferiority.abandonment import AbandonmentEvidence
from fairway.domain.analysis.noninferiority.latency import LatencyEvidence
from fairway.domain.analysis.noninferiority.margins import abandonment_promotion_margin, promotion_margin
from fairway.domain.analysis.noninferiority.objectives import ObjectiveEvidence
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.tally import Tally
from fairway.domain.analysis.within import BETA, ErrorEvidence


@dataclass(slots=True)
class NonInferiority:
    """What speaks for the candidate in the present step.

    Attributes:
        step: where the rollout stands.
        seconds: age of the open block.
        open: what the open block has counted, for the errors; latency has blocks of its own.
        dispersion: how failures vary, as known when the open block began.
        shown: what there is to show, as of the last closed block or, where nobody waits for it, an earlier one.
        unshown: the tests of which it is as of an earlier one.
    """

    step: Step = NO_STEP
    seconds: float = 0.0
    open: Tally = field(default_factory=Tally)
    dispersion: float = 1.0
    errors: ErrorEvidence = field(default_factory=ErrorEvidence)
    latency: LatencyEvidence = field(default_factory=LatencyEvidence)
    abandonment: AbandonmentEvidence = field(default_factory=AbandonmentEvidence)
    objectives: tuple[ObjectiveEvidence, ...] = ()
    shown: tuple[Promotion, ...] = ()
    unshown: list[str] = field(default_factory=list)

    def enter_step(self, step: Step, policy: AnalysisPolicy) -> None:
        """The weight changed, or a watch begins again at the same weight."""
        self._close(policy)
        self.seconds, self.open = 0.0, Tally()
        self.latency.discard()
        self.abandonment.discard()
        for objective in self.objectives:
            objective.discard()
        if (step.weight, step.copies) != (self.step.weight, self.step.copies):
            self.errors.begin()
            self.latency.begin()
            self.abandonment.begin()
            self.objectives = tuple(ObjectiveEvidence.of(*item) for item in objective_tests(policy).items())
        self.step, self.unshown = step, []
        self.shown = tuple(self._show(name, policy) for name in self._names())

    def observe(self, reading: Reading, policy: AnalysisPolicy, *, at_once: bool = True) -> None:
        """Adds a reading; closes blocks when their time has come.

        Args:
            reading: what ended.
            policy: with the margins.
            at_once: what there is to show is brought up to date; else that is left to `bring_up_to_date`.
        """
        if self.step.alone or self.step.weight <= 0.0:
            return
        length = block_length(policy, self.step.bake)
        margin, balance = abandonment_promotion_margin(policy), self.step.balance
        news = [
            self._observe_errors(reading, policy, length),
            self.latency.observe(reading, policy, length=length),
            self.abandonment.observe(reading, margin, length=length, balance=balance),
            *[one.observe(reading, length=length) for one in self.objectives],
        ]
        if True in news:
            names = ["errors", "latency", "abandonment", *(one.name for one in self.objectives)]
            self.unshown = [*self.unshown, *(name for name, is_new in zip(names, news, strict=True) if is_new)]
            if at_once:
                self.bring_up_to_date(policy)

    def bring_up_to_date(self, policy: AnalysisPolicy) -> None:
        """What there is to show is as of the last closed block; a second call does nothing."""
        if self.unshown:
            same = {one.name: one for one in self.shown if one.name not in self.unshown}
            self.shown = tuple([same.get(name) or self._show(name, policy) for name in self._names()])
            self.unshown = []

    def rest(self, policy: AnalysisPolicy, *, left_out: bool) -> float:
        """Seconds for which readings are only added up; 0 or less where the next one may do more than that.

        Args:
            policy: for the length of a block.
            left_out: no block begins now, because of the warm-up.
        """
        length = block_length(policy, self.step.bake)
        parts = [one.rest(length, left_out=left_out) for one in self.objectives]
        parts += [self.latency.rest(length, left_out=left_out), self.abandonment.rest(length, left_out=left_out)]
        return min(inf if left_out and self.seconds == 0.0 else length - self.seconds, *parts)

    def _observe_errors(self, reading: Reading, policy: AnalysisPolicy, length: float) -> bool:
        """Whether a block was closed."""
        if self.seconds == 0.0:
            if reading.warming or reading.incident:
                return False
            self.dispersion = reading.dispersion
        self.seconds += reading.seconds
        self.open.add(reading.tally)
        if self.seconds + reading.half < length:
            return False  # the next reading is as near to the block's end as this one, or nearer
        closed = self._close(policy)
        if closed:
            self.seconds, self.open = 0.0, Tally()
        return closed

    def _names(self) -> list[str]:
        """The tests, in the order in which they are shown; none where there is nothing to compare with."""
        if self.step.alone or self.step.weight <= 0.0:
            return []
        latency = ["latency"] if self.latency.measured else []
        return ["errors", *latency, "abandonment", *(one.name for one in self.objectives)]

    def _show(self, name: str, policy: AnalysisPolicy) -> Promotion:
        """What one test has shown."""
        balance, threshold = self.step.balance, 1.0 / BETA
        if name == "errors":
            margin = promotion_margin(policy)
            words = _words(margin.ratio, "error ratio", margin.points)
            missing = self.errors.missing(margin, balance=balance)
            return Promotion(name, self.errors.e_value(), threshold, missing, words)
        if name == "latency":
            missing = self.latency.missing(balance=balance, threshold=threshold)
            return Promotion(name, self.latency.e_value(), threshold, missing, self.latency.words())
        if name == "abandonment":
            return self._abandonment(abandonment_promotion_margin(policy), balance)
        (one,) = [one for one in self.objectives if one.name == name]
        missing = one.known.missing(one.margin, balance=balance)
        return Promotion(name, one.known.e_value(), threshold, missing, one.words)

    def _abandonment(self, margin: Margin, balance: float) -> Promotion:
        words = _words(margin.ratio, "share of requests given up", margin.points)
        e_value = self.abandonment.e_value(margin, balance=balance)
        missing = self.abandonment.missing(margin, balance=balance, threshold=1.0 / BETA)
        return Promotion("abandonment", e_value, 1.0 / BETA, missing, words)

    def _close(self, policy: AnalysisPolicy) -> bool:
        """Settles the open block; False if it cannot be settled yet."""
        if self.step.alone or not self.open.candidate_finished or not self.open.stable_finished:
            return False
        self.errors.grow(self.open, promotion_margin(policy), dispersion=self.dispersion)
        return True


@cache
def _words(ratio: float, share: str, points: float) -> str:
    """A margin, for people."""
    return f"at most {ratio:g} × stable's {share} + {points * 100:g} points"


def block_length(policy: AnalysisPolicy, bake: float) -> float:
    """Seconds of a block in a step that is watched for `bake` seconds; 0: not known."""
    return lanes_block(policy.block, shortest=policy.tick, bake=bake)
