"""What the user configured, as frozen values in the words of the domain. Made by `fairway.config`, read by everyone."""

from dataclasses import dataclass, field
from typing import Any, Literal

from fairway.domain.analysis.budget import Budget
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.branching.policy import BranchPolicy
from fairway.domain.cadence.policy import CadencePolicy
from fairway.domain.provenance.trust import TrustPolicy
from fairway.domain.recovery.spec import DatabaseSpec
from fairway.domain.rollout.revision import RunSpec
from fairway.domain.rollout.strategy import Rolling, Strategy
from fairway.domain.validation.checks import HttpCheck, Suite

Demand = Literal["load", "benchmark"]


@dataclass(frozen=True, slots=True)
class StageChecks:
    """What the user wants to have done in one stage, besides what Fairway does by itself.

    Attributes:
        commands: argument lines run in the artifact's folder; may be run again after a crash. They see `FAIRWAY_URL`,
            `FAIRWAY_ENVIRONMENT`, `FAIRWAY_VERSION`, `FAIRWAY_COMMIT` and the environment's variables.
        http: requests to the candidate's own address (stage check) or to the users' address (stage verify).
        timeout: seconds for each command and for all requests together.
    """

    commands: tuple[str, ...] = ()
    http: tuple[HttpCheck, ...] = ()
    timeout: float = 300.0


@dataclass(frozen=True, slots=True)
class Adapter:
    """A named implementation of a port, with its own settings, as written."""

    kind: str
    settings: tuple[tuple[str, Any], ...] = ()

    def get(self, name: str, default: Any = None) -> Any:
        """The setting of that name."""
        return dict(self.settings).get(name, default)


@dataclass(frozen=True, slots=True)
class EnvironmentSpec:
    """One environment.

    Attributes:
        after: the environment in which a release must be live before it may come here; None: no order.
        instances: how many instances of the stable revision run.
        budget: how many requests may fail on a candidate in one rollout; None: as many as the analysis needs.
        observe: seconds to watch after the promotion while the old revision stays warm.
        approvals: how many different people must approve before requests move.
        demands: what a release must have shown before: that it kept its limits under load, that it is no slower.
        stages: the user's own work by stage name: validate, migrate, check, verify.
        rollback_scripts: database scripts prepared for a rollback; shown, never run.
        signed: who must have signed what is deployed here; None: nobody.
        passed: tasks of a release that the artifact must have passed.
        suite: the checks of the running service.
        databases: what is backed up and restored, in the order written.
    """

    name: str
    run: RunSpec
    target: Adapter
    router: Adapter
    instances: int = 1
    strategy: Strategy = field(default_factory=Rolling)
    analysis: AnalysisPolicy = field(default_factory=AnalysisPolicy)
    observe: float = 0.0
    approvals: int = 0
    after: str | None = None
    stages: dict[str, StageChecks] = field(default_factory=dict)
    rollback_scripts: tuple[str, ...] = ()
    budget: Budget | None = None
    demands: tuple[Demand, ...] = ()
    suite: Suite = field(default_factory=Suite)
    signed: TrustPolicy | None = None
    passed: tuple[str, ...] = ()
    databases: tuple[DatabaseSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One service: `fairway.yaml` as a value.

    Attributes:
        folder: absolute folder of the configuration file: the repository.
        build_steps: argument lines run in a clean checkout.
        build_timeout: seconds for all of them together.
        artifact_path: folder of an artifact built elsewhere, in place of a build; None: build from the commit.
        environments: in the order written.
        notify: where messages go.
        database: URL of the journal's database; None: SQLite in `.fairway/`.
        branches: which branch may release what, to where; None: any.
        cadence: when releases and deployments may begin; None: at any time.
    """

    service: str
    folder: str
    environments: tuple[EnvironmentSpec, ...]
    build_steps: tuple[str, ...] = ()
    build_timeout: float = 1800.0
    artifact_path: str | None = None
    notify: tuple[Adapter, ...] = ()
    database: str | None = None
    branches: BranchPolicy | None = None
    cadence: CadencePolicy | None = None
