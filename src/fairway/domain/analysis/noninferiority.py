"""Non-inferiority: evidence that the candidate is good enough, so that a step may end before its time.

"No sign of harm" is what a candidate shows that nobody asked for anything. To promote early the opposite has to be
shown: that the candidate is worse than the promotion margin has become hard to believe, for its errors and for its
latency alike. What lives here is that evidence for one step; what becomes of it is decided by the rollout.

Rules:
- The null hypothesis of each test says that the candidate is worse than the margin. All tests must refute it
  (intersection and union: the probability that a candidate beyond any one margin passes is at most beta, without
  correction for the number of tests).
- Each step begins at 1: that a candidate was good at 10 % does not show that it is at 50 %. A watch that is begun again
  at the same weight goes on with what it has.
- Blocks are those of the error lane: they close by time, leave out warm-up and shared incidents, need requests of both
  revisions. One block's e-value is capped at the third root of 1/beta, so that at least three have to testify, and a
  burst of failures that happened to hit stable cannot promote.
- The promotion margin is never below the margin of harm, or a candidate could be promoted and taken back at once.

Errors, with the terms of `margin`: for `p_c >= ratio * p_s + points` the same product with a bet `a < 1`, thus
`b = 1 + ratio * k * (1 - a) > 1`, is an e-value, because `n_c (a - 1) (p_c - ratio p_s - points) <= 0` again. Our own
form, as there; the probability that it ever reaches 1/beta under the null is at most beta (Ville 1939).
"""

from dataclasses import dataclass, field
from math import exp, log, log1p

from fairway.domain.analysis.evidence import GREATEST_E_VALUE, Assessment, Counts, Promotion
from fairway.domain.analysis.lanes.lane import NO_STEP, Reading, Step
from fairway.domain.analysis.margin import Margin, best_bet
from fairway.domain.analysis.noninferiority_latency import LatencyEvidence
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.sentences import e_value
from fairway.domain.analysis.tally import Tally

BETA = 0.05
"""Greatest probability that a step ends early with a candidate beyond a promotion margin."""

RATIO, POINTS = 1.25, 0.002
"""The promotion margin for errors: 1.25 times stable's error ratio plus 0.2 points."""

CAP = BETA ** (-1.0 / 3.0)
"""Greatest e-value of one block."""

BETS = ((0.5, None), (0.2, 0.05), (0.15, 0.3), (0.15, 0.6))
"""Shares of the capital, each with the error ratio that it bets on as a part of the margin's limit; None: stable's."""

BLOCKS_IN_BAKE = 12
"""As in the error lane, whose blocks these are."""

GUESS_FAILED, GUESS_FINISHED = 0.1, 100.0
"""What stable's error ratio is taken for before anything is known."""

LEAST_ALTERNATIVE = 1e-6
"""An error ratio of 0 would be lost for good with the first failure."""


def promotion_margin(policy: AnalysisPolicy) -> Margin:
    """How much worse a candidate's errors may be that is promoted early; nowhere below the margin of harm."""
    return Margin(max(RATIO, policy.ratio_margin), max(POINTS, policy.absolute_margin))


@dataclass(slots=True)
class ErrorEvidence:
    """Evidence that the candidate's error ratio is within a margin.

    Attributes:
        logs: logarithm of what each bet has become, 0 at the beginning of a step.
        stable: what closed blocks of the whole rollout have counted of stable.
    """

    logs: list[float] = field(default_factory=lambda: [0.0] * len(BETS))
    stable: Counts = field(default_factory=lambda: Counts(0, 0))

    def begin(self) -> None:
        """Another step begins."""
        self.logs = [0.0] * len(BETS)

    def grow(self, block: Tally, margin: Margin, *, dispersion: float = 1.0) -> None:
        """Settles one block, in which both revisions finished requests.

        Args:
            block: what it has counted.
            margin: the promotion margin.
            dispersion: how many times more failures vary than independent ones would; divides the logarithms.
        """
        balance = block.candidate_finished / block.stable_finished
        self.logs = [
            total + min(log(CAP), gain / dispersion)
            for total, gain in zip(self.logs, self._gains(block, margin, balance), strict=True)
        ]
        finished, failed = self.stable.finished + block.stable_finished, self.stable.failed + block.stable_failed
        self.stable = Counts(finished, failed)

    def e_value(self) -> float:
        """The odds against "the candidate is beyond the margin"; never above the greatest that is told apart."""
        return mixture(tuple((share, total) for (share, _), total in zip(BETS, self.logs, strict=True)))

    def missing(self, margin: Margin, *, balance: float) -> int | None:
        """How many more requests of the candidate show it if the candidate fails as often as stable.

        Args:
            margin: the promotion margin.
            balance: requests of the candidate per request of stable to be expected, above 0.

        Returns:
            About how many, 0 if it is shown; None if no number of them would.
        """
        ratio = max(self._guess(), LEAST_ALTERNATIVE)
        wanted = []
        for (share, _), total, bet in zip(BETS, self.logs, self._bets(margin, balance), strict=True):
            growth = ratio * log(bet) + margin.points * (1.0 - bet)
            growth += ratio / balance * log1p(margin.ratio * balance * (1.0 - bet))
            if bet < 1.0 and growth > 0.0:
                wanted.append(max(0.0, (log(1.0 / BETA) - log(share) - total) / growth))
        if self.e_value() >= 1.0 / BETA:
            return 0
        return round(min(wanted)) if wanted else None

    def _gains(self, block: Tally, margin: Margin, balance: float) -> list[float]:
        candidate = (block.candidate_finished, block.candidate_failed)
        bets = self._bets(margin, balance)
        return [error_gain(bet, candidate, block.stable_failed, balance=balance, margin=margin) for bet in bets]

    def _guess(self) -> float:
        return (self.stable.failed + GUESS_FAILED) / (self.stable.finished + GUESS_FINISHED)

    def _bets(self, margin: Margin, balance: float) -> list[float]:
        """The bets of the next block; what they rest on comes from closed blocks only."""
        guess = self._guess()
        limit = margin.limit(guess)
        alternatives = (guess if part is None else part * limit for _, part in BETS)
        return [
            best_bet(max(one, LEAST_ALTERNATIVE), stable=guess, balance=balance, margin=margin) for one in alternatives
        ]


def error_gain(bet: float, candidate: tuple[int, int], stable_failed: int, *, balance: float, margin: Margin) -> float:
    """Logarithm of one block's e-value.

    Args:
        bet: below 1; with 1 or more no bet is made, which gives 0.
        candidate: finished and failed requests of the candidate.
        stable_failed: failed requests of stable.
        balance: finished requests of the candidate per finished request of stable.
        margin: what the candidate must be within.
    """
    if bet >= 1.0:
        return 0.0
    finished, failed = candidate
    gain = failed * log(bet) + margin.points * finished * (1.0 - bet)
    return gain + stable_failed * log1p(margin.ratio * balance * (1.0 - bet))


def mixture(parts: tuple[tuple[float, float], ...]) -> float:
    """The mean of e-values given as `(share, logarithm)`; never above the greatest that is told apart."""
    highest = log(GREATEST_E_VALUE) + 1.0
    return min(GREATEST_E_VALUE, sum(share * exp(min(highest, total)) for share, total in parts))


@dataclass(slots=True)
class NonInferiority:
    """What speaks for the candidate in the present step.

    Attributes:
        step: where the rollout stands.
        seconds: age of the open block.
        open: what the open block has counted, for the errors; latency has blocks of its own.
        dispersion: how failures vary, as known when the open block began.
        shown: what there is to show, as of the last closed block.
    """

    step: Step = NO_STEP
    seconds: float = 0.0
    open: Tally = field(default_factory=Tally)
    dispersion: float = 1.0
    errors: ErrorEvidence = field(default_factory=ErrorEvidence)
    latency: LatencyEvidence = field(default_factory=LatencyEvidence)
    shown: tuple[Promotion, ...] = ()

    def enter_step(self, step: Step, policy: AnalysisPolicy) -> None:
        """The weight changed, or a watch begins again at the same weight."""
        self._close(policy)
        self.seconds, self.open = 0.0, Tally()
        self.latency.discard()
        if step.weight != self.step.weight:
            self.errors.begin()
            self.latency.begin()
        self.step = step
        self.shown = self._evidence(policy)

    def observe(self, reading: Reading, policy: AnalysisPolicy) -> None:
        """Adds a reading; closes blocks when their time has come."""
        if self.step.alone or self.step.weight <= 0.0:
            return
        news = self.latency.observe(reading, length=self._length(policy), cap=CAP, least=policy.latency_margin)
        if self._observe_errors(reading, policy) or news:
            self.shown = self._evidence(policy)

    def _observe_errors(self, reading: Reading, policy: AnalysisPolicy) -> bool:
        """Whether a block was closed."""
        if self.seconds == 0.0:
            if reading.warming or reading.incident:
                return False
            self.dispersion = reading.dispersion
        self.seconds += reading.seconds
        self.open.add(reading.tally)
        if self.seconds + reading.seconds / 2.0 < self._length(policy):
            return False  # the next reading is as near to the block's end as this one, or nearer
        closed = self._close(policy)
        if closed:
            self.seconds, self.open = 0.0, Tally()
        return closed

    def _evidence(self, policy: AnalysisPolicy) -> tuple[Promotion, ...]:
        """One entry for each test; none where there is nothing to compare with."""
        if self.step.alone or self.step.weight <= 0.0:
            return ()
        margin, balance, threshold = promotion_margin(policy), self._balance(), 1.0 / BETA
        words = f"at most {margin.ratio:g} × stable's error ratio + {margin.points * 100:g} points"
        missing = self.errors.missing(margin, balance=balance)
        tests = [Promotion("errors", self.errors.e_value(), threshold, missing, words)]
        if self.latency.measured:
            missing = self.latency.missing(balance=balance, threshold=threshold)
            tests.append(Promotion("latency", self.latency.e_value(), threshold, missing, self.latency.words()))
        return tuple(tests)

    def _balance(self) -> float:
        """Requests of the candidate per request of stable, as the weight has them."""
        return self.step.weight / max(1.0, 100.0 - self.step.weight)

    def _length(self, policy: AnalysisPolicy) -> float:
        """Seconds of a block."""
        if self.step.bake <= 0.0:
            return policy.block
        return min(policy.block, max(policy.tick, self.step.bake / BLOCKS_IN_BAKE))

    def _close(self, policy: AnalysisPolicy) -> bool:
        """Settles the open block; False if it cannot be settled yet."""
        if self.step.alone or not self.open.candidate_finished or not self.open.stable_finished:
            return False
        self.errors.grow(self.open, promotion_margin(policy), dispersion=self.dispersion)
        return True


def is_shown(evidence: tuple[Promotion, ...]) -> bool:
    """Every test has refuted that the candidate is beyond its margin."""
    return bool(evidence) and all(one.e_value >= one.threshold for one in evidence)


def explain_shown(assessment: Assessment) -> str:
    """Why a step may end before its time."""
    evidence = assessment.evidence
    tests = "; ".join(f"{one.name} {_odds(one)}, {one.margin}" for one in evidence.promotion)
    return (
        f"Good enough to go on after {assessment.watched:.0f} s at {evidence.weight:g} %: {tests}. "
        f"{assessment.sentence}"
    )


def explain_unshown(assessment: Assessment) -> str:
    """Why a step has no answer at its deadline, and what would give one."""
    evidence = assessment.evidence
    unshown = [one for one in evidence.promotion if one.e_value < one.threshold]
    tests = "; ".join(f"{one.name} {_odds(one)}, {one.margin}" for one in unshown)
    said = f"Inconclusive after {assessment.watched:.0f} s at {evidence.weight:g} %: "
    said += f"it is not shown that the candidate is good enough ({tests or 'there is nothing to compare with'}). "
    missing = [one.missing for one in unshown]
    if missing and None not in missing:
        most = _rounded(max(one for one in missing if one is not None))
        said += f"It needs about {most:,} more canary requests if it is as good as stable: "
        said += "raise the weight, bake longer, or decide yourself. "
    return said + assessment.sentence


def _odds(one: Promotion) -> str:
    return f"e-value {e_value(one.e_value)} of {one.threshold:g}"


def _rounded(count: int) -> int:
    """To two digits: it is an estimate."""
    digits = max(0, len(str(count)) - 2)
    return round(count, -digits)
