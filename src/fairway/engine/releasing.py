"""The loop of releases: load, decide, have tasks done beside each other, write down what happened, until it must rest.

The same discipline as for rollouts: an event is appended before the first effect of a task and after the last, under
the version that was read and the fencing number of the lease; a task that was under way when its process died is done
again, and looks first at what is there.
"""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field

from fairway.domain.errors import AmbiguousError, FairwayError, PermanentError, TransientError
from fairway.domain.pipeline.decide import Record, Rest, Work, decide
from fairway.domain.pipeline.events import ReleaseEvent, TaskFailed, TaskFinished, TaskStarted
from fairway.domain.pipeline.plan import Task
from fairway.domain.pipeline.release import Release
from fairway.engine.attempt import FIRST_RETRY, LONGEST_RETRY
from fairway.engine.pipeline import LOOK_AGAIN, Bench, Done, NotYet, Outcome, Refused, TaskPerformance

#: Seconds between two looks at the tasks under way.
POLL = 0.05


@dataclass(slots=True)
class _Flight:
    """A task under way in this process.

    Attributes:
        future: the try that runs; None between two.
        again: when the next one begins, seconds since the epoch, UTC.
        tries: errors in a row.
        troubled: when the first of them was.
    """

    future: "Future[Outcome] | None" = None
    again: float = 0.0
    tries: int = 0
    troubled: float = 0.0


@dataclass(slots=True)
class Releaser:
    """Carries releases on. Called from one thread; tasks run in those of the executor.

    Attributes:
        bench: what the tasks act through.
        clock: now, seconds since the epoch, UTC.
        waits: called with a task's id and what it waits for, at each look.
    """

    bench: Bench
    clock: Callable[[], float]
    executor: Executor
    waits: Callable[[str, str], None] = lambda _task, _why: None
    _known: dict[str, Release] = field(default_factory=dict)
    _flights: dict[tuple[str, str], _Flight] = field(default_factory=dict)

    def advance(self, release_id: str, epoch: int) -> float | None:
        """Brings a release forward as far as that goes without waiting.

        Args:
            release_id: the release.
            epoch: fencing number of the lease under which this happens.

        Returns:
            Seconds after which to call again; None if there is nothing to do until a person acts.

        Raises:
            PermanentError: code `stale-epoch`: somebody else carries it on.
        """
        journal = self.bench.journal
        self._known[release_id] = journal.load_release(release_id, known=self._known.get(release_id))
        while True:
            release = self._known[release_id]
            match decide(release, self.clock()):
                case Rest():
                    self._known.pop(release_id)
                    return None
                case Record(event):
                    self._append(release, (event,), epoch)
                case Work(tasks):
                    events = self._work(release, tasks)
                    if not events:
                        return POLL
                    self._append(release, events, epoch)

    def _append(self, release: Release, events: tuple[ReleaseEvent, ...], epoch: int) -> None:
        self._known[release.id] = self.bench.journal.append_release(release, events, epoch=epoch)

    def _work(self, release: Release, tasks: tuple[Task, ...]) -> tuple[ReleaseEvent, ...]:
        """Starts what may start, and says what happened since the last look."""
        at = self.clock()
        for task in tasks:
            flight = self._flights.get((release.id, task.id))
            if flight is not None and flight.future is not None and flight.future.done():
                event = self._land(release, task, flight, at)
                if event is not None:
                    del self._flights[release.id, task.id]
                    return (event,)
        flying = sum(key[0] == release.id for key in self._flights)
        for task in tasks[: release.plan.parallel]:
            flight = self._flights.get((release.id, task.id))
            if flight is None and flying < release.plan.parallel:
                # Recorded first: from here on its effects may follow at any moment.
                self._flights[release.id, task.id] = _Flight()
                return (TaskStarted(at, task.id),)
            if flight is not None and flight.future is None and flight.again <= at:
                performance = TaskPerformance(release, self.bench, self.clock)
                flight.future = self.executor.submit(performance.perform, task)
        return ()

    def _land(self, release: Release, task: Task, flight: _Flight, at: float) -> ReleaseEvent | None:
        """What a try has come to; None: it will be tried or asked again."""
        future, flight.future = flight.future, None
        error = None if future is None else future.exception()
        if future is None or error is not None:
            return self._trouble(release, task, flight, at, error)
        match future.result():
            case Done(detail, products, data):
                return TaskFinished(at, task.id, detail, products, data)
            case Refused(rule, reason, hint):
                return TaskFailed(at, task.id, "failed", rule, reason, hint)
            case NotYet(why):
                flight.tries, flight.again = 0, at + LOOK_AGAIN
                self.waits(task.id, why)
        return None

    def _trouble(
        self, release: Release, task: Task, flight: _Flight, at: float, error: BaseException | None
    ) -> ReleaseEvent | None:
        """An error that may pass is waited out; what was sent without an answer is looked at by the next try."""
        if isinstance(error, PermanentError) and error.code == "stale-epoch":
            raise error
        if isinstance(error, TransientError | AmbiguousError):
            flight.troubled = at if flight.tries == 0 else flight.troubled
            flight.tries += 1
            flight.again = at + min(FIRST_RETRY * 2.0 ** min(flight.tries, 10), LONGEST_RETRY)
            if at - flight.troubled < release.plan.patience:
                self.waits(task.id, f"tries again: {error.message}")
                return None
        if isinstance(error, FairwayError):
            return TaskFailed(at, task.id, "errored", error.code, error.message, error.hint)
        if error is not None and not isinstance(error, Exception):
            raise error
        return TaskFailed(at, task.id, "errored", "fault", f"{type(error).__name__}: {error}"[:500], "a fault of ours")
