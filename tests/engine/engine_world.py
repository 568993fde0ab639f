"""A small world on a virtual clock: what outlives a controller, and the controllers that live and die in it."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from boundaries import Boundaries, Crash, Watched

from fairway.adapters.stores.sql import SqlStore
from fairway.domain.rollout.events import Event, RunEnded, RunStarted, StepFinished, StepStarted
from fairway.domain.rollout.plan import Plan, PlannedStep
from fairway.domain.rollout.revision import Revision
from fairway.domain.rollout.routes import Backend, Routes
from fairway.domain.rollout.run import Run
from fairway.domain.rollout.steps import Promote, Scale
from fairway.engine.advance import Engine
from fairway.engine.controller import Postman
from fairway.engine.judge import READ_EVERY, Judge
from fairway.engine.world import World
from fairway.ports.checks import CommandResult
from fairway.testing.checks import FakeChecker, FakeCommands, FakeProbe
from fairway.testing.router import FakeRouter
from fairway.testing.target import Behaviour, FakeTarget
from fairway.usecases.steer import Helm

E = TypeVar("E")

BEGIN = 1_700_000_000.0
#: Requests of users in a second.
RATE = 400.0
#: Seconds that a lease lasts, until somebody starts the next controller, and after which a run counts as stuck.
LEASE, DOWN, STUCK = 8.0, 9.0, 400.0


class AtOnce(Executor):
    """Runs what it is given in the caller's thread."""

    def submit(self, call, /, *args, **kwargs):
        future: Future[Any] = Future()
        try:
            future.set_result(call(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 -- whatever it was, the future holds it
            future.set_exception(error)
        return future


class Clock:
    """Time that passes only when told.

    Attributes:
        alarm: a time, and what to do then.
    """

    def __init__(self) -> None:
        self.now = BEGIN
        self.alarm: tuple[float, Callable[[], None]] | None = None

    def __call__(self) -> float:
        return self.now


class FakeArtifacts:
    """Every artifact is kept and unaltered."""

    def verify(self, digest: str) -> str | None:
        return None


class FakeNotifier:
    """Remembers what it was given, by key."""

    def __init__(self) -> None:
        self.received: dict[str, str] = {}

    def notify(self, key: str, message: Any) -> None:
        self.received.setdefault(key, message["event"])


@dataclass
class Street:
    """An environment with everything that outlives a controller: instances, proxy, users, commands, the receiver.

    Attributes:
        store: the journal; holds many environments, one a street.
        name: of the environment, and in the id of its run.
        failing: share of failed requests, by revision.
        rate: requests of users in a second.
        asking: runs the requests of checks.
        faults: what an observer saw that must never be.
    """

    plan: Plan
    store: SqlStore
    clock: Clock
    name: str
    failing: dict[str, float] = field(default_factory=dict)
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    rate: float = RATE
    boundaries: Boundaries = field(default_factory=Boundaries)
    commands: FakeCommands = field(default_factory=FakeCommands)
    notifier: FakeNotifier = field(default_factory=FakeNotifier)
    asking: Executor = field(default_factory=AtOnce)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.plan, self.failing = _moved(self.plan, self.name), dict(self.failing)
        self.id = f"run-{self.name}"
        self.target = FakeTarget(clock=self.clock)
        self.router = FakeRouter(clock=self.clock)
        self.helm = Helm(self.store, self.clock)
        self._due: Counter[str] = Counter()
        self._seen: Run | None = None
        for revision, behaviour in self.behaviours.items():
            self.target.behave(revision, behaviour)
        self.commands.results = {line: CommandResult(status, "said") for line, status in self.statuses.items()}
        self._settle()
        self.boundaries.look, self.boundaries.mark = self._look, self.mark

    @property
    def live(self) -> Revision | None:
        """What serves before the run."""
        return self.plan.candidate if self.plan.keeps_live else self.plan.stable

    def _settle(self) -> None:
        """The present revision was deployed by an earlier run and serves."""
        live = self.live
        if live is None:
            return
        count = settle(self.store, self.plan, self.name)
        self.target.ensure_instances(live, count, epoch=0)
        self.target.observe_instances(live.id)
        endpoints = tuple(one.endpoint for one in self.target.observe_instances(live.id))
        self.router.ensure_routes(Routes(live.id, None, 0.0, (Backend(live.id, endpoints),)), epoch=0)

    def world(self) -> World:
        watch = self.boundaries
        return World(
            target=Watched("target", self.target, watch),
            router=Watched("router", self.router, watch),
            artifacts=FakeArtifacts(),
            commands=Watched("commands", self.commands, watch),
            probe=FakeProbe(),
            records=self.store,
            checker=FakeChecker(),
        )

    def pass_time(self, seconds: float) -> None:
        """Users send requests all the while."""
        while seconds > 1e-9:
            part = min(0.25, seconds)
            seconds -= part
            self.clock.now += part
            self._serve(self.rate * part)
            if self.clock.alarm is not None and self.clock.now >= self.clock.alarm[0]:
                self.clock.alarm[1]()

    def _serve(self, requests: float) -> None:
        routes = self.router.observe().routes
        if routes is None:
            return
        back = self._count(routes.candidate, requests * routes.weight / 100.0)
        back += self._count(routes.baseline, requests * routes.baseline_weight / 100.0)
        self._count(routes.stable, requests * (100.0 - routes.weight - routes.baseline_weight) / 100.0)
        if routes.stable is not None and back:
            self.router.count(routes.stable, finished=back, retried=back)
        if routes.mirror is not None:
            self._count(routes.candidate, requests * routes.mirror.share / 100.0)
            self._count(routes.baseline, requests * routes.mirror.share / 100.0)

    def _count(self, revision: str | None, requests: float) -> int:
        """Adds whole requests, and the failed ones among them; returns how many failed."""
        if revision is None or requests <= 0.0:
            return 0
        self._due[revision] += requests
        finished = int(self._due[revision])
        self._due[revision] -= finished
        bad = f"{revision}!"
        self._due[bad] += finished * self.failing.get(revision, 0.0)
        failed = int(self._due[bad])
        self._due[bad] -= failed
        if finished:
            self.router.count(revision, finished=finished, failed=failed)
        return failed

    def mark(self) -> tuple[object, ...]:
        """Changes whenever the world does, other than by an effect or a write: time passes, instances are looked at."""
        return self.clock.now, tuple(self.target._observed.items()), tuple(self.commands.executions.items())

    def share(self) -> float:
        """Percent of the requests that the candidate gets."""
        routes = self.router.observe().routes
        if routes is None:
            return 0.0
        return 100.0 if routes.stable == self.plan.candidate.id else routes.weight

    def run(self) -> Run:
        self._seen = self.store.load(self.id, known=self._seen)
        return self._seen

    def _look(self, name: str) -> None:
        """What must be true at every instant."""
        if name == "after router.ensure_routes" and not self.plan.keeps_live:
            run = self.run()
            if self.share() > run.weight:
                self.faults.append(f"{self.share():g} % on the candidate, the plan allows {run.weight:g} %")
            routes = self.router.observe().routes
            if routes is not None and routes.mirror not in {None, run.mirror}:
                self.faults.append(f"copies go to the candidate, which the plan does not allow: {routes.mirror}")
            baseline = self.plan.baseline.id if self.plan.baseline is not None else None
            if routes is not None and (routes.baseline not in {None, baseline} or routes.stable == (baseline or "")):
                self.faults.append(f"the baseline serves as something else: {routes}")
        if self.live is None or name.startswith(("before", "after store", "after notifier")):
            return
        routes = self.router.observe().routes
        assert routes is not None
        present = {one.id for one in self.target._instances}
        for endpoint in (endpoint for backend in routes.backends for endpoint in backend.endpoints):
            if endpoint.instance not in present:
                self.faults.append(f"{name}: requests go to {endpoint.instance}, which is gone")
        serving = [routes.stable] if routes.weight < 100.0 else [routes.candidate]
        for revision in serving:
            if revision is None or not self._ready(revision, routes):
                self.faults.append(f"{name}: nobody serves, {routes}")

    def _ready(self, revision: str, routes: Routes) -> bool:
        backend = next(one for one in routes.backends if one.revision == revision)
        routed = {endpoint.instance for endpoint in backend.endpoints}
        ready = [one.id for one in self.target._instances if one.revision == revision and one.state == "ready"]
        return bool(routed.intersection(ready))

    def picture(self) -> dict[str, Any]:
        """The world as it is, to be compared."""
        state = self.store.environment(self.plan.service, self.plan.environment)
        instances = {
            revision: [one.id for one in self.target._instances if one.revision == revision]
            for revision in self.target.list_revisions()
        }
        rejected = [
            revision.version
            for revision in (self.plan.candidate, self.plan.stable)
            if revision is not None and self.store.quarantine(revision.artifact.digest) is not None
        ]
        return {
            "routes": self.router.observe().routes,
            "instances": instances,
            "live": state.live.id if state.live else None,
            "wanted": state.instances,
            "under way": state.run,
            "rejected": rejected,
            "messages": list(self.notifier.received.values()),
            "commands": dict(self.commands.executions),
        }


def _moved(plan: Plan, name: str) -> Plan:
    """The plan in an environment of its own, with artifacts of its own: a rejected one is rejected everywhere."""

    def own(revision: Revision) -> Revision:
        return replace(revision, artifact=replace(revision.artifact, digest=f"{revision.artifact.digest}-{name}"))

    stable = own(plan.stable) if plan.stable is not None else None
    baseline = own(plan.baseline) if plan.baseline is not None else None
    return replace(plan, environment=name, candidate=own(plan.candidate), stable=stable, baseline=baseline)


class Controller:
    """One life of a controller, without threads: takes the lease and drives the run."""

    def __init__(self, street: Street, holder: str) -> None:
        self.street, self.holder = street, holder
        self.store = Watched("store", street.store, street.boundaries)
        judge = Judge(self.store, AtOnce())
        self.engine = Engine(self.store, judge, lambda plan: street.world(), street.clock, street.asking)
        notifier = Watched("notifier", street.notifier, street.boundaries)
        self.errors: list[BaseException] = []
        self.postman = Postman(self.store, lambda receiver: notifier, street.clock, self._report, AtOnce())

    def _report(self, what: str, error: BaseException) -> None:
        self.errors.append(error)

    def claim(self) -> int | None:
        """Takes the run over and returns the fencing number; None if it is not due."""
        claims = self.store.claim(self.holder, now=self.street.clock(), ttl=LEASE, limit=9)
        return next((claim.epoch for claim in claims if claim.run == self.street.id), None)

    def drive(self, act: Callable[[Street], bool]) -> None:
        """Takes the run over and advances it to its end.

        Args:
            act: called when the run waits for a person; False if nothing was done about it.
        """
        street, begun = self.street, self.street.clock()
        epoch = self.claim()
        while True:
            again = None if epoch is None else self.engine.advance(street.id, epoch)
            if again is None:
                self.deliver()
                if street.run().outcome is not None:
                    return
                assert act(street), f"waits in vain at {street.run().phase}: {street.run().current}"
                epoch = self.claim() if epoch is None else epoch
            else:
                street.pass_time(again)
            assert street.clock() - begun < STUCK, f"no end at {street.run().phase}: {street.run().current}"

    def deliver(self) -> None:
        """Empties the outbox."""
        while self.street.store.list_due(now=self.street.clock(), limit=1):
            self.postman.turn()


def begin(street: Street) -> None:
    """What the command line does: it starts the run, and is typed again if it died."""
    store = Watched("store", street.store, street.boundaries)
    event = RunStarted(street.clock(), "ann", "new prices", street.plan)
    try:
        store.start(street.id, event)
    except Crash:
        store.start(street.id, event)


def approve(street: Street) -> bool:
    """The next person that is waited for."""
    if street.run().phase != "waiting-approval":
        return False
    street.helm.approve_run(street.id, actor=f"person {len(street.run().approvals) + 1}")
    return True


def live_through(street: Street, act: Callable[[Street], bool] = approve, *, down: float = DOWN) -> Run:
    """Begins the run and drives it to its end, by a new controller each time one dies.

    Args:
        act: the person that the run waits for.
        down: seconds until the next controller.
    """
    if not street.store.list_events(street.id):
        begin(street)
    for number in range(9):
        try:
            Controller(street, f"life-{number}").drive(act)
        except Crash:
            street.pass_time(down)
        else:
            return street.run()
    raise AssertionError("died too often")


def drive_until(controller: Controller, condition: Callable[[], bool], *, seconds: float = 60.0) -> Run:
    """Advances the run until something is so."""
    street = controller.street
    epoch, deadline = controller.claim(), street.clock() + seconds
    assert epoch is not None
    while not condition():
        again = controller.engine.advance(street.id, epoch)
        street.pass_time(READ_EVERY if again is None else again)
        assert street.clock() < deadline, f"not within {seconds:g} s, at {street.run().phase}: {street.run().current}"
    return street.run()


def facts(street: Street, kind: type[E]) -> list[E]:
    """The run's events of one kind."""
    return [event for event in street.store.list_events(street.id) if isinstance(event, kind)]


def break_while(street: Street, call: str, error: Exception, condition: Callable[[], bool] = lambda: True) -> None:
    """Lets a call fail as long as something is so."""
    street.boundaries.broken[call] = lambda: error if condition() else None


def settle(store: SqlStore, plan: Plan, name: str) -> int:
    """Writes down that the plan's present revision is live; returns with how many instances."""
    live = plan.candidate if plan.keeps_live else plan.stable
    assert live is not None
    count = plan.stable_instances or next(one.step.count for one in plan.rollback if isinstance(one.step, Scale))
    step = PlannedStep("verify", Promote(), 0.1)
    changes = {"kind": "deploy", "candidate": live, "stable": None, "instances": count, "stable_instances": 0}
    earlier = replace(plan, forward=(step,), commit=1, notify=(), **changes)
    at = BEGIN - 3600.0
    store.start(f"settled-{name}", RunStarted(at, "ann", "", earlier))
    facts: tuple[Event, ...] = (
        StepStarted(at, "forward", 0),
        StepFinished(at, "forward", 0),
        RunEnded(at, "completed", "live"),
    )
    store.append(store.load(f"settled-{name}"), facts, wake=None)
    return count
