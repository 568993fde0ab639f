"""A service and its revisions, as short as a test can say them; and what a plan does to counts and weights."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.same_age import baseline_share
from fairway.domain.rollout.compile import compile_deploy, compile_rollback, revision_of
from fairway.domain.rollout.events import Event, RunStarted, StepFinished, StepStarted
from fairway.domain.rollout.plan import Plan, PlannedStep
from fairway.domain.rollout.revision import Artifact, Health, Revision, RunSpec
from fairway.domain.rollout.run import Run, fold
from fairway.domain.rollout.spec import Adapter, EnvironmentSpec, HttpCheck, ServiceSpec, StageChecks
from fairway.domain.rollout.steps import AwaitReady, Scale, Shift
from fairway.domain.rollout.strategy import Strategy

BEGIN = 1_700_000_000.0

ENVIRONMENT = EnvironmentSpec(
    name="production",
    run=RunSpec("serve --port {port}", health=Health(ready="/ready", timeout=2.0), drain=1.0),
    target=Adapter("local"),
    router=Adapter("envoy"),
    instances=2,
    analysis=AnalysisPolicy(warmup=0.0, block=0.5),
    observe=1.0,
    stages={
        "migrate": StageChecks(commands=("migrate up",)),
        "verify": StageChecks(http=(HttpCheck("/"),)),
    },
)
SERVICE = ServiceSpec("shop", "/shop", (ENVIRONMENT,), notify=(Adapter("webhook"),))


def artifact(version: str) -> Artifact:
    return Artifact("shop", version, version.replace(".", "").ljust(40, "a"), f"sha256:{version:0>64}", f"/a/{version}")


def revision(version: str) -> Revision:
    return revision_of(SERVICE, ENVIRONMENT, artifact(version))


OLD, NEW = revision("1.0.0"), revision("1.1.0")


def deployment(strategy: Strategy, *, first: bool = False, stable_instances: int = 2, **changes: object) -> Plan:
    """The plan that introduces 1.1.0 where 1.0.0 is live, or nothing is."""
    return compile_deploy(
        SERVICE,
        replace(ENVIRONMENT, strategy=strategy, **changes),
        candidate=NEW,
        stable=None if first else OLD,
        stable_instances=0 if first else stable_instances,
    )


def scaling(wanted: int, *, present: int = 2) -> Plan:
    """The plan that gives 1.0.0 another number of instances."""
    environment = replace(ENVIRONMENT, instances=wanted)
    return compile_deploy(SERVICE, environment, candidate=OLD, stable=OLD, stable_instances=present)


def returning(**changes: object) -> Plan:
    """The plan that returns to 1.1.0 where 1.0.0 is live."""
    environment = replace(ENVIRONMENT, **changes)
    return compile_rollback(SERVICE, environment, target=NEW, live=OLD, live_instances=2)


def begun(plan: Plan, *events: Event, **changes: object) -> Run:
    """A run of the plan after these events."""
    return fold("run-1", (RunStarted(BEGIN, "ann", "new prices", plan, **changes), *events))


def done(plan: Plan, count: int, *, track: str = "forward") -> tuple[Event, ...]:
    """The events of the first steps of a track, each started and finished."""
    facts: list[Event] = []
    for index in range(count):
        facts += [StepStarted(BEGIN, track, index), StepFinished(BEGIN, track, index)]
    return tuple(facts)


def place(plan: Plan, kind: type, number: int = 0) -> int:
    """Where the plan's way there has its first, second, … step of that kind."""
    return [index for index, planned in enumerate(plan.forward) if isinstance(planned.step, kind)][number]


@dataclass
class Counts:
    """How many instances exist and are known to be ready, by role, and the candidate's weight."""

    wanted: dict[str, int] = field(default_factory=dict)
    ready: dict[str, int] = field(default_factory=dict)
    weight: float = 0.0

    @classmethod
    def before(cls, plan: Plan) -> "Counts":
        count = plan.stable_instances
        present = {"stable": count, "candidate": 0, "baseline": 0}
        return cls(dict(present), dict(present))

    @property
    def beside(self) -> float:
        """Share of the baseline while it has instances, in percent."""
        return baseline_share(self.weight) if self.wanted["baseline"] else 0.0

    def take(self, planned: PlannedStep) -> "Counts":
        """After one more step."""
        step = planned.step
        if isinstance(step, Scale):
            self.wanted[step.role] = step.count
            self.ready[step.role] = min(self.ready[step.role], step.count)
        elif isinstance(step, AwaitReady):
            self.ready[step.role] = step.count
        elif isinstance(step, Shift):
            self.weight = step.weight
        return self

    def take_all(self, steps: Iterable[PlannedStep]) -> "Counts":
        for planned in steps:
            self.take(planned)
        return self
