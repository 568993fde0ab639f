"""The course of a run's evidence: what was known at each moment, and what was decided on the way."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from fairway.domain.analysis.evidence import Counts
from fairway.domain.analysis.history import Point
from fairway.domain.analysis.noninferiority import BETA
from fairway.domain.codec import from_json
from fairway.domain.rollout.events import (
    AbortRequested,
    Advanced,
    Event,
    Extended,
    Held,
    Paused,
    Released,
    Resumed,
    RollbackStarted,
    RunEnded,
    RunStarted,
    StepFinished,
)
from fairway.domain.rollout.plan import Plan
from fairway.domain.rollout.run import Run, evolve, start
from fairway.domain.rollout.steps import Promote, Watch
from fairway.ports.journal import Story
from fairway.usecases.report import timestamp

MarkKind = Literal[
    "passed", "hold", "release", "pause", "resume", "extend", "advance", "promote", "abort", "roll-back", "end"
]


@dataclass(frozen=True, slots=True)
class Mark:
    """A decision on the way.

    Attributes:
        at: seconds since the epoch, UTC.
        label: two or three words.
        reason: a sentence; empty where the label says everything.
    """

    at: float
    kind: MarkKind
    label: str
    reason: str


@dataclass(frozen=True, slots=True)
class Course:
    """What there is to draw and to tell of one run.

    Attributes:
        points: in order of time; empty if the run was never judged.
        weights: when the candidate's share of requests changed, and to how many percent; seconds since the epoch, UTC.
        marks: in order of time.
    """

    run: Run
    points: tuple[Point, ...]
    weights: tuple[tuple[float, float], ...]
    marks: tuple[Mark, ...]

    @property
    def threshold(self) -> float:
        """The e-value at which the candidate is taken back."""
        return 1.0 / self.run.plan.analysis.alpha

    @property
    def shown(self) -> float:
        """The e-value at which a test of non-inferiority has shown what it can."""
        return 1.0 / BETA

    @property
    def stable(self) -> Counts:
        """Requests of stable in all steps together."""
        last = {point.since: point.stable for point in self.points}
        return Counts(sum(one.finished for one in last.values()), sum(one.failed for one in last.values()))

    @property
    def margin(self) -> float | None:
        """The greatest ratio within the margin, at stable's error ratio in this run; None while stable has no failure.

        Where the margin allows points beside the multiple, the ratio that it allows depends on stable's error ratio.
        """
        policy, usual = self.run.plan.analysis, self.stable.ratio
        if policy.absolute_margin == 0.0:
            return policy.ratio_margin
        return policy.ratio_margin + policy.absolute_margin / usual if usual else None

    @property
    def silence(self) -> str:
        """Why there is nothing to draw, in a sentence; empty if there is."""
        if self.points:
            return ""
        if self.run.plan.stable is None:
            return "Nothing is compared at a first deployment: there is no stable revision to compare with."
        if self.run.outcome is None:
            return "Nothing has been judged yet: the candidate has had no requests."
        return "No readings are kept of this run: it ended before its candidate was judged."

    @property
    def reference(self) -> str:
        """What the candidate is compared with, in words."""
        return "stable" if self.run.plan.baseline is None else "the baseline"

    @property
    def margin_words(self) -> str:
        """The margin as it was asked for."""
        policy = self.run.plan.analysis
        points = f" + {policy.absolute_margin * 100:g} points" if policy.absolute_margin else ""
        return f"{policy.ratio_margin:g} × {self.reference}'s error ratio{points}"


def tell_course(story: Story, run_id: str) -> Course:
    """Reads everything about the evidence of a run; changes nothing.

    Raises:
        UserError: there is no such run.
    """
    run = story.load(run_id)
    points = tuple(from_json(Point, row) for _, row in story.load_history(run_id))
    events = story.list_events(run_id)
    return Course(run, points, tuple(_weights(run_id, events)), tuple(_marks(run.plan, events)))


def describe_course(course: Course) -> dict[str, Any]:
    """The course as a JSON object.

    Returns:
        `threshold`: the e-value at which the candidate is taken back; `shown`: the one at which a test of
        non-inferiority has shown what it can; `margin`: in words, and the ratio that it allows at stable's error ratio
        in this run; `weights` and `marks` from the journal; `points` as `Point` describes them. Times are ISO 8601 in
        UTC, latency is in milliseconds.
    """
    return {
        "threshold": course.threshold,
        "shown": course.shown,
        "margin": {"words": course.margin_words, "ratio": course.margin},
        "weights": [{"at": timestamp(at), "weight": weight} for at, weight in course.weights],
        "marks": [
            {"at": timestamp(one.at), "kind": one.kind, "label": one.label, "reason": one.reason}
            for one in course.marks
        ],
        "points": [
            point.to_json() | {"at": timestamp(point.at), "since": timestamp(point.since)} for point in course.points
        ],
    }


def _weights(run_id: str, events: Iterable[Event]) -> Iterator[tuple[float, float]]:
    run: Run | None = None
    for event in events:
        before = run.weight if run is not None else None
        run = evolve(run, event) if run is not None else start(run_id, event) if isinstance(event, RunStarted) else None
        if run is not None and run.weight != before:
            yield event.at, run.weight


def _marks(plan: Plan, events: Iterable[Event]) -> Iterator[Mark]:  # noqa: C901 -- one line a fact
    for event in events:
        match event:
            case Held(at=at, rule=rule, reason=reason):
                yield Mark(at, "hold", f"hold: {rule}", reason)
            case Released(at=at):
                yield Mark(at, "release", "goes on", "")
            case Paused(at=at, actor=actor, reason=reason):
                yield Mark(at, "pause", "inconclusive" if actor == "fairway" else f"paused by {actor}", reason)
            case Resumed(at=at, actor=actor):
                yield Mark(at, "resume", f"resumed by {actor}", "")
            case Advanced(at=at, actor=actor):
                yield Mark(at, "advance", f"advanced by {actor}", "")
            case StepFinished(track="forward"):
                yield from _finished(plan, event)
            case Extended(at=at, reason=reason):
                yield Mark(at, "extend", "extended", reason)
            case AbortRequested(at=at, actor=actor, reason=reason):
                yield Mark(at, "abort", f"aborted by {actor}", reason)
            case RollbackStarted(at=at, rule=rule, reason=reason):
                yield Mark(at, "roll-back", f"roll-back: {rule}", reason)
            case RunEnded(at=at, outcome=outcome, reason=reason):
                yield Mark(at, "end", outcome, reason)


def _finished(plan: Plan, event: StepFinished) -> Iterator[Mark]:
    step = plan.forward[event.index].step
    if isinstance(step, Watch):
        yield Mark(event.at, "passed", f"{step.purpose} at {step.weight:g} % passed", event.detail)
    if isinstance(step, Promote):
        yield Mark(event.at, "promote", "promoted", "")
