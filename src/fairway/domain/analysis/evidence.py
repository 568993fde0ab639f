"""What an analysis says, and the evidence behind it. Everything here can be written as JSON: no infinities.

Nobody changes any of it. What is made anew for each reading or each save is not frozen all the same, because to make a
frozen one takes three times as long.
"""

from dataclasses import dataclass
from typing import Literal

Decision = Literal["roll-back", "hold", "continue", "inconclusive"]

GREATEST_E_VALUE = 1e12
"""Nothing above is worth telling apart."""


@dataclass(slots=True)
class Counts:
    """Requests whose first try ended, and those of them that failed."""

    finished: int
    failed: int

    @property
    def ratio(self) -> float | None:
        """Failed per finished; None when nothing finished."""
        return self.failed / self.finished if self.finished else None


@dataclass(slots=True)
class QuantileRatio:
    """A quantile of the latency of both revisions, of requests answered in the present step.

    Attributes:
        share: 0.95 for the 95 % quantile.
        candidate: milliseconds.
        stable: likewise.
        ratio: how many times as slow the candidate is; None where stable's is 0.
        low: lower end of the ratio's 99 % interval; None when nothing is known.
        high: upper end; None when nothing is known.
    """

    share: float
    candidate: float
    stable: float
    ratio: float | None
    low: float | None
    high: float | None


@dataclass(slots=True)
class Slowness:
    """What a lane of latency means by a request that counts against the candidate.

    Attributes:
        candidate_edge: milliseconds; a request of the candidate that took longer counts.
        stable_edge: likewise for stable.
        quantiles: by share; empty where the lane compares with an objective.
    """

    candidate_edge: float
    stable_edge: float
    quantiles: tuple[QuantileRatio, ...] = ()


@dataclass(slots=True)
class LaneEvidence:
    """What one lane has seen.

    Attributes:
        weight: part of the whole capital that the lane began with.
        e_value: betting odds against "the candidate is within this lane's margin", over the whole rollout.
        candidate: what its blocks counted in the present step; of latency, `failed` are those that were too slow or
            failed.
        stable: likewise; second tries of what failed on the candidate are left out.
        ratio: the candidate's error ratio divided by stable's, in the present step; None when stable has none. Of
            latency, the ratio of the quantile that tells most.
        low: lower end of the ratio's 99 % interval; None when nothing failed.
        high: upper end; None when there is none.
        margin: the margin in words.
        slowness: what counts as too slow; None for lanes of errors, and before the first block of one of latency.
        objective: the candidate is compared with a fixed limit, not with stable.
        abandoned: `failed` are the requests that clients gave up, `finished` those included.
    """

    name: str
    weight: float
    e_value: float
    candidate: Counts
    stable: Counts
    ratio: float | None
    low: float | None
    high: float | None
    margin: str
    slowness: Slowness | None = None
    objective: bool = False
    abandoned: bool = False


@dataclass(slots=True)
class Promotion:
    """What one test of non-inferiority has shown in the present step.

    Attributes:
        name: `errors`, `abandonment`, `latency`, or the lane of an objective.
        e_value: betting odds against "the candidate is beyond the promotion margin".
        threshold: 1/beta: from here on it is shown.
        missing: how many more requests of the candidate would show it if it is as good as stable, 0 once it is shown;
            None: no number of them would, or it cannot be said.
        margin: the promotion margin in words.
    """

    name: str
    e_value: float
    threshold: float
    missing: int | None
    margin: str


@dataclass(frozen=True, slots=True)
class Spending:
    """How much of the budget of failed requests is spent.

    Attributes:
        failed: requests that failed on the candidate since the rollout began.
        limit: how many may.
    """

    failed: int
    limit: int


@dataclass(slots=True)
class Evidence:
    """All that a verdict rests on.

    Attributes:
        e_value: the lanes' weighted sum; at `threshold` the candidate is rolled back.
        threshold: 1/alpha.
        since: when the present step began, seconds since the epoch, UTC; None before the first.
        weight: percent of the requests that go to the candidate.
        candidate: everything counted in the present step, warm-up included.
        stable: likewise.
        lanes: in the order of the catalogue of lanes.
        promotion: what has been shown for the candidate in the present step; nothing where none can be.
        budget: what is spent of the budget; None where there is none.
        reference: what is meant by `stable`, here and in the lanes that compare: stable itself, or the baseline, which
            is fresh instances of the stable release.
    """

    e_value: float
    threshold: float
    since: float | None
    weight: float
    candidate: Counts
    stable: Counts
    lanes: tuple[LaneEvidence, ...]
    promotion: tuple[Promotion, ...] = ()
    budget: Spending | None = None
    reference: Literal["stable", "baseline"] = "stable"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule found.

    Attributes:
        rule: kebab-case code.
        cause: half a sentence without counts, beginning in lower case.
    """

    rule: str
    cause: str


@dataclass(frozen=True, slots=True)
class RuleEvidence:
    """The state of one rule of the user's.

    Attributes:
        when: the condition.
        severity: `rollback` or `hold`.
        state: `waiting` before the first look, `true`, `false`, `no-data`, `error`, and `fulfilled` once it has been
            true for long enough.
        seconds: for which it has been true.
        lasting: seconds for which it must be.
        values: the metrics in it, as they were at the last look; those without data are missing.
        why: why there is no answer.
    """

    name: str
    when: str
    severity: str
    state: str
    seconds: float
    lasting: float
    values: dict[str, float]
    why: str = ""


@dataclass(frozen=True, slots=True)
class MetricEvidence:
    """The state of one metric of the user's.

    Attributes:
        candidate, stable: as last read; None where there is no data.
        shared: likewise, where one number is read for both.
        e_value: betting odds against the candidate; None where it is not judged.
        threshold: what the mean e-value of all judged metrics takes the candidate back at.
        state: `ok`, `no-data` or `error`.
        why: why it is not `ok`.
    """

    name: str
    candidate: float | None
    stable: float | None
    shared: float | None
    e_value: float | None
    threshold: float | None
    state: str
    why: str = ""


@dataclass(slots=True)
class Assessment:
    """What to do now, and why.

    Attributes:
        decision: `roll-back`: take the candidate back; `hold`: stay, the time does not count; `continue`: stay, the
            time counts, nothing speaks against the candidate; `inconclusive`: there will be no answer.
        sufficient: the candidate finished enough requests in this step, so that `continue` at the end of the bake means
            advance; otherwise it means inconclusive. At weight 0 nothing is asked for.
        rule: kebab-case code of what decided: the name of a lane, `ejected`, `crash`, `not-ready`, `hang`, `budget`,
            `metrics-outage`, `shared-incident`, `no-candidate-traffic`, `traffic-share`, `objective-missed-by-both`,
            `baseline`, `no-requests`, `few-requests`, `watching`.
        sentence: for people: counts, ratio, interval, e-value and what they mean.
        watched: seconds watched in the present step; to be compared with its bake.
        at: when this was said, seconds since the epoch, UTC.
        evidence: what it rests on.
        said_at: when evidence and sentence were put together, if that was a moment earlier.
        rules: the state of the user's rules, in the order written.
        metrics: likewise of the user's metrics.
        before: seconds watched in the present step before it had no answer and began again.
    """

    decision: Decision
    sufficient: bool
    rule: str
    sentence: str
    watched: float
    at: float
    evidence: Evidence
    rules: tuple[RuleEvidence, ...] = ()
    metrics: tuple[MetricEvidence, ...] = ()
    before: float = 0.0
    said_at: float | None = None
