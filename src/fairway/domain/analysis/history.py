"""The course of a rollout's evidence: a bounded series of points, for people. No verdict is ever read from it.

What lives here: what a point holds, and which points are kept. The newest reading is always the last point. It takes
the place of the one before it until that one is far enough from its neighbour, or until something changed: both sides
of a change of weight, step or decision are kept. When there are more than `LIMIT` points, the distance doubles and the
points in between go, so that a rollout of a day costs as much as one of ten minutes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fairway.domain.analysis.evidence import Assessment, Counts, Evidence, LaneEvidence
from fairway.domain.analysis.latency import quantiles
from fairway.domain.analysis.traffic import TrafficSnapshot
from fairway.domain.codec import from_json

LIMIT = 600
"""Most points that are kept of a rollout."""

SPACING = 1.0
"""Seconds between two points at the beginning."""

MEASURE_EVERY = 5.0
"""Seconds of requests that a latency is of, at least: quantiles of fewer say little, and cost as much."""

RATIO_LANES = ("error-lane", "hard-lane")
"""Whose ratio of error ratios is shown: the first of these that has judged a block in the present step."""


LATENCY_LANE = "latency-lane"
"""Whose ratio of quantiles is shown."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Latency of the answers of the last seconds, in milliseconds; None where nothing was answered."""

    p50: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Slowdown:
    """How many times as slow the candidate is in the present step, by the quantile that tells most.

    Attributes:
        ratio: the quantile of the candidate divided by stable's.
        low: lower end of its 99 % interval; None as long as nothing is known.
        high: upper end, likewise.
        margin: the ratio that is allowed.
        quantile: which one it is, 0.99 for P99; None in what an earlier version kept.
    """

    ratio: float
    low: float | None
    high: float | None
    margin: float
    quantile: float | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """What was known at one moment.

    Attributes:
        at: seconds since the epoch, UTC.
        since: when the step began, likewise; None before the first.
        watched: seconds watched in this step.
        weight: percent of the requests that go to the candidate.
        decision: as in `Assessment`.
        rule: likewise.
        e_value: of all lanes together.
        lanes: the part of each lane in the e-value: its own, times its part of the capital.
        candidate: requests of this step.
        stable: likewise.
        ratio: the candidate's error ratio divided by stable's, in this step; None when stable has no failure yet.
        low: lower end of the ratio's 99 % confidence sequence in this step; None as long as nothing is known.
        high: upper end; None when there is none.
        latency: by revision; empty in between, for it is computed every few seconds.
        promotion: e-value of each test of non-inferiority in this step; empty where there is none.
        slowdown: None before the first block of latency.
    """

    at: float
    since: float | None
    watched: float
    weight: float
    decision: str
    rule: str
    e_value: float
    lanes: dict[str, float]
    candidate: Counts
    stable: Counts
    ratio: float | None
    low: float | None
    high: float | None
    latency: dict[str, Latency] = field(default_factory=dict)
    promotion: dict[str, float] = field(default_factory=dict)
    slowdown: Slowdown | None = None

    def to_json(self) -> dict[str, Any]:
        """The point as a JSON value, which `from_json` of the codec reads; by hand, because it is made each second."""
        slow = self.slowdown
        return {
            "at": self.at,
            "since": self.since,
            "watched": self.watched,
            "weight": self.weight,
            "decision": self.decision,
            "rule": self.rule,
            "e_value": self.e_value,
            "lanes": self.lanes,
            "candidate": {"finished": self.candidate.finished, "failed": self.candidate.failed},
            "stable": {"finished": self.stable.finished, "failed": self.stable.failed},
            "ratio": self.ratio,
            "low": self.low,
            "high": self.high,
            "latency": {name: {"p50": one.p50, "p99": one.p99} for name, one in self.latency.items()},
            "promotion": self.promotion,
            "slowdown": slow and _slowdown_json(slow),
        }

    @property
    def stretch(self) -> tuple[float | None, float, str]:
        """Step, weight and decision: what the points on both sides of a change differ in."""
        return self.since, self.weight, self.decision


def _slowdown_json(slow: Slowdown) -> dict[str, float | None]:
    return {
        "ratio": slow.ratio,
        "low": slow.low,
        "high": slow.high,
        "margin": slow.margin,
        "quantile": slow.quantile,
    }


@dataclass(frozen=True, slots=True)
class HistoryChange:
    """What is to be written down after a point was added.

    Attributes:
        written: points by number, new or in the place of an earlier one of that number.
        dropped: numbers of points that are no longer kept.
    """

    written: tuple[tuple[int, dict[str, Any]], ...] = ()
    dropped: tuple[int, ...] = ()


UNCHANGED = HistoryChange()
"""Nothing is to be written down."""


@dataclass(slots=True)
class History:
    """The points kept of one rollout, in order of time. Changed in place; not shared between threads.

    Attributes:
        points: each with its number; numbers rise, and a number is never used for another moment but the newest.
        spacing: seconds between two points.
        base: the counters from which on the next latency is of.
    """

    points: list[tuple[int, Point]] = field(default_factory=list)
    spacing: float = SPACING
    base: TrafficSnapshot | None = None

    @classmethod
    def restore(cls, rows: Iterable[tuple[int, Mapping[str, Any]]]) -> "History":
        """The history that was written down, by number."""
        points = [(number, from_json(Point, row)) for number, row in rows]
        history = cls(points)
        span = points[-1][1].at - points[0][1].at if points else 0.0
        while span / history.spacing > LIMIT:
            history.spacing *= 2.0
        return history

    def add(self, assessment: Assessment, traffic: TrafficSnapshot | None) -> HistoryChange:
        """Adds what is known now.

        Args:
            assessment: what is said now.
            traffic: the counters that it was said after; None if they could not be read.
        """
        latency = self._measure(traffic)
        number, replaced = self._next(assessment)
        point = _point(assessment, latency or replaced)
        self.points.append((number, point))
        dropped = self._thin()
        return HistoryChange(((number, point.to_json()),), dropped)

    def _next(self, assessment: Assessment) -> tuple[int, dict[str, Latency]]:
        """The number of the newest point; takes the point away whose place it takes, and returns its latency."""
        if not self.points:
            return 0, {}
        number, last = self.points[-1]
        before = self.points[-2][1] if len(self.points) > 1 else None
        evidence = assessment.evidence
        changed = last.stretch != (evidence.since, evidence.weight, assessment.decision)
        # A controller that died right after a save comes back to the same moment.
        again = last.at == round(assessment.at, 3)
        settled = before is None or last.stretch != before.stretch or abs(last.at - before.at) >= self.spacing
        if not again and (changed or settled):
            return number + 1, {}
        self.points.pop()
        return number, last.latency

    def _measure(self, traffic: TrafficSnapshot | None) -> dict[str, Latency]:
        """Quantiles of what was answered since the last time, by revision; empty if it is too early to say."""
        if traffic is None:
            return {}
        before = self.base
        if before is None or before.origin != traffic.origin or traffic.at < before.at:
            self.base = traffic
            return {}
        if traffic.at - before.at < max(MEASURE_EVERY, self.spacing):
            return {}
        self.base = traffic
        return _latencies(traffic, before)

    def _thin(self) -> tuple[int, ...]:
        """Brings the number of points below the limit; returns the numbers of those that go."""
        if len(self.points) <= LIMIT:
            return ()
        before = [number for number, _ in self.points]
        while len(self.points) > LIMIT:
            self.spacing *= 2.0
            self.points = _spread(self.points, self.spacing)
        kept = {number for number, _ in self.points}
        return tuple(number for number in before if number not in kept)


def _spread(points: list[tuple[int, Point]], spacing: float) -> list[tuple[int, Point]]:
    """The points at least so many seconds apart, both ends, and both sides of changes unless they are many."""
    stretches = [point.stretch for _, point in points]
    sides = {i for i in range(1, len(points)) if stretches[i] != stretches[i - 1]}
    sides |= {i - 1 for i in sides}
    if len(sides) > LIMIT // 2:
        sides = set()
    kept = [points[0]]
    for i in range(1, len(points)):
        if i in sides or i == len(points) - 1 or abs(points[i][1].at - kept[-1][1].at) >= spacing:
            kept.append(points[i])
    return kept


def _point(assessment: Assessment, latency: dict[str, Latency]) -> Point:
    evidence = assessment.evidence
    lane = _ratio_lane(evidence)
    return Point(
        at=round(assessment.at, 3),
        since=evidence.since,
        watched=round(assessment.watched, 2),
        weight=evidence.weight,
        decision=assessment.decision,
        rule=assessment.rule,
        e_value=_short(evidence.e_value),
        lanes={one.name: _short(one.weight * one.e_value) for one in evidence.lanes},
        candidate=evidence.candidate,
        stable=evidence.stable,
        ratio=_short_or_none(lane.ratio if lane else None),
        low=_short_or_none(lane.low if lane else None),
        high=_short_or_none(lane.high if lane else None),
        latency=latency,
        promotion={one.name: _short(one.e_value) for one in evidence.promotion},
        slowdown=_slowdown(evidence),
    )


def _ratio_lane(evidence: Evidence) -> LaneEvidence | None:
    lanes = {one.name: one for one in evidence.lanes}
    judged = [lanes[name] for name in RATIO_LANES if name in lanes and lanes[name].candidate.finished]
    return judged[0] if judged else None


def _slowdown(evidence: Evidence) -> Slowdown | None:
    lane = next((one for one in evidence.lanes if one.name == LATENCY_LANE), None)
    if lane is None or lane.slowness is None or lane.ratio is None:
        return None
    margin = lane.slowness.candidate_edge / lane.slowness.stable_edge
    told = next((one.share for one in lane.slowness.quantiles if one.ratio == lane.ratio), None)
    return Slowdown(_short(lane.ratio), _short_or_none(lane.low), _short_or_none(lane.high), _short(margin), told)


def _latencies(now: TrafficSnapshot, before: TrafficSnapshot) -> dict[str, Latency]:
    shown = {}
    for seen in now.revisions:
        found = quantiles(seen.latency, (0.5, 0.99), before=before.of(seen.revision).latency)
        if found is not None:
            shown[seen.revision] = Latency(_short(found[0] / 1000.0), _short(found[1] / 1000.0))
    return shown


def _short(value: float) -> float:
    """Five digits, enough for any picture; rows are written each second."""
    return float(f"{value:.5g}")


def _short_or_none(value: float | None) -> float | None:
    return None if value is None else _short(value)
