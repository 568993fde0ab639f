"""What is to be seen of a course: axes, points that belong together, and words; for a terminal and a file alike.

The confidence sequence describes the present step, so its line ends with each step and begins anew with the next.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import floor, log10

from fairway.cli.output import seconds
from fairway.cli.plot.scale import Scale, around
from fairway.domain.analysis.history import Point
from fairway.usecases.course import Course, Mark
from fairway.usecases.report import reason_of, timestamp

LOUD = frozenset({"roll-back", "abort"})
"""Marks that end badly."""

QUIET = frozenset({"hold", "pause"})
"""Marks after which the clock stands still."""

_STARTS_AGAIN = {"hold": "release", "pause": "resume"}


@dataclass(frozen=True, slots=True)
class Scene:
    """A course with its axes.

    Attributes:
        steps: the points of each step.
        time: seconds since the epoch, UTC.
        ratio: the candidate's error ratio divided by stable's.
        slowdown: the candidate's latency divided by stable's; None where none is known.
        evidence: e-values against the candidate.
        promotion: e-values for it; None where none were asked for.
        latency: milliseconds; None where none is known.
        weights: from when to when, in seconds since the epoch, and how many percent.
        marks: those that lie on the time axis.
        halts: from when to when the clock stood still.
    """

    course: Course
    steps: tuple[tuple[Point, ...], ...]
    time: Scale
    ratio: Scale
    slowdown: Scale | None
    evidence: Scale
    promotion: Scale | None
    latency: Scale | None
    weights: tuple[tuple[float, float, float], ...]
    marks: tuple[Mark, ...]
    halts: tuple[tuple[float, float], ...]

    @property
    def last(self) -> Point:
        """What was known in the end."""
        return self.course.points[-1]

    @property
    def told(self) -> Point:
        """The last point at which anything was known of the ratio; the last of all if it never was."""
        return next((point for point in reversed(self.course.points) if point.low is not None), self.last)

    def latencies(self, role: str, quantile: str) -> list[tuple[float, float]]:
        """Times, and milliseconds within which that share of a revision's requests was answered.

        Args:
            role: `candidate` or `stable`.
            quantile: `p50` or `p99`.
        """
        revision = getattr(self.course.run.plan, role)
        seen = [(point.at, point.latency.get(revision.id)) for point in self.course.points] if revision else []
        return [(at, value) for at, one in seen if one is not None and (value := getattr(one, quantile)) is not None]


def compose(course: Course) -> Scene:
    """The scene of a course that has points."""
    steps = tuple(tuple(points) for _, points in groupby(course.points, key=lambda point: point.since))
    time = _time(course)
    calm = _calm(course.marks, (time.high - time.low) / 50.0)
    marks = tuple(mark for mark in calm if time.low <= mark.at <= time.high and mark.label != "rolled-back")
    seen = [value for step in steps for value in _telling(step)] + [course.margin or 1.0]
    odds = [point.e_value for point in course.points if point.e_value > 0.0]
    return Scene(
        course,
        steps,
        time,
        ratio=around(seen, least=(0.4, 3.0), most=(0.01, 1000.0), room=1.6),
        slowdown=_slowdown(steps),
        evidence=around(odds, least=(0.1, course.threshold * 3.0), most=(0.001, 1e12), room=1.6),
        promotion=_promotion(course),
        latency=_latency(course),
        weights=tuple(_weights(course, time)),
        marks=marks,
        halts=tuple(_halts(calm, time)),
    )


def headline(course: Course) -> str:
    """Which run it is."""
    plan = course.run.plan
    before = plan.stable.version if plan.stable is not None else "nothing"
    return f"{plan.service} {before} → {plan.candidate.version} in {plan.environment}"


def subline(course: Course) -> str:
    """When it was and how it stands."""
    run = course.run
    ended = f", {seconds(run.ended - run.started)}" if run.ended is not None else ""
    return f"{run.id} · {run.phase} · {(timestamp(run.started) or '')[:19]}Z{ended} · {run.plan.strategy}"


def explanation(course: Course) -> str:
    """Why the run stands where it stands."""
    return reason_of(course.run)


def number(value: float) -> str:
    """A value on a logarithmic axis: two digits, whole numbers from ten on, a power of ten where zeros are many."""
    if value >= 1e6:
        return f"{value / 1e6:.0f} million" if value < 1e9 else f"10^{floor(log10(value))}"
    if value >= 10.0:
        return f"{value:,.0f}"
    return f"{value:.2g}" if value >= 0.001 or value == 0.0 else "under 0.001"


UNITS = ((1.0, "seconds", 180.0), (60.0, "minutes", 1e4), (3600.0, "hours", 3e5), (86400.0, "days", 1e99))
"""Seconds, the word, and up to which span it is used."""


def clock(scene: Scene) -> tuple[float, str]:
    """Seconds of a unit of the time axis, and its name."""
    unit, name = next((u, n) for u, n, most in UNITS if scene.time.high - scene.time.low < most)
    began = (timestamp(scene.time.low) or "")[:19].replace("T", " ")
    return unit, f"{name} since the first reading, {began} UTC"


def _time(course: Course) -> Scale:
    """All readings and decisions; the end only if it is near, for stable may be drained for hours after it."""
    first = course.points[0].at
    decided = [mark.at for mark in course.marks if mark.kind != "end"]
    last = max(course.points[-1].at, *decided, first)
    room = max(0.02 * (last - first), 1.0)
    ends = [mark.at for mark in course.marks if mark.kind == "end" and mark.at <= last + 5.0 * room]
    return Scale(first, max(last, *ends, first) + room)


def _telling(step: tuple[Point, ...]) -> Iterator[float]:
    """The ratios of a step, and where its confidence sequence ended: before that it is as wide as it likes."""
    yield from (point.ratio for point in step if point.ratio)
    yield from (end for end in (step[-1].low, step[-1].high) if end)


def _slowdown(steps: tuple[tuple[Point, ...], ...]) -> Scale | None:
    seen = [[one.slowdown for one in step if one.slowdown is not None] for step in steps]
    values = [value for step in seen for one in step for value in (one.ratio, one.margin) if value]
    values += [end for step in seen if step for end in (step[-1].low, step[-1].high) if end]
    return around(values, least=(0.8, 1.25), most=(0.1, 100.0), room=1.05) if values else None


def _promotion(course: Course) -> Scale | None:
    odds = [value for point in course.points for value in point.promotion.values() if value > 0.0]
    return around(odds, least=(0.3, course.shown * 3.0), most=(0.001, 1e6), room=1.6) if odds else None


def _latency(course: Course) -> Scale | None:
    seen = [one for point in course.points for one in point.latency.values()]
    values = [value for one in seen for value in (one.p50, one.p99) if value]
    return around(values, least=(min(values), max(values)), most=(0.01, 1e6), room=1.3) if values else None


def _weights(course: Course, time: Scale) -> Iterator[tuple[float, float, float]]:
    changes = [*course.weights, (time.high, 0.0)]
    for (at, weight), (until, _) in pairwise(changes):
        if until > time.low and at < time.high:
            yield max(at, time.low), min(until, time.high), weight


def _calm(marks: tuple[Mark, ...], gap: float) -> tuple[Mark, ...]:
    """Without the short moments between two holds for the same reason: they would hide everything else."""
    kept: list[Mark] = []
    for mark in marks:
        again = mark.kind == "hold" and len(kept) > 1 and kept[-1].kind == "release" and mark.at - kept[-1].at < gap
        if again and kept[-2].label == mark.label:
            kept.pop()
        else:
            kept.append(mark)
    return tuple(kept)


def _halts(marks: tuple[Mark, ...], time: Scale) -> Iterator[tuple[float, float]]:
    for place, mark in enumerate(marks):
        if mark.kind in QUIET and mark.at < time.high:
            over = {_STARTS_AGAIN[mark.kind], mark.kind, "advance", "roll-back", "end"}
            until = next((later.at for later in marks[place + 1 :] if later.kind in over), time.high)
            yield max(mark.at, time.low), min(until, time.high)
