"""Plans and runs to fill a journal with."""

from dataclasses import replace

from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.rollout.events import (
    ArtifactQuarantined,
    Event,
    RollbackStarted,
    RunEnded,
    RunStarted,
    StepFinished,
    StepStarted,
)
from fairway.domain.rollout.plan import Plan, PlannedStep
from fairway.domain.rollout.revision import Artifact, Revision, RunSpec
from fairway.domain.rollout.run import Run
from fairway.domain.rollout.spec import Adapter
from fairway.domain.rollout.steps import Promote, Shift, Watch
from fairway.ports.journal import Journal

#: When the samples begin, seconds since the epoch, UTC.
BEGIN = 1_700_000_000.0


def revision(version: str, environment: str = "production") -> Revision:
    """A revision of `shop`; the same version gives the same one."""
    digest = f"sha256:{version.replace('.', ''):0>64}"
    artifact = Artifact("shop", version, version.replace(".", "").ljust(40, "a"), digest, f"/artifacts/{version}")
    return Revision(f"r{version}", "shop", environment, artifact, RunSpec("serve --port {port}"))


def plan(
    version: str = "1.0.0", stable: Revision | None = None, environment: str = "production", *notify: Adapter
) -> Plan:
    """A plan of two steps, promote and observe, and a way back of one."""
    return Plan(
        kind="deploy",
        service="shop",
        environment=environment,
        candidate=revision(version, environment),
        stable=stable,
        instances=3,
        stable_instances=2 if stable is not None else 0,
        strategy="canary 10, 50, 100 %",
        forward=(
            PlannedStep("switch", Promote(), 0.0),
            PlannedStep("observe", Watch(60.0, 100.0, "observe"), 60.0),
        ),
        rollback=(PlannedStep("switch", Shift(0.0), 1.0),),
        commit=2,
        skipped=(("migrate", "nothing is configured"),),
        analysis=AnalysisPolicy(),
        target=Adapter("local"),
        router=Adapter("envoy", (("listen", "127.0.0.1:8000"),)),
        notify=notify,
    )


def started(wanted: Plan, at: float = BEGIN) -> RunStarted:
    """The first event of a run of the plan."""
    return RunStarted(at, "ann", "new prices", wanted)


def begin(store: Journal, run: str, wanted: Plan, at: float = BEGIN) -> Run:
    """A run that has begun."""
    assert store.start(run, started(wanted, at)) is None
    return store.load(run)


def promotion(at: float = BEGIN + 10) -> tuple[Event, ...]:
    """The candidate becomes live."""
    return StepStarted(at, "forward", 0), StepFinished(at, "forward", 0)


def completion(at: float = BEGIN + 70) -> tuple[Event, ...]:
    """The observation ends well, and with it the run."""
    ended = RunEnded(at, "completed", "1.0.0 is live in production")
    return StepStarted(at - 60, "forward", 1), StepFinished(at, "forward", 1), ended


def way_back(wanted: Plan, at: float = BEGIN + 20) -> tuple[Event, ...]:
    """The candidate is found bad and taken back."""
    return (
        RollbackStarted(at, "failed", "hard-lane", "7 of 9 requests failed"),
        ArtifactQuarantined(at, wanted.candidate.artifact.digest, "7 of 9 requests failed"),
        StepStarted(at, "rollback", 0),
        StepFinished(at + 1, "rollback", 0),
        RunEnded(at + 2, "rolled-back", "7 of 9 requests failed"),
    )


def deployed(store: Journal, run: str, wanted: Plan, at: float = BEGIN) -> Run:
    """A run that has gone through and made its candidate live."""
    run_state = begin(store, run, wanted, at)
    return store.append(run_state, (*promotion(at + 10), *completion(at + 70)), wake=None)


def scaled(wanted: Plan, instances: int) -> Plan:
    """A plan that gives the live revision another number of instances."""
    return replace(wanted, kind="scale", stable=None, instances=instances)
