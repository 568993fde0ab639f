"""The loop: load, decide, perform one step, write down what happened, until the run must wait."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from math import inf

from fairway.domain.analysis.budget import RULE as BUDGET
from fairway.domain.analysis.evidence import Assessment
from fairway.domain.analysis.planning.hindsight import hindsight
from fairway.domain.codec import to_json
from fairway.domain.errors import FairwayError, InvariantError, PermanentError, TransientError
from fairway.domain.rollout.decide import Done, Perform, Record, Wait, decide
from fairway.domain.rollout.events import (
    AttentionNeeded,
    Event,
    Extended,
    Held,
    Paused,
    Released,
    StepFailed,
    StepFinished,
)
from fairway.domain.rollout.plan import Plan
from fairway.domain.rollout.run import Run
from fairway.domain.rollout.steps import CheckHttp, Watch
from fairway.domain.rollout.watching import MOST_EXTENSIONS, end_of
from fairway.engine.attempt import LONGEST_RETRY, Attempt
from fairway.engine.checking import overdue
from fairway.engine.judge import READ_EVERY, Judge
from fairway.engine.perform import LOOK_AGAIN, Performance
from fairway.engine.world import Finished, Outcome, Pending, Refused, World
from fairway.ports.journal import AT_ONCE, Journal

#: Seconds until a run whose candidate has requests is looked at again after the journal could not be asked.
JUDGED_RETRY = 0.5


@dataclass(slots=True)
class Engine:
    """Advances runs. One engine a controller; its methods may be called from several threads for different runs.

    Attributes:
        journal: events in, state out.
        judge: keeps the analyses.
        world_of: the implementations that a plan acts through.
        clock: now, seconds since the epoch, UTC.
        executor: asks servers, which may take as long as they like to answer.
    """

    journal: Journal
    judge: Judge
    world_of: Callable[[Plan], World]
    clock: Callable[[], float]
    executor: Executor
    _epochs: dict[str, int] = field(default_factory=dict)
    _known: dict[str, Run] = field(default_factory=dict)
    _attempts: dict[str, Attempt] = field(default_factory=dict)

    def advance(self, run_id: str, epoch: int) -> float | None:
        """Brings a run forward until it must wait.

        Args:
            run_id: the run.
            epoch: fencing number of the lease under which this happens.

        Returns:
            Seconds after which to call again; None if there is nothing to do until somebody appends to the run, or if
            another controller holds it now.
        """
        if self._epochs.get(run_id) != epoch:
            self.forget(run_id)
            self._epochs[run_id] = epoch
        try:
            return self._advance(run_id, epoch)
        except TransientError as error:
            if error.code == "version-conflict":
                # From the beginning: a server that took over without the last events has an earlier version.
                self._known.pop(run_id, None)
                return 0.0
            known = self._known.get(run_id)
            return JUDGED_RETRY if known is None or known.judged else LONGEST_RETRY
        except PermanentError as error:
            if error.code != "stale-epoch":
                raise
            self.forget(run_id)
            return None

    def forget(self, run_id: str) -> None:
        """Drops what is kept in memory of a run: another controller may have gone on with it meanwhile."""
        self._epochs.pop(run_id, None)
        self._known.pop(run_id, None)
        self._attempts.pop(run_id, None)
        self.judge.forget(run_id)

    def _advance(self, run_id: str, epoch: int) -> float | None:
        self._known[run_id] = self.journal.load(run_id, known=self._known.get(run_id))
        while True:
            # What somebody else appends meanwhile is noticed at the next append, which is refused then.
            run, at = self._known[run_id], self.clock()
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
                        return self.judge.read_again(run.id)
                case Perform():
                    again = self._perform(run, epoch, at)
                    if again is not None:
                        return again

    def _append(self, run: Run, events: tuple[Event, ...], epoch: int) -> None:
        self._known[run.id] = self.journal.append(run, events, wake=AT_ONCE, epoch=epoch)

    def _world(self, run: Run) -> World:
        """What the run acts through: on the way back the router as it was, so that its addresses go back as well."""
        former = run.plan.former_router if run.track == "rollback" else None
        return self.world_of(run.plan if former is None else replace(run.plan, router=former))

    def _watch(self, run: Run, epoch: int, at: float) -> bool:
        """Reads the evidence of a run that waits for a person; True if that changed something."""
        world = self._world(run)
        events = _consequences(run, self.judge.read(run, world, epoch=epoch, at=at), at)
        if events:
            self._append(run, events, epoch)
        return bool(events)

    def _perform(self, run: Run, epoch: int, at: float) -> float | None:
        """Takes a turn at the current step; returns when to come again, None for at once."""
        attempt = self._attempts.get(run.id)
        if attempt is None or attempt.step != (run.track, run.cursor):
            attempt = self._attempts[run.id] = Attempt((run.track, run.cursor), at)
        attempt.resume(at)
        try:
            outcome = self._outcome(run, epoch, attempt)
        except FairwayError as error:
            if error.code == "stale-epoch" or _is_journal_away(error):
                raise
            attempt.fail()
            events = _trouble(run, error, attempt, at)
            attempt.pause = attempt.retry
        except Exception as error:
            fault = InvariantError("fault", f"{type(error).__name__}: {error}"[:500], "the controller's log has more")
            events = _trouble(run, fault, attempt, at)
            if events:
                self._append(run, events, epoch)
            raise
        else:
            attempt.succeed()
            events = _facts(run, outcome, at)
            attempt.pause = outcome.again if isinstance(outcome, Pending) else 0.0
        if events:
            self._append(run, events, epoch)
            return None
        if run.judged:
            attempt.pause = min(attempt.pause, self.judge.read_again(run.id))
        return attempt.pause

    def _outcome(self, run: Run, epoch: int, attempt: Attempt) -> Outcome:
        planned, at = run.current, attempt.last
        if planned is None:
            raise InvariantError("no-step", f"run {run.id} has no step at {run.cursor} to perform")
        world = self._world(run)
        if run.judged:
            assessment = self.judge.read(run, world, epoch=epoch, at=at)
            events = _consequences(run, assessment, at)
            if events:
                return Pending(0.0, events)
            if isinstance(planned.step, Watch):
                if self.judge.misses_instances(run.id, world):
                    Performance(run, world, epoch, at, attempt.spent).route_anew()
                return _end_watch(run, planned.step, assessment, at)
        performance = Performance(run, world, epoch, at, attempt.spent)
        if isinstance(planned.step, CheckHttp):
            outcome = self._ask(performance, planned.step, attempt)
        else:
            outcome = performance.perform(planned.step)
        if isinstance(outcome, Refused) and not run.ends_on_no:
            raise PermanentError(outcome.rule, outcome.reason)
        return outcome

    def _ask(self, performance: Performance, step: CheckHttp, attempt: Attempt) -> Outcome:
        """Asks beside the turns: a server that hangs delays neither the next reading nor a person's command."""
        if attempt.question is None:
            attempt.question = self.executor.submit(performance.perform, step)
        if attempt.question.done():
            question, attempt.question = attempt.question, None
            outcome: Outcome = question.result()
            return outcome
        if attempt.spent > step.timeout:
            return overdue(performance.run, step, performance.at)
        return Pending(LOOK_AGAIN)


def _facts(run: Run, outcome: Outcome, at: float) -> tuple[Event, ...]:
    """What there is to write down after a turn that brought an answer."""
    match outcome:
        case Pending(events=events):
            return events
        case Finished(detail, data, events):
            return (StepFinished(at, run.track, run.cursor, detail, data or {}), *events)
        case Refused(rule, reason):
            return (StepFailed(at, "forward", run.cursor, "failed", rule, reason),)


def _is_journal_away(error: FairwayError) -> bool:
    """Its evidence could not be written for now, which says nothing of a step, however long that lasts."""
    return isinstance(error, TransientError) and error.code.startswith("database-")


def _trouble(run: Run, error: FairwayError, attempt: Attempt, at: float) -> tuple[Event, ...]:
    """An error at a step: it is tried again; on the way there not for ever, and where there is no way back loudly."""
    ours = isinstance(error, InvariantError)
    if not (attempt.hopeless or ours or isinstance(error, PermanentError)):
        return ()
    asks = run.current is not None and isinstance(run.current.step, CheckHttp)
    if (run.returnable or (run.ends_on_no and asks)) and not ours:
        return (StepFailed(at, "forward", run.cursor, "errored", error.code, error.message),)
    if run.attention is not None:
        return ()
    return (AttentionNeeded(at, f"{error.message.rstrip('.')}; {error.hint}" if error.hint else error.message),)


def _consequences(run: Run, assessment: Assessment, at: float) -> tuple[Event, ...]:
    """The facts that follow from an assessment, whatever the step."""
    if assessment.decision == "roll-back":
        evidence = to_json(assessment)
        return (StepFailed(at, "forward", run.cursor, "failed", assessment.rule, assessment.sentence, evidence),)
    if assessment.decision == "hold" and run.held != assessment.rule:
        return (Held(at, assessment.rule, assessment.sentence),)
    if assessment.decision != "hold" and run.held is not None:
        return (Released(at),)
    if assessment.decision == "hold" and _needs_a_person(run, at):
        held = f"nothing could be judged for {at - run.held_since:.0f} s, and the rollout waits"
        return (AttentionNeeded(at, f"{held}: {run.held_reason}"),)
    return ()


def _needs_a_person(run: Run, at: float) -> bool:
    """A hold lasts for as long as a lack of data may, and nobody was told; of a budget people are told at once."""
    if run.attention is not None or run.paused is not None or run.held == BUDGET:
        return False
    return at - run.held_since >= run.plan.analysis.no_data


def _end_watch(run: Run, step: Watch, assessment: Assessment, at: float) -> Outcome:
    """Whether the watch is over, and what follows."""
    ending = end_of(step, assessment) if run.paused is None else None
    if ending is None:
        return Pending(inf)  # until the judge wants to read again
    policy, sentence = run.plan.analysis.inconclusive, ending.sentence
    if ending.answer == "inconclusive":
        seen = hindsight(run.plan.analysis, assessment.evidence, watched=assessment.watched)
        sentence = f"{sentence} {seen}".rstrip()
    if ending.answer == "passed" or policy == "promote":
        return Finished(sentence, {"evidence": to_json(assessment)})
    if policy == "rollback":
        return Refused("inconclusive", sentence)
    if policy == "extend" and run.extensions < MOST_EXTENSIONS:
        return Pending(READ_EVERY, (Extended(at, run.cursor, sentence),))
    return Pending(READ_EVERY, (Paused(at, "fairway", sentence),))
