"""The whole analysis of many rollouts, through the judge that the controller runs: see `analysis_cost`.

One judge holds all rollouts and gives each a reading when it asks for one, as the engine does: counters, four instances
that are well, a step of five minutes at 10 %. Rollouts begin one after the other, so that their blocks and saves do not
fall together; all of them see the same counters. What is measured is the processor time of that thread.

What the judge asks of others is answered at once and is not in it: the router's counters are read already, instances
were looked at, and nobody writes what is saved.
"""

import gc
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from typing import Any, ParamSpec, TypeVar

from fairway.domain.analysis.history import UNCHANGED, HistoryChange
from fairway.domain.analysis.pace import FRESH
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.traffic import TrafficSnapshot
from fairway.domain.rollout.plan import PlannedStep
from fairway.domain.rollout.run import Run, start
from fairway.domain.rollout.steps import Watch
from fairway.engine.judge import READ_EVERY, Judge
from fairway.engine.world import World
from fairway.ports.journal import Records
from fairway.testing.artifacts import FakeArtifacts, FakeSource
from fairway.testing.checks import FakeChecker, FakeCommands, FakeProbe
from fairway.testing.journal_samples import BEGIN, plan, revision, started
from fairway.testing.router import FakeRouter
from fairway.testing.target import FakeTarget

P = ParamSpec("P")
T = TypeVar("T")

STEP = 300.0
"""Seconds of the step: blocks have their ten seconds."""

STRETCH = 10.0
"""Seconds within which the rollouts begin. The warm-up is as long."""

MEASURED = 100.0
"""Seconds for which they are measured once the warm-up of all is over: ten blocks of each lane, two saves."""

GROUP = 50
"""Rollouts that are measured together."""

YOUNG, OLD = FRESH / STEP, 1.0 - FRESH / STEP
"""Parts of a step: its beginning, at full pace, and the rest."""


class _Nobody(Executor):
    """Looks once, and answers every later question with what was seen then."""

    def __init__(self) -> None:
        self._seen: Future[Any] | None = None

    def submit(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """See `Executor`."""
        if self._seen is None:
            self._seen = Future()
            self._seen.set_result(call(*args, **kwargs))
        return self._seen


class _Unwritten:
    """Evidence that was put together to be saved, and is not; nothing was saved before."""

    def load_evidence(self, _run: str) -> None:
        """See `Evidence`."""

    def load_history(self, _run: str) -> tuple[tuple[int, dict[str, Any]], ...]:
        """See `Evidence`."""
        return ()

    def save_evidence(
        self, run: str, value: Mapping[str, Any], *, epoch: int, history: HistoryChange = UNCHANGED
    ) -> None:
        """See `Evidence`."""


class _Counted(FakeRouter):
    """A router whose counters were read already."""

    now: TrafficSnapshot

    def observe_traffic(self) -> TrafficSnapshot:
        """See `Router`."""
        return self.now


@dataclass(slots=True)
class Measured:
    """Processor time, in seconds, by groups of rollouts.

    Attributes:
        young: of each reading of the first seconds of its step.
        old: of each reading later on.
        readings: how many of single rollouts those were, of `old`.
    """

    young: list[float] = field(default_factory=list)
    old: list[float] = field(default_factory=list)
    readings: int = 0


def seconds_of_readings(
    policy: AnalysisPolicy, snapshots: list[TrafficSnapshot], *, rollouts: int, records: Records
) -> Measured:
    """Lets the rollouts run and measures them; another time exactly the same is done.

    Args:
        policy: of all of them.
        snapshots: four a second, of the revisions `c` and `s`.
        rollouts: how many.
        records: of a journal that holds nothing.
    """
    run, router, target = _run(replace(policy, warmup=STRETCH)), _Counted(), FakeTarget()
    for one in (run.plan.candidate, run.plan.stable):
        if one is not None:
            target.ensure_instances(one, 2, epoch=1)
            target.observe_instances(one.id)
    world = World(
        target, router, FakeArtifacts("shop", FakeSource()), FakeCommands(), FakeProbe(), records, FakeChecker()
    )
    runs = [replace(run, id=f"run-{number}") for number in range(rollouts)]
    groups = [runs[place : place + GROUP] for place in range(0, rollouts, GROUP)]
    judge, measured = Judge(_Unwritten(), _Nobody()), Measured()
    due = dict.fromkeys((one.id for one in runs), 0.0)
    # As the controller does when it has started.
    gc.collect()
    gc.freeze()
    for tick, snapshot in enumerate(snapshots):
        router.now, elapsed = _named(snapshot, run), tick * READ_EVERY
        for number, group in enumerate(groups):
            begun = number * STRETCH / len(groups)
            wanted = [one for one in group if due[one.id] <= elapsed] if elapsed >= begun else []
            seconds = _read(judge, wanted, world, snapshot.at)
            due.update((one.id, elapsed + judge.read_again(one.id)) for one in wanted)
            if elapsed - begun < FRESH:
                measured.young.append(seconds)
            elif elapsed >= 2.0 * STRETCH:
                measured.old.append(seconds)
                measured.readings += len(wanted)
    gc.unfreeze()
    return measured


def _read(judge: Judge, runs: list[Run], world: World, at: float) -> float:
    """Seconds of processor time for one reading of each."""
    begun = time.thread_time()
    for run in runs:
        judge.read(run, world, epoch=1, at=at)
    return time.thread_time() - begun


def _run(policy: AnalysisPolicy) -> Run:
    """A rollout that has just given the candidate its share."""
    watched = PlannedStep("bake at 10 %", Watch(STEP, 10.0, "bake"), STEP)
    wanted = plan("1.1.0", revision("1.0.0"))
    wanted = replace(wanted, analysis=policy, forward=(watched, *wanted.forward), commit=3)
    return replace(start("run", started(wanted, BEGIN)), weight=10.0, wanted=(2, 2))


def _named(snapshot: TrafficSnapshot, run: Run) -> TrafficSnapshot:
    """The snapshot with the names of the run's revisions."""
    stable = run.plan.stable
    names = {"c": run.plan.candidate.id, "s": stable.id if stable is not None else ""}
    return replace(snapshot, revisions=tuple(replace(one, revision=names[one.revision]) for one in snapshot.revisions))
