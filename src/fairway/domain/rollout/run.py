"""The state of a run: the fold of its events. `evolve` is the only place where state changes."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from fairway.domain.cadence.policy import Passage
from fairway.domain.rollout.events import (
    AbortRequested,
    Advanced,
    Approved,
    ArtifactQuarantined,
    AttentionNeeded,
    Cause,
    Event,
    Extended,
    Held,
    Outcome,
    Paused,
    QuarantineLifted,
    Released,
    Resumed,
    RollbackStarted,
    RunEnded,
    RunStarted,
    StepFailed,
    StepFinished,
    StepStarted,
    Track,
)
from fairway.domain.rollout.plan import Plan, PlannedStep
from fairway.domain.rollout.revision import Revision
from fairway.domain.rollout.routes import Mirror
from fairway.domain.rollout.steps import AwaitApprovals, Copy, Promote, Scale, Shift, Watch

Verdict = Literal["passed", "failed", "inconclusive", "errored", "aborted"]
StepOutcome = Literal["done", "failed", "errored", "aborted", "advanced"]


@dataclass(frozen=True, slots=True)
class StepRecord:
    """What became of one step. Times are seconds since the epoch, UTC.

    Attributes:
        outcome: None while it is under way; `advanced` when a person skipped the rest of it.
    """

    track: Track
    index: int
    started: float
    finished: float | None = None
    outcome: StepOutcome | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the run takes, or took, its way back, and in which stage that was."""

    cause: Cause
    rule: str
    reason: str
    stage: str


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a plan.

    Attributes:
        version: number of events folded; the next event gets the next number.
        track: whether it goes forward or back.
        cursor: index of the step that is under way or next.
        under_way: the step at the cursor has been started.
        weight: the share of requests that the candidate was last given, in percent; all of them from the beginning
            where the live revision is only scaled.
        lifts: why a quarantined artifact may come back with this run, until that is recorded.
        passage: why it began although it was not the time for it; None: nobody had to say.
        mirror: what the candidate gets copies of; None: nothing.
        wanted: instance counts last asked for, candidate and stable; a baseline is no part of what serves.
        paused: why progress has stopped; None if it has not.
        paused_by: who stopped it; `fairway` when an answer was inconclusive.
        extended: how often a watch without an answer was begun again.
        extensions: how often the present one has begun again by itself since a person last resumed it.
        held: code of why the analysis cannot judge at the moment; None if it can.
        held_reason: the same in words.
        held_since: when that began; means nothing while `held` is None.
        abort: the request of a person to go back, if any.
        failure: why it goes back, if it does.
        attention: what a person has to look at, if anything.
        saved: id of the backup that a restore has taken of what was there; empty: none.
    """

    id: str
    plan: Plan
    version: int
    started: float
    actor: str
    reason: str
    lifts: str | None = None
    track: Track = "forward"
    cursor: int = 0
    under_way: bool = False
    records: tuple[StepRecord, ...] = ()
    weight: float = 0.0
    mirror: Mirror | None = None
    wanted: tuple[int, int] = (0, 0)
    promoted: bool = False
    paused: str | None = None
    paused_by: str | None = None
    extended: int = 0
    extensions: int = 0
    held: str | None = None
    held_reason: str = ""
    held_since: float = 0.0
    approvals: tuple[str, ...] = ()
    abort: AbortRequested | None = None
    failure: Failure | None = None
    quarantined: bool = False
    attention: str | None = None
    outcome: Outcome | None = None
    ended: float | None = None
    ended_reason: str = ""
    passage: Passage | None = None
    saved: str = ""

    @property
    def steps(self) -> tuple[PlannedStep, ...]:
        """The steps of the track that the run is on."""
        return self.plan.forward if self.track == "forward" else self.plan.rollback

    @property
    def current(self) -> PlannedStep | None:
        """The step at the cursor; None when the track is done."""
        return self.steps[self.cursor] if self.cursor < len(self.steps) else None

    @property
    def judged(self) -> bool:
        """The candidate has requests or copies of them, and there is a revision to go back to."""
        asked = self.weight > 0 or self.mirror is not None
        return self.returnable and asked and self.plan.stable is not None

    @property
    def reference(self) -> Revision | None:
        """What the candidate is compared with: the baseline as long as that gets requests, else stable."""
        return self.plan.baseline if self.plan.baseline is not None and self.weight < 100.0 else self.plan.stable

    @property
    def returnable(self) -> bool:
        """What goes wrong now leads to the way back; otherwise it is tried until it is done."""
        return self.track == "forward" and not self.committed

    @property
    def ends_on_no(self) -> bool:
        """An answer that is no ends the way there: with the way back, or, after a restore's swap, where it stands."""
        return self.returnable or (self.plan.kind == "restore" and self.track == "forward")

    @property
    def committed(self) -> bool:
        """The way back has ended: only a new run can return."""
        return self.track == "forward" and self.cursor >= self.plan.commit

    @property
    def live(self) -> Revision | None:
        """The revision that the environment counts as live now; None if none was and none is."""
        if self.promoted or self.outcome == "completed" or self.plan.keeps_live:
            return self.plan.candidate
        return self.plan.stable

    @property
    def phase(self) -> str:
        """Where the run stands, in one word; computed from facts, never set."""
        if self.outcome is not None:
            return self.outcome
        if self.track == "rollback":
            return "rolling-back"
        if self.paused is not None:
            return "paused"
        step = self.current
        if step is not None and isinstance(step.step, AwaitApprovals):
            return "waiting-approval"
        if self.held is not None:
            return "held"
        return "observing" if self.promoted else "progressing"

    @property
    def verdict(self) -> Verdict | None:
        """The answer so far: None while there is none."""
        if self.failure is not None:
            return self.failure.cause
        if self.outcome == "completed":
            return "passed"
        return "inconclusive" if self.paused_by == "fairway" else None


def start(run_id: str, event: RunStarted) -> Run:
    """The run that begins with this event."""
    return Run(
        id=run_id,
        plan=event.plan,
        version=1,
        started=event.at,
        actor=event.actor,
        reason=event.reason,
        passage=event.passage,
        lifts=event.lifts,
        weight=100.0 if event.plan.keeps_live else 0.0,
        wanted=(event.plan.instances, 0) if event.plan.kind == "restore" else (0, event.plan.stable_instances),
    )


def fold(run_id: str, events: Iterable[Event], run: Run | None = None) -> Run:
    """The state after these events, from the beginning or from an earlier state.

    Raises:
        ValueError: there is no event, or the first one of a run is not `RunStarted`.
    """
    for event in events:
        if run is None:
            if not isinstance(event, RunStarted):
                raise ValueError(f"run {run_id} begins with {type(event).__name__}")
            run = start(run_id, event)
        else:
            run = evolve(run, event)
    if run is None:
        raise ValueError(f"run {run_id} has no events")
    return run


def evolve(run: Run, event: Event) -> Run:  # noqa: C901, PLR0911, PLR0912 -- one case a kind of event
    """The state after one more fact."""
    run = replace(run, version=run.version + 1)
    match event:
        case StepStarted() | StepFinished() | StepFailed() | Advanced():
            return _evolve_step(run, event)
        case Paused(actor=actor, reason=reason):
            return replace(run, paused=reason, paused_by=actor)
        case Resumed():
            extended = run.extended + (run.paused_by == "fairway")
            return replace(run, paused=None, paused_by=None, extended=extended, extensions=0)
        case Extended(index=index):
            if run.track != "forward" or index != run.cursor:
                return run
            return replace(run, extended=run.extended + 1, extensions=run.extensions + 1)
        case Approved(actor=actor):
            return run if actor in run.approvals else replace(run, approvals=(*run.approvals, actor))
        case AbortRequested():
            return run if run.committed or run.track == "rollback" else replace(run, abort=event)
        case Held(at=at, rule=rule, reason=reason):
            return replace(run, held=rule, held_reason=reason, held_since=at)
        case Released():
            return replace(run, held=None, held_reason="", attention=None)
        case RollbackStarted():
            return _evolve_rollback(run, event)
        case ArtifactQuarantined():
            return replace(run, quarantined=True)
        case AttentionNeeded(reason=reason):
            return replace(run, attention=reason)
        case RunEnded(at=at, outcome=outcome, reason=reason):
            return replace(run, outcome=outcome, ended=at, ended_reason=reason, paused=None, held=None, held_reason="")
        case QuarantineLifted():
            return replace(run, lifts=None)
        case RunStarted():
            return run


def _evolve_step(run: Run, event: StepStarted | StepFinished | StepFailed | Advanced) -> Run:
    if isinstance(event, StepStarted):
        record = StepRecord(event.track, event.index, event.at)
        run = replace(run, under_way=True, records=(*run.records, record), attention=None)
        return _assert_wanted(run, _find(run, event.track, event.index))
    if isinstance(event, StepFailed):
        failure = Failure(event.cause, event.rule, event.reason, _stage(run, event.track, event.index))
        return replace(_close_record(run, event.at, event.cause, event.reason), under_way=False, failure=failure)
    if isinstance(event, StepFinished):
        run = replace(run, saved=event.data.get("backup", run.saved))
        return _go_on(_close_record(run, event.at, "done", event.detail), event.track, event.index)
    run = replace(run, paused=None, paused_by=None)
    if run.track != "forward" or event.index != run.cursor:
        return run
    if not run.under_way:
        run = replace(run, records=(*run.records, StepRecord("forward", event.index, event.at)))
    return _go_on(_close_record(run, event.at, "advanced", f"advanced by {event.actor}"), "forward", event.index)


def _go_on(run: Run, track: Track, index: int) -> Run:
    """The step is behind the run."""
    planned = _find(run, track, index)
    promoted = run.promoted or (planned is not None and isinstance(planned.step, Promote))
    return replace(
        run,
        cursor=index + 1,
        under_way=False,
        promoted=promoted,
        extensions=0,
        held=None,
        held_reason="",
        attention=None,
    )


def _find(run: Run, track: Track, index: int) -> PlannedStep | None:
    """The step at that place in the plan; None beyond its end."""
    steps = run.plan.forward if track == "forward" else run.plan.rollback
    return steps[index] if index < len(steps) else None


def _stage(run: Run, track: Track, index: int) -> str:
    planned = _find(run, track, index) or run.steps[-1]
    return planned.stage


def _assert_wanted(run: Run, planned: PlannedStep | None) -> Run:
    """From its start on, a step's wish counts: the way back must assume that it was half done."""
    step = planned.step if planned is not None else None
    if isinstance(step, Shift):
        return replace(run, weight=step.weight, mirror=None)
    if isinstance(step, Copy):
        return replace(run, mirror=step.mirror)
    if isinstance(step, Watch):
        return replace(run, weight=step.weight)
    if isinstance(step, Scale) and step.role != "baseline":
        candidate, stable = run.wanted
        own = step.role in ("candidate", "live release")
        return replace(run, wanted=(step.count, stable) if own else (candidate, step.count))
    return run


def _close_record(run: Run, at: float, outcome: StepOutcome, detail: str) -> Run:
    if not run.records or run.records[-1].finished is not None:
        return run
    closed = replace(run.records[-1], finished=at, outcome=outcome, detail=detail)
    return replace(run, records=(*run.records[:-1], closed))


def _evolve_rollback(run: Run, event: RollbackStarted) -> Run:
    stage = run.failure.stage if run.failure else _stage(run, run.track, run.cursor)
    return replace(
        _close_record(run, event.at, event.cause, event.reason),
        track="rollback",
        cursor=0,
        under_way=False,
        promoted=False,
        paused=None,
        paused_by=None,
        held=None,
        held_reason="",
        attention=None,
        failure=Failure(event.cause, event.rule, event.reason, stage),
    )
