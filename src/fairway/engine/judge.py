"""Watching a candidate while it has requests: readings in, an assessment out, the evidence kept with the run.

The evidence of a run lives in memory between readings and in the journal for the next controller; it is saved every
second and before any verdict, so that a controller that dies loses no evidence but the resolution of its last second.
With hundreds of runs that would be more than a journal can write: more than `MOST_SAVES` are saved less often.
Those whose evidence speaks against the candidate have `MOST_SAVES` for themselves, so that they are saved every second
still.
"""

from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fairway.domain.analysis.analysis import Analysis
from fairway.domain.analysis.budget import BudgetWatch
from fairway.domain.analysis.evidence import Assessment
from fairway.domain.analysis.history import History
from fairway.domain.analysis.instances import InstanceHealth
from fairway.domain.analysis.latency import quantiles
from fairway.domain.analysis.pace import OFTEN, interval, is_suspected
from fairway.domain.analysis.pairing import RULE as BASELINE
from fairway.domain.analysis.pairing import Pairing
from fairway.domain.analysis.traffic import TrafficSnapshot
from fairway.domain.codec import to_json
from fairway.domain.errors import TransientError
from fairway.domain.rollout.run import Run
from fairway.domain.rollout.steps import Watch
from fairway.engine.earlier import look_back
from fairway.engine.meter import Meter
from fairway.engine.world import World
from fairway.ports.journal import Evidence

#: Seconds between two readings of the counters at full pace, between two looks at the instances, and between two saves.
READ_EVERY = OFTEN
LOOK_EVERY = 1.0
SAVE_EVERY = 1.0

#: So many runs are each saved every second, and so many suspected ones, however many others there are. Of more, each is
#: saved after this part of the square of how many times as many there are, in seconds: of two hundred every two, of a
#: thousand every fifty. The more it costs to judge them, the less is left for saves.
MOST_SAVES, QUIET = 100, 0.5

#: Seconds for which readings may wait for each other in which nothing happens, and where they are further apart.
PATIENCE, LONG_PATIENCE = 1.0, 10.0

#: What holds because candidate and stable are in trouble alike: the user's rules stand still as well.
SHARED = ("shared-incident", "objective-missed-by-both")

Position = tuple[int, float, int, int]


@dataclass(slots=True)
class _Watching:
    """What is known of one run between two readings."""

    analysis: Analysis
    position: Position | None
    history: History
    saved: float = float("-inf")
    looked: float = float("-inf")
    seen: float = float("-inf")
    said: Assessment | None = None
    look: "Future[tuple[InstanceHealth, ...]] | None" = None
    health: tuple[InstanceHealth, ...] = ()
    traffic: TrafficSnapshot | None = None
    once_ready: frozenset[str] = frozenset()
    meter: Meter | None = None
    compared: float = float("-inf")
    again: float = READ_EVERY

    def see(self, health: tuple[InstanceHealth, ...]) -> None:
        """Takes in a look at the instances; one that shows what the last one showed leaves that in its place."""
        self.seen = self.looked
        if health != self.health:
            self.health = health
            self.once_ready |= {one.instance for one in health if one.ready}


class Judge:
    """Keeps the analyses of the runs that one controller advances.

    Args:
        evidence: where analyses outlive the controller.
        executor: runs the looks at instances, which may take as long as an instance takes to answer.
        readers: runs the queries for the user's metrics; by default `executor` does.
    """

    def __init__(self, evidence: Evidence, executor: Executor, readers: Executor | None = None) -> None:
        self._evidence = evidence
        self._executor = executor
        self._readers = readers or executor
        self._runs: dict[str, _Watching] = {}
        self._suspected: set[str] = set()

    def read(self, run: Run, world: World, *, epoch: int, at: float) -> Assessment:
        """Takes one reading and assesses all evidence so far.

        Args:
            run: a run whose candidate has requests.
            world: what the run acts through.
            epoch: fencing number for saving the evidence.
            at: now, seconds since the epoch, UTC.
        """
        watching = self._runs.get(run.id) or self._resume(run, world)
        self._runs[run.id], watching.again = watching, READ_EVERY
        self._look(watching, run, world, at)
        try:
            watching.traffic = world.router.observe_traffic()
        except TransientError:
            watching.traffic = None
        counting = run.paused is None and not (watching.meter is not None and watching.meter.judgement.holds)
        seen = min(at, watching.seen)
        watching.analysis.observe(watching.traffic, watching.health, at=at, counting=counting, looked_at=seen)
        _enter(watching, run, at)
        suspected = is_suspected(watching.analysis)
        every = self._save_every(run.id, suspected=suspected)
        due, early = not 0.0 <= at - watching.saved < every, _may_end_early(run)
        # What is saved is as of now; in between it is good enough until the next save.
        watching.said = watching.analysis.assess(
            at=at, last=None if due else watching.said, good_for=every, promoting=early
        )
        assessment = _measure(watching, run, world, watching.said)
        if due or assessment.decision == "roll-back":
            self._save(watching, run, assessment, epoch=epoch, at=at)
        # Rules of the user's are asked, and answers of servers taken in, at readings.
        if watching.meter is None:
            watching.again = interval(watching.analysis, at=at, rollouts=len(self._runs), suspected=suspected)
            # A step that may end early must not end while requests begin to wait at the candidate.
            apart = watching.again > READ_EVERY and not early
            watching.analysis.patience = LONG_PATIENCE if apart else PATIENCE
        return assessment

    def read_again(self, run: str) -> float:
        """Seconds from the last reading of a run to the next; those of the full pace where it could not be read."""
        watching = self._runs.get(run)
        return READ_EVERY if watching is None else watching.again

    def misses_instances(self, run: str, world: World) -> bool:
        """Whether an instance that was seen ready gets no requests: one that took the place of another meanwhile.

        Answered once for each look at the instances.
        """
        watching = self._runs.get(run)
        if watching is None or watching.compared >= watching.seen:
            return False
        watching.compared = watching.seen
        routes = world.router.observe().routes
        ready = {(one.revision, one.instance) for one in watching.health if one.ready}
        backends = routes.backends if routes is not None else ()
        routed = {(one.revision, place.instance) for one in backends for place in (*one.endpoints, *one.draining)}
        return bool({found for found in ready - routed if found[0] in {one.revision for one in backends}})

    def forget(self, run: str) -> None:
        """Drops what is kept in memory of a run."""
        self._runs.pop(run, None)
        self._suspected.discard(run)

    def _save_every(self, run: str, *, suspected: bool) -> float:
        """Seconds between two saves of a run."""
        if suspected:
            self._suspected.add(run)
        else:
            self._suspected.discard(run)
        if suspected or len(self._runs) <= MOST_SAVES:
            return max(SAVE_EVERY, len(self._suspected) / MOST_SAVES)
        return max(SAVE_EVERY, QUIET * (len(self._runs) / MOST_SAVES) ** 2)

    def _resume(self, run: Run, world: World) -> _Watching:
        stored = self._evidence.load_evidence(run.id)
        history = History.restore(self._evidence.load_history(run.id))
        if stored is not None:
            once_ready = frozenset(stored.get("once_ready", ()))
            analysis, position = Analysis.from_json(stored["analysis"]), tuple(stored["position"])
            analysis.patience = PATIENCE
            meter = Meter.resume(run, stored.get("metrics"), self._readers)
            return _Watching(analysis, position, history, once_ready=once_ready, meter=meter)
        stable = run.plan.stable
        budget = BudgetWatch(run.plan.budget.failed_requests) if run.plan.budget is not None else None
        earlier = look_back(run, self._evidence, world.records)
        analysis = Analysis(
            run.plan.analysis,
            candidate=run.plan.candidate.id,
            stable=stable.id if stable else None,
            carried=earlier.carried,
            dispersion=earlier.dispersion,
            budget=budget,
            sticky=run.plan.sticky is not None,
            pairing=Pairing(run.plan.baseline.id) if run.plan.baseline is not None else None,
            patience=PATIENCE,
        )
        meter = Meter.resume(run, None, self._readers, carried=earlier.metrics)
        return _Watching(analysis, None, history, meter=meter)

    def _look(self, watching: _Watching, run: Run, world: World, at: float) -> None:
        """Looks at the instances beside the readings: one that hangs must not delay the next reading."""
        if watching.look is not None and watching.look.done():
            look, watching.look = watching.look, None
            with suppress(Exception):  # what could not be looked at is looked at again
                watching.see(look.result())
        # What the proxy ejected is looked at at once: did its process end?
        ejected = watching.analysis.ejected_at
        urgent = ejected is not None and watching.looked < ejected
        due = urgent or at - watching.looked >= LOOK_EVERY or at < watching.looked
        if watching.look is None and due:
            watching.looked = at
            watching.look = self._executor.submit(_observe_health, run, world, watching.once_ready)

    def _save(self, watching: _Watching, run: Run, assessment: Assessment, *, epoch: int, at: float) -> None:
        value: dict[str, Any] = {
            "analysis": watching.analysis.to_json(),
            "position": watching.position,
            "assessment": to_json(assessment),
            "traffic": _summarise(watching.traffic),
            "once_ready": sorted(watching.once_ready),
            "at": at,
        }
        if watching.meter is not None:
            value["metrics"] = watching.meter.judgement.to_json()
        history = watching.history.add(assessment, watching.traffic)
        self._evidence.save_evidence(run.id, value, epoch=epoch, history=history)
        watching.saved = at


def _measure(watching: _Watching, run: Run, world: World, assessment: Assessment) -> Assessment:
    """The assessment with what the user's own metrics add to it."""
    if watching.meter is None:
        return assessment
    shared = assessment.rule in SHARED
    # A baseline is as young as the candidate; while it is in trouble there is nothing to compare with.
    warm = watching.analysis.warm_left <= 0.0 or run.plan.baseline is not None
    counting = warm and not shared and assessment.rule != BASELINE
    watching.meter.read(run, world, watching.traffic, at=assessment.at, counting=counting, frozen=shared)
    return watching.meter.weigh(run, assessment)


def _enter(watching: _Watching, run: Run, at: float) -> None:
    """Another step, weight or number of instances, or a watch begun again, starts a new stretch of watching."""
    position = (run.cursor, run.weight, run.wanted[0], run.extended)
    if position == watching.position:
        return
    if watching.meter is not None:
        watching.meter.judgement.watch_again()
    if watching.position is not None and position[:3] == watching.position[:3]:
        watching.analysis.begin_again()
        watching.position = position
        return
    before = watching.position[2] if watching.position is not None else 0
    ahead = (planned.step.seconds for planned in run.steps[run.cursor :] if isinstance(planned.step, Watch))
    scaled_up = run.wanted[0] > before
    share, copies = (run.weight, False) if run.mirror is None else (run.mirror.share, True)
    watching.analysis.enter_step(share, at=at, scaled_up=scaled_up, bake=next(ahead, 0.0), copies=copies)
    watching.position = position


def _may_end_early(run: Run) -> bool:
    """What has been shown for the candidate may end the present step before its time."""
    step = run.current.step if run.current is not None else None
    return isinstance(step, Watch) and step.least is not None


def _summarise(traffic: TrafficSnapshot | None) -> dict[str, Any]:
    """What people see of the counters: attempts, failures, and latency in milliseconds, by revision."""
    shown = {}
    for seen in traffic.revisions if traffic is not None else ():
        found = quantiles(seen.latency, (0.5, 0.99))
        middle, tail = (None, None) if found is None else (round(one / 1000, 2) for one in found)
        shown[seen.revision] = {"finished": seen.finished, "failed": seen.failed, "p50": middle, "p99": tail}
    return shown


def _observe_health(run: Run, world: World, once_ready: frozenset[str]) -> tuple[InstanceHealth, ...]:
    """All revisions, so that what hits both is not blamed on the candidate; instances on their way out say nothing."""
    plan = run.plan
    revisions = [one.id for one in (plan.candidate, plan.stable, plan.baseline) if one is not None]
    seen = [instance for revision in revisions for instance in world.target.observe_instances(revision)]
    return tuple(
        InstanceHealth(
            instance=instance.id,
            revision=instance.revision,
            ready=instance.state == "ready",
            restarts=instance.restarts,
            crash_loop=instance.state == "crash-loop",
            was_ready=instance.state == "ready" or instance.id in once_ready,
            last_exit=instance.last_exit,
        )
        for instance in seen
        if instance.state != "stopping"
    )
