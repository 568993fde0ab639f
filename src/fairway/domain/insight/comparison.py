"""Is it as fast as before? Two measurements, round against round.

Rounds of both were run in turn, so that whatever else changed on the machine meanwhile changed both alike; each round
of one is compared with its neighbour of the other, and the ratio is what counts. A metric has regressed if even the
favourable end of its interval is worse than what is tolerated; it is shown to be no worse than that if even the
unfavourable end is not; else nothing is shown, and the interval says how far that goes. Silence is no answer.

Every judged metric can convict. Acquitted is what is shown in those metrics that must show it: the tails of latency are
so noisy that few machines are quiet enough to acquit by them, and what could hide there is said.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from fairway.domain.insight.baseline import Baseline, Round
from fairway.domain.insight.signed_rank import Middle, fewest, find_middle

Verdict = Literal["regression", "no-regression", "inconclusive"]
Metric = Literal["mean", "p50", "p95", "p99", "processor", "throughput"]

METRICS: tuple[Metric, ...] = ("mean", "p50", "p95", "p99", "processor", "throughput")

#: How often one looks where rounds are added until there is an answer: they are doubled, and doubled again.
LOOKS = 3

TITLES: dict[str, str] = {
    "mean": "mean latency",
    "p50": "P50 latency",
    "p95": "P95 latency",
    "p99": "P99 latency",
    "processor": "processor time a request",
    "throughput": "good answers a second",
}
UNITS: dict[str, str] = {"processor": "µs", "throughput": "/s"}


@dataclass(frozen=True, slots=True)
class ComparisonPolicy:
    """What counts as a regression.

    Attributes:
        judged: metrics that can show a regression.
        required: those of them in which its absence must be shown, as far as they were measured.
        tolerance: how much worse each may be, as a fraction; 0.1 is 10 %.
        confidence: of all intervals of the judged metrics together, above 0.5 and below 1.
        looks: how often one may look while rounds are added, until there is an answer; each look has its part of the
            risk, so that all of them together keep the confidence.
        drift: fraction by which two measurements made at different times may differ for reasons of the machine; it
            widens the intervals of a comparison whose rounds were not run in turn.
        error_points: how much the share of failed requests may be larger, as a fraction.
    """

    judged: tuple[Metric, ...] = ("p50", "p95", "p99", "processor")
    required: tuple[Metric, ...] = ("p50", "processor")
    tolerance: float = 0.1
    confidence: float = 0.99
    looks: int = 1
    drift: float = 0.1
    error_points: float = 0.001

    @property
    def risk(self) -> float:
        """Probability that one end of the interval of one metric is wrong at one look."""
        # Both ends of the interval of every metric may be wrong.
        return self.error_risk / len(self.judged)

    @property
    def error_risk(self) -> float:
        """The same for failed requests, which are judged by themselves."""
        return (1 - self.confidence) / 2 / self.looks


@dataclass(frozen=True, slots=True)
class Change:
    """One metric of two measurements. Fractions are of the first one; a worse second one is positive.

    Attributes:
        before: median over the rounds.
        change: how much worse the second one is.
        lower: the change is at least this; minus infinity: there are too few rounds to say.
        upper: at most this.
        pairs: how many rounds had their neighbour.
        is_judged: it decides.
    """

    metric: str
    before: float
    after: float
    change: float
    lower: float
    upper: float
    pairs: int
    verdict: Verdict
    is_judged: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answer.

    Attributes:
        before: name of the first measurement.
        after: name of the second one.
        in_turn: the rounds of both were run in turn.
        changes: by metric, those that decide first.
        reason: one sentence.
        remarks: what limits its worth.
        measured: when both measurements were complete, if their rounds were run in turn; else 0.
    """

    service: str
    before: str
    after: str
    made: float
    in_turn: bool
    policy: ComparisonPolicy
    changes: tuple[Change, ...]
    verdict: Verdict
    reason: str
    remarks: tuple[str, ...] = ()
    digest_before: str = ""
    digest_after: str = ""
    measured: float = 0.0


def compare(before: Baseline, after: Baseline, policy: ComparisonPolicy, *, made: float) -> Comparison:
    """Holds the second measurement against the first.

    Args:
        before: what is known to be good.
        after: what is asked about.
        policy: what counts as a regression.
        made: now, seconds since the epoch, UTC.
    """
    in_turn = _in_turn(before, after)
    changes = [found for metric in METRICS if (found := _change(metric, before, after, policy, in_turn=in_turn))]
    changes.append(_errors(before, after, policy))
    changes.sort(key=lambda change: not change.is_judged)
    verdict, reason = _conclude([change for change in changes if change.is_judged], policy)
    return Comparison(
        service=after.service,
        before=before.name,
        after=after.name,
        made=made,
        in_turn=in_turn,
        policy=policy,
        changes=tuple(changes),
        verdict=verdict,
        reason=reason,
        remarks=tuple(_remarks(before, after, policy, in_turn=in_turn)),
        digest_before=before.subject.digest,
        digest_after=after.subject.digest,
        measured=before.made if in_turn else 0.0,
    )


def _in_turn(before: Baseline, after: Baseline) -> bool:
    return before.measured_with == after.name and after.measured_with == before.name and before.made == after.made


def _change(
    metric: Metric, before: Baseline, after: Baseline, policy: ComparisonPolicy, *, in_turn: bool
) -> Change | None:
    """One metric; None where either has no figure, or where the load decides it and not the service."""
    if metric == "throughput" and before.load.rate:
        return None
    ratios = [found for pair in zip(before.rounds, after.rounds, strict=False) if (found := _ratio(metric, *pair))]
    middle = find_middle([math.log(ratio) for ratio in ratios], policy.risk)
    first, second = before.value(metric), after.value(metric)
    if middle is None or first is None or second is None:
        return None
    slack = 0.0 if in_turn else policy.drift
    lower, upper = _fraction(middle.lower) - slack, _fraction(middle.upper) + slack
    verdict = _verdict(lower, upper, policy.tolerance)
    judged = metric in policy.judged
    change = _fraction(middle.estimate)
    return Change(metric, first, second, change, lower, upper, len(ratios), verdict, judged)


def _ratio(metric: Metric, before: Round, after: Round) -> float | None:
    """How many times worse; None where there is nothing to divide."""
    first, second = before.value(metric), after.value(metric)
    if not first or not second:
        return None
    return first / second if metric == "throughput" else second / first


def _fraction(logarithm: float) -> float:
    return math.exp(logarithm) - 1.0 if logarithm < 700 else math.inf


def _verdict(lower: float, upper: float, tolerance: float) -> Verdict:
    if lower > tolerance:
        return "regression"
    return "no-regression" if upper <= tolerance else "inconclusive"


def _errors(before: Baseline, after: Baseline, policy: ComparisonPolicy) -> Change:
    """The shares of failed requests, round against round as well: failures come in heaps."""
    pairs = [
        (other.errors or 0.0) - (one.errors or 0.0) for one, other in zip(before.rounds, after.rounds, strict=False)
    ]
    middle = find_middle(pairs, policy.error_risk) or Middle(0.0, -math.inf, math.inf)
    first, second = before.value("errors") or 0.0, after.value("errors") or 0.0
    verdict = _verdict(middle.lower, middle.upper, policy.error_points)
    return Change("errors", first, second, second - first, middle.lower, middle.upper, len(pairs), verdict, True)


def _conclude(judged: Sequence[Change], policy: ComparisonPolicy) -> tuple[Verdict, str]:
    worse = [change for change in judged if change.verdict == "regression"]
    if worse:
        return "regression", "; ".join(sentence(change) for change in worse)
    required = [change for change in judged if change.metric in policy.required]
    unshown = [one for one in judged if one.verdict == "inconclusive" and one.metric in (*policy.required, "errors")]
    if unshown or not required:
        shown = "; ".join(sentence(change) for change in unshown) or "nothing that must show it was measured"
        return "inconclusive", f"neither a regression nor its absence is shown: {shown}"
    most = max(0.0, *(change.upper for change in required))
    where = " and ".join(TITLES[change.metric] for change in required)
    hidden = [change for change in judged if change.verdict == "inconclusive"]
    rest = "".join(f"; up to {_end(change.upper)} could hide in {TITLES[change.metric]}" for change in hidden)
    return "no-regression", f"no regression beyond {most:.1%} shown in {where}, {policy.tolerance:.0%} tolerated{rest}"


def _end(value: float) -> str:
    return f"{value:+.0%}" if math.isfinite(value) else "anything"


def sentence(change: Change) -> str:
    """The change with its interval, in words."""
    if change.metric == "errors":
        return f"failed requests {change.before:.2%} → {change.after:.2%} ({_points(change)})"
    title = TITLES[change.metric]
    if not math.isfinite(change.lower) or not math.isfinite(change.upper):
        return f"{title} {change.change:+.1%}, of {change.pairs} pairs of rounds: too few for an interval"
    return f"{title} {change.change:+.1%} ({change.lower:+.1%} to {change.upper:+.1%})"


def _points(change: Change) -> str:
    if not math.isfinite(change.lower):
        return "too few rounds for an interval"
    return f"{change.lower * 100:+.2f} to {change.upper * 100:+.2f} points"


def _remarks(before: Baseline, after: Baseline, policy: ComparisonPolicy, *, in_turn: bool) -> Iterable[str]:
    if not in_turn:
        yield (
            f"the rounds were not run in turn: what else changed between the two measurements is in the figures; the "
            f"intervals are {policy.drift:.0%} wider on both sides for it"
        )
        if before.machine != after.machine:
            yield f"they were made on different machines: {before.machine} and {after.machine}"
    needed = fewest(policy.risk)
    pairs = min(len(before.rounds), len(after.rounds))
    if pairs < needed:
        yield f"{pairs} pairs of rounds are too few for a confidence of {policy.confidence:.1%}: {needed} are needed"
    for one in (before, after):
        for remark in one.remarks:
            yield f"{one.name}: {remark}"
