"""A person's hand on a run under way: pause, resume, promote, approve, abort. Each appends one fact."""

from collections.abc import Callable
from dataclasses import dataclass

from fairway.domain.errors import TransientError
from fairway.domain.rollout.events import AbortRequested, Advanced, Approved, Event, Paused, Resumed
from fairway.domain.rollout.restoring import way_back
from fairway.domain.rollout.run import Run
from fairway.domain.rollout.steps import AwaitApprovals, Watch
from fairway.ports.journal import AT_ONCE, Journal
from fairway.usecases.answers import Declined
from fairway.usecases.reasons import as_reason

#: How often a command is tried again when the controller appends at the same moment.
TRIES = 50


@dataclass(frozen=True, slots=True)
class Helm:
    """Steers runs.

    Attributes:
        clock: now, seconds since the epoch, UTC.
    """

    journal: Journal
    clock: Callable[[], float]

    def pause_run(self, run: str, *, actor: str, reason: str) -> Run | Declined:
        """Stops progress; the candidate keeps its weight and is still judged. Again: nothing changes."""
        why = as_reason(reason)

        def pause(state: Run, at: float) -> Event | Declined | None:
            if state.track == "rollback":
                return Declined(
                    "going-back", f"run {run} is on its way back; that cannot be paused", "wait for its end"
                )
            return None if state.paused is not None else Paused(at, actor, why or f"paused by {actor}")

        return self._append(run, pause)

    def resume_run(self, run: str, *, actor: str) -> Run | Declined:
        """Lets progress go on; a watch that had no answer begins again. Again: nothing changes."""
        return self._append(run, lambda state, at: Resumed(at, actor) if state.paused is not None else None)

    def promote_run(self, run: str, *, actor: str) -> Run | Declined:
        """Skips the rest of the watch under way, or the pause before a step."""

        def promote(state: Run, at: float) -> Event | Declined:
            planned = state.current
            if state.track == "forward" and (state.failure is not None or state.abort is not None):
                # Decided, though not begun: the skipped step may be the last one before the commit point.
                return Declined("going-back", f"run {run} is about to go back", "wait for its end")
            if state.track == "forward" and planned is not None:
                if isinstance(planned.step, Watch):
                    return Advanced(at, actor, state.cursor)
                if isinstance(planned.step, AwaitApprovals):
                    return Declined("needs-approval", f"run {run} waits for approvals", f"fairway approve {run}")
                if state.paused is not None:
                    return Resumed(at, actor)
            doing = planned.step.title if planned is not None else "its end"
            return Declined("nothing-to-skip", f"run {run} is not waiting: it is at {doing!r}", f"fairway watch {run}")

        return self._append(run, promote)

    def approve_run(self, run: str, *, actor: str) -> Run | Declined:
        """Approves; may come before the run asks for it. Again by the same person: nothing changes."""

        def approve(state: Run, at: float) -> Event | Declined | None:
            if not any(isinstance(planned.step, AwaitApprovals) for planned in state.plan.forward):
                hint = "set gates.approvals on the environment to ask for some"
                return Declined("no-gate", f"run {run} asks for no approval", hint)
            return None if actor in state.approvals else Approved(at, actor)

        return self._append(run, approve)

    def abort_run(self, run: str, *, actor: str, reason: str) -> Run | Declined:
        """Asks for the way back. Again: nothing changes."""
        why = as_reason(reason)

        def abort(state: Run, at: float) -> Event | Declined | None:
            if state.committed:
                hint = f"fairway rollback --env {state.plan.environment} starts a run that returns"
                if state.saved:
                    hint = f"when it has ended: {way_back(state.plan, state.saved)}"
                return Declined("committed", f"run {run} is past its commit point", hint)
            done = state.abort is not None or state.track == "rollback"
            return None if done else AbortRequested(at, actor, why or "no reason given")

        return self._append(run, abort)

    def _append(self, run: str, fact: "Callable[[Run, float], Event | Declined | None]") -> Run | Declined:
        for tries in range(1, TRIES + 1):
            state = self.journal.load(run)
            if state.outcome is not None:
                return Declined("ended", f"run {run} has ended: {state.outcome}", "fairway history shows what followed")
            at = self.clock()
            event = fact(state, at)
            if event is None:
                return state
            if isinstance(event, Declined):
                return event
            try:
                return self.journal.append(state, (event,), wake=AT_ONCE)
            except TransientError as error:
                if error.code != "version-conflict" or tries == TRIES:
                    raise
        raise AssertionError("unreachable")
