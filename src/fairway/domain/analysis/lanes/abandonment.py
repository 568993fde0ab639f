"""The abandonment lane: clients give up more of the candidate's requests than the policy's margin allows.

A candidate that never answers some of its requests fails nothing and is slow in nothing: only what has ended is counted
as finished, and its other answers are as fast as ever. What shows it is that clients leave before an answer comes. Some
always do, for reasons of their own, so what counts is how much more often they leave the candidate.

Null hypothesis: of the requests that ended or were given up, the share that was given up is at most `abandoned_ratio`
times stable's plus `abandoned_points`. The test is that of the error lane, with "given up" in place of "failed". The
margin is wider than that of errors: where clients have a time-out of their own, a candidate that is slower within the
margin of latency loses more of them than it gains time.

How long a client has waited when it leaves differs from how long an answer takes. Right after a change of weight one
side's requests have begun to end in the one way and not yet in the other, and the shares cannot be compared. So each
step begins with a pause of as long as nearly all of stable's answers take; how long it is, is known before it begins.

Where stable has no requests of its own the limit is what the margin allows at the upper limit of stable's share in this
rollout's earlier blocks, and `LEAST_LIMIT` at least. Without such blocks nothing is judged: how often clients leave a
service in good health is known of no service beforehand.
"""

from dataclasses import dataclass, replace
from typing import Any

from fairway.domain.analysis.evidence import Finding, LaneEvidence
from fairway.domain.analysis.lanes.error_ratio import ErrorRatioLane, ErrorRatioTest
from fairway.domain.analysis.lanes.errors import error_test
from fairway.domain.analysis.lanes.lane import Histograms, Reading, Step
from fairway.domain.analysis.latency import quantile
from fairway.domain.analysis.margin import Margin
from fairway.domain.analysis.policy import AnalysisPolicy

LEAST_LIMIT = 0.05
"""Share of requests given up that is in order in any case where there is nothing to compare with."""

LEAST_PAUSE = 2.0
"""Seconds at the beginning of each step, however fast stable is."""

NEARLY_ALL, LONGER = 0.99, 1.2
"""The pause is so many times as long as that share of stable's answers take."""


@dataclass(frozen=True, slots=True)
class AbandonmentTest:
    """The test of the abandonment lane: that of an error lane, by another question."""

    ratio: ErrorRatioTest


def abandonment_test(policy: AnalysisPolicy) -> AbandonmentTest:
    """The test of the abandonment lane under a policy."""
    margin = abandonment_margin(policy)
    words = f"at most {margin.ratio:g} × stable's share of requests given up + {margin.points * 100:g} points"
    share = "a share of requests given up"
    base = replace(error_test(policy), margin=margin, reference=LEAST_LIMIT, words=words)
    return AbandonmentTest(replace(base, share=share, needs_stable=True))


def abandonment_margin(policy: AnalysisPolicy) -> Margin:
    """How much more often clients may leave the candidate."""
    return Margin(policy.abandoned_ratio, policy.abandoned_points)


def pause_at_entry(histograms: Histograms) -> float:
    """Seconds after which both kinds of ends of the requests of an earlier weight are over, nearly."""
    usual = (quantile(histograms.stable.cells, NEARLY_ALL) or 0.0) / 1e6
    return max(LEAST_PAUSE, LONGER * usual)


@dataclass(slots=True)
class AbandonmentLane:
    """State of the abandonment lane.

    Attributes:
        lane: that judges the requests given up as if they had failed.
        age: seconds of the present step.
        pause: seconds of it that are left out; None before its first reading.
    """

    name: str
    weight: float
    lane: ErrorRatioLane
    age: float = 0.0
    pause: float | None = None

    @classmethod
    def begin(cls, name: str, weight: float, test: AbandonmentTest) -> "AbandonmentLane":
        """The lane at the beginning of a rollout."""
        return cls(name, weight, ErrorRatioLane.begin(name, weight, test.ratio))

    def close_block(self) -> None:
        """Judges the open block if it can be judged."""
        self.lane.close_block()

    def enter_step(self, step: Step) -> None:
        """Discards what is left of an open block; a pause begins."""
        self.lane.enter_step(step)
        self.age, self.pause = 0.0, None

    def observe(self, reading: Reading) -> None:
        """Adds a reading; closes the block when its time has come."""
        if self.pause is None:
            self.pause = pause_at_entry(reading.histograms)
        settling, self.age = self.age < self.pause, self.age + reading.seconds
        left_out = reading.warming or reading.incident or settling
        if not left_out or self.lane.seconds:
            self.lane.take(reading, reading.tally.given_up(), left_out=left_out, calm=False)

    def rest(self, *, left_out: bool) -> float:
        """Seconds until a block may close or the pause ends."""
        if self.pause is None:
            return 0.0
        settled = self.age >= self.pause
        rest = self.lane.rest(left_out=left_out or not settled)
        return rest if settled else min(rest, self.pause - self.age)

    def e_value(self) -> float:
        """The odds against the candidate over the whole rollout."""
        return self.lane.e_value()

    def obstacle(self) -> Finding | None:
        """Nothing ever stops this lane."""
        return None

    def evidence(self) -> LaneEvidence:
        """What to show; counts, ratio and interval describe the present step."""
        shown = self.lane.evidence()
        if not shown.abandoned:
            self.lane.shown = shown = replace(shown, abandoned=True)
        return shown

    def to_json(self) -> dict[str, Any]:
        """The whole state, but for the test, which follows from the policy."""
        return {
            "name": self.name,
            "weight": self.weight,
            "lane": self.lane.to_json(),
            "age": self.age,
            "pause": self.pause,
        }

    @classmethod
    def restore(cls, value: dict[str, Any], test: AbandonmentTest) -> "AbandonmentLane":
        """The lane that `to_json` described."""
        lane = ErrorRatioLane.restore(value["lane"], test.ratio)
        return cls(value["name"], value["weight"], lane, value["age"], value["pause"])
