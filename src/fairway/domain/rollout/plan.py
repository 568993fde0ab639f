"""A plan: the forward and the rollback steps of one run, computed once and stored when the run starts."""

from dataclasses import dataclass
from typing import Literal

from fairway.domain.analysis.budget import Budget
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.recovery.steps import Recovery
from fairway.domain.rollout.revision import Revision
from fairway.domain.rollout.routes import Stickiness
from fairway.domain.rollout.spec import Adapter
from fairway.domain.rollout.steps import Step

Kind = Literal["deploy", "rollback", "scale", "restore"]

#: The eight stages of a deployment, in their order.
DEPLOY_STAGES = ("validate", "migrate", "prepare", "deploy", "check", "switch", "verify", "observe")
#: The six phases of a rollback after the commit point, in their order.
ROLLBACK_PHASES = ("validation", "backup", "database", "application", "verification", "notification")


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step with its place in the plan.

    Attributes:
        stage: one of the stages of the plan's kind.
        seconds: how long it is expected to take.
    """

    stage: str
    step: Step
    seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do.

    Attributes:
        kind: `deploy` introduces a release; `rollback` returns to an earlier one; `scale` changes how
            many instances of the live one run; `restore` gives the live one an earlier state of a database.
        candidate: the revision being introduced.
        stable: the live revision when the plan was made; None for the first deployment.
        baseline: fresh instances of the stable release that the candidate is compared with; None: it is compared with
            stable.
        instances: how many instances of the live revision the environment wants.
        stable_instances: how many stable had when the plan was made.
        strategy: the strategy in words.
        forward: the way there.
        rollback: the way back; re-asserts everything that the way there may have half done.
        commit: index into `forward` of the first step from which there is no way back but a new run.
        skipped: stages without a step, each with the reason.
        analysis: how the candidate is judged.
        budget: how many requests may fail on the candidate; None: as many as the analysis needs.
        notify: where messages about this run go.
        sticky: by what users are kept on one revision; None: each request is divided by itself.
        target, router: the implementations that this run acts through.
        former_router: what the way back acts through: the router as it was when stable became live; None: as `router`.
        recovery: what a restore restores; None for the other kinds.
    """

    kind: Kind
    service: str
    environment: str
    candidate: Revision
    stable: Revision | None
    instances: int
    stable_instances: int
    strategy: str
    forward: tuple[PlannedStep, ...]
    rollback: tuple[PlannedStep, ...]
    commit: int
    skipped: tuple[tuple[str, str], ...]
    analysis: AnalysisPolicy
    target: Adapter
    router: Adapter
    notify: tuple[Adapter, ...] = ()
    budget: Budget | None = None
    sticky: Stickiness | None = None
    former_router: Adapter | None = None
    baseline: Revision | None = None
    recovery: Recovery | None = None

    @property
    def keeps_live(self) -> bool:
        """The candidate is the live revision itself, and stays it however the run ends."""
        return self.kind in ("scale", "restore")

    @property
    def seconds(self) -> float:
        """How long the way there is expected to take."""
        return sum(step.seconds for step in self.forward)
