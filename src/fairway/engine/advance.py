"""The loop: load, decide, perform one step, write down what happened, until the run must wait."""

from collections.abc import Callable
from dataclasses import dataclass, field

from fairway.domain.analysis import Assessment
from fairway.domain.codec import to_json
from fairway.domain.errors import FairwayError, InvariantError, PermanentError, TransientError
from fairway.domain.rollout.decide import Done, Perform, Record, Wait, decide
from fairway.domain.rollout.events import (
    AttentionNeeded,
    Event,
    Held,
    Paused,
    Released,
    StepFailed,
    StepFinished,
)
from fairway.domain.rollout.plan import Plan
from fairway.domain.rollout.run import Run
from fairway.domain.rollout.steps import Watch
from fairway.engine.judge import READ_EVERY, Judge
from fairway.engine.perform import Performance
from fairway.engine.world import Finished, Outcome, Pending, Refused, World
from fairway.ports.journal import Journal

#: Seconds for which a step on the way there is tried against errors that may pass, before the run goes back.
PATIENCE = 60.0
#: Seconds between tries: the first, and the longest.
FIRST_RETRY, LONGEST_RETRY = 0.1, 5.0


@dataclass(slots=True)
class _Trouble:
    """Errors in a row at one step of one run."""

    since: float
    tries: int = 0
    told: bool = False


@dataclass(slots=True)
class Engine:
    """Advances runs. One engine a controller; its methods may be called from several threads for different runs.

    Attributes:
        journal: events in, state out.
        judge: keeps the analyses.
        world_of: the implementations that a plan acts through.
        clock: now, seconds since the epoch, UTC.
    """

    journal: Journal
    judge: Judge
    world_of: Callable[[Plan], World]
    clock: Callable[[], float]
    _known: dict[str, Run] = field(default_factory=dict)
    _trouble: dict[tuple[str, str, int], _Trouble] = field(default_factory=dict)

    def advance(self, run_id: str, epoch: int) -> float | None:
        """Brings a run forward until it must wait.

        Args:
            run_id: the run.
            epoch: fencing number of the lease under which this happens.

        Returns:
            Seconds after which to call again; None if there is nothing to do until somebody appends to the run, or if
            another controller holds it now.
        """
        try:
            return self._advance(run_id, epoch)
        except TransientError as error:
            if error.code == "version-conflict":
                return 0.0
            return LONGEST_RETRY
        except PermanentError as error:
            if error.code != "stale-epoch":
                raise
            self.forget(run_id)
            return None

    def forget(self, run_id: str) -> None:
        """Drops what is kept in memory of a run."""
        self._known.pop(run_id, None)
        self.judge.forget(run_id)

    def _advance(self, run_id: str, epoch: int) -> float | None:
        while True:
            run = self.journal.load(run_id, known=self._known.get(run_id))
            self._known[run_id] = run
            at = self.clock()
            match decide(run, at):
                case Done():
                    self.forget(run_id)
                    return None
                case Record(event):
                    self._append(run, (event,), epoch)
                case Wait():
                    if not run.judged:
                        self.journal.append(run, (), wake=None, epoch=epoch)
                        return None
                    if not self._watch(run, epoch, at):
                        return READ_EVERY
                case Perform():
                    again = self._perform(run, epoch, at)
                    if again is not None:
                        return again

    def _append(self, run: Run, events: tuple[Event, ...], epoch: int) -> None:
        self._known[run.id] = self.journal.append(run, events, wake=self.clock(), epoch=epoch)

    def _watch(self, run: Run, epoch: int, at: float) -> bool:
        """Reads the evidence of a run that waits for a person; True if that changed something."""
        world = self.world_of(run.plan)
        events = _consequences(run, self.judge.read(run, world, epoch=epoch, at=at), at)
        if events:
            self._append(run, events, epoch)
        return bool(events)

    def _perform(self, run: Run, epoch: int, at: float) -> float | None:
        """Performs the current step; returns when to come again, None for at once."""
        key = (run.id, run.track, run.cursor)
        try:
            outcome = self._outcome(run, epoch, at)
        except FairwayError as error:
            if isinstance(error, PermanentError) and error.code == "stale-epoch":
                raise
            return self._retry(run, error, self._trouble.setdefault(key, _Trouble(at)), epoch, at)
        self._trouble.pop(key, None)
        match outcome:
            case Pending(again, events):
                if events:
                    self._append(run, events, epoch)
                return min(again, READ_EVERY) if run.judged else again
            case Finished(detail, data):
                self._append(run, (StepFinished(at, run.track, run.cursor, detail, data or {}),), epoch)
            case Refused(rule, reason):
                self._refuse(run, rule, reason, epoch, at)
        return None

    def _outcome(self, run: Run, epoch: int, at: float) -> Outcome:
        planned = run.current
        if planned is None:
            raise InvariantError("no-step", f"run {run.id} has no step at {run.cursor} to perform")
        world = self.world_of(run.plan)
        if not run.judged:
            return Performance(run, world, epoch, at).perform(planned.step)
        assessment = self.judge.read(run, world, epoch=epoch, at=at)
        events = _consequences(run, assessment, at)
        if events:
            return Pending(0.0, events)
        if isinstance(planned.step, Watch):
            return _end_watch(run, planned.step, assessment, at)
        return Performance(run, world, epoch, at).perform(planned.step)

    def _refuse(self, run: Run, rule: str, reason: str, epoch: int, at: float) -> None:
        if run.track == "forward" and not run.committed:
            self._append(run, (StepFailed(at, "forward", run.cursor, "failed", rule, reason),), epoch)
            return
        raise PermanentError(rule, reason)

    def _retry(self, run: Run, error: FairwayError, trouble: _Trouble, epoch: int, at: float) -> float | None:
        """An error at a step: try again; on the way there not for ever, and on the way back loudly."""
        trouble.tries += 1
        hopeless = isinstance(error, (PermanentError, InvariantError)) or at - trouble.since > PATIENCE
        going = run.track == "forward" and not run.committed
        if hopeless and going and not isinstance(error, InvariantError):
            self._append(run, (StepFailed(at, "forward", run.cursor, "errored", error.code, error.message),), epoch)
            return None
        if hopeless and not trouble.told:
            trouble.told = True
            self._append(run, (AttentionNeeded(at, f"{error.message} {error.hint}".strip()),), epoch)
        return min(FIRST_RETRY * 2.0 ** min(trouble.tries - 1, 10), LONGEST_RETRY)


def _consequences(run: Run, assessment: Assessment, at: float) -> tuple[Event, ...]:
    """The facts that follow from an assessment, whatever the step."""
    if assessment.decision == "roll-back":
        evidence = to_json(assessment)
        return (StepFailed(at, "forward", run.cursor, "failed", assessment.rule, assessment.sentence, evidence),)
    if assessment.decision == "hold" and run.held != assessment.rule:
        return (Held(at, assessment.rule, assessment.sentence),)
    if assessment.decision != "hold" and run.held is not None:
        return (Released(at),)
    return ()


def _end_watch(run: Run, step: Watch, assessment: Assessment, at: float) -> Outcome:
    """Whether the watch is over, and with what answer."""
    over = assessment.watched >= step.seconds or assessment.decision == "inconclusive"
    if run.paused is not None or assessment.decision == "hold" or not over:
        return Pending(READ_EVERY)
    policy = run.plan.analysis.inconclusive
    if (assessment.decision == "continue" and assessment.sufficient) or policy == "promote":
        return Finished(assessment.sentence, {"evidence": to_json(assessment)})
    if policy == "rollback":
        return Refused("inconclusive", assessment.sentence)
    return Pending(READ_EVERY, (Paused(at, "fairway", assessment.sentence),))
