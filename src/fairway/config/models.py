"""What `fairway.yaml` may hold, section by section. Descriptions and examples are the reference and the JSON Schema.

Here stand types, ranges and defaults. What concerns more than one key is in `rules`; what the sections become is in
`translate`.
"""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from fairway.config.analysis import AnalysisSection, BudgetSection
from fairway.config.bench import BenchSection, IndicatorsSection
from fairway.config.branches import AnyBranches
from fairway.config.cadence import CadenceSection
from fairway.config.databases import Databases
from fairway.config.release import ReleaseSection, SignedSection
from fairway.config.secrets import Secrets
from fairway.config.section import AdapterSection, AnyAdapter, Section
from fairway.config.stages import StagesSection
from fairway.config.strategy import RollingSection, StrategySection
from fairway.config.types import (
    Command,
    DatabaseUrl,
    Duration,
    FilePath,
    HttpPath,
    Name,
    PositiveDuration,
    RunCommand,
    Variables,
    bare_word,
)
from fairway.config.validation import ValidationSection
from fairway.config.versioning import VersioningSection


class HealthSection(Section):
    """How a running instance shows that it can serve."""

    ready: HttpPath | None = Field(
        default=None,
        description="Path whose 2xx answer means that the instance is ready. By default a connection is enough.",
        examples=["/health/ready"],
    )
    live: HttpPath | None = Field(
        default=None,
        description="Path whose repeated failure restarts the instance. By default only the process itself is watched.",
        examples=["/health/live"],
    )
    ready_body: str | None = Field(
        default=None,
        description="Text that the answer of `ready` must contain.",
        examples=['"status": "ok"'],
        min_length=1,
    )
    timeout: PositiveDuration = Field(
        default=30.0, description="Time from the start until an instance must be ready.", examples=["30s"]
    )


class RunSection(Section):
    """How one instance is started and stopped."""

    command: RunCommand = Field(
        description="Argument line, split like a shell would, but no shell runs. `{port}` and `{host}` are replaced, "
        "or in their place `{socket}`, the path of a Unix socket to listen on.",
        examples=[".venv/bin/granian --interface asgi --port {port} shop:app"],
    )
    health: HealthSection = Field(default=HealthSection(), description="How readiness and liveness show.")
    drain: Duration = Field(
        default=10.0,
        description="Time that requests under way get to finish once no new ones arrive.",
        examples=["10s"],
    )
    grace: Duration = Field(default=10.0, description="Time between SIGTERM and SIGKILL.", examples=["10s"])
    variables: Variables = Field(
        default_factory=dict,
        description="Environment variables of the process. It inherits nothing but PATH, HOME, LANG and TZ.",
        examples=[{"LOG_LEVEL": "info"}],
    )


class BuildSection(Section):
    """How an artifact is made from a clean checkout."""

    steps: list[Command] = Field(
        default_factory=list,
        description="Argument lines run one after the other in the checkout, without a shell. May be empty.",
        examples=[["python3 -m venv .venv", ".venv/bin/pip install -r requirements.txt"]],
    )
    timeout: PositiveDuration = Field(default=1800.0, description="Time for all steps together.", examples=["30m"])


class ArtifactSection(Section):
    """An artifact that was built elsewhere, in place of a build."""

    path: FilePath = Field(description="Folder of the artifact, absolute or beside this file.", examples=["dist/site"])


class GatesSection(Section):
    """What must be met before requests move."""

    approvals: int = Field(default=0, description="How many different people must approve.", examples=[1], ge=0, le=20)
    passed: list[Name] = Field(
        default_factory=list,
        description="Tasks of `release` that must have passed in the release that made what is deployed.",
        examples=[["unit", "coverage"]],
    )
    findings: Literal["error", "warning", "note"] | None = Field(
        default=None,
        description="Level from which on findings of the release's scans, other than waived ones, keep it out of this "
        "environment; without any scan it is kept out as well. By default what halted no release is let in.",
        examples=["warning"],
    )
    signed: SignedSection | None = Field(
        default=None,
        description="What is deployed must be signed. By default it need not be.",
        examples=[{"keys": ["release"]}],
    )
    load: bool = Field(
        default=False,
        description="Whether a release must have been measured, and have kept all limits of `bench.expect`.",
        examples=[True],
    )
    benchmark: bool = Field(
        default=False,
        description="Whether a release must have been compared with what is live, without a regression.",
        examples=[True],
    )


class RollbackSection(Section):
    """What was prepared for a way back."""

    scripts: list[FilePath] = Field(
        default_factory=list,
        description="Database scripts prepared for a rollback; they are shown, never run.",
        examples=[["db/rollback.sql"]],
    )


class EnvironmentSection(Section):
    """One environment."""

    after: str | None = Field(
        default=None,
        description="The environment in which a release must be live before it may come here.",
        examples=["staging"],
    )
    target: AnyAdapter = Field(
        default=AdapterSection(kind="local"), description="Where the instances run.", examples=["local"]
    )
    router: AnyAdapter = Field(
        description="What divides the requests, and where it listens.",
        examples=[{"kind": "envoy", "listen": "127.0.0.1:8000"}],
    )
    instances: int = Field(default=1, description="How many instances of a revision run.", examples=[2], ge=1, le=1000)
    strategy: StrategySection = Field(
        default=RollingSection(kind="rolling"),
        description="How a revision is introduced.",
        examples=[{"kind": "canary", "steps": [10, 50, 100]}],
    )
    analysis: Annotated[AnalysisSection, BeforeValidator(bare_word("preset"))] = Field(
        default=AnalysisSection(), description="How it is judged: a preset's name, or a mapping.", examples=["balanced"]
    )
    budget: BudgetSection | None = Field(
        default=None,
        description="How many requests may fail on a candidate. By default evidence alone decides.",
        examples=[{"failed_requests": 50}],
    )
    observe: Duration | None = Field(
        default=None,
        description="How long to watch after the promotion, while the old revision stays warm. "
        "By default 30m for canary, `keep` for blue-green, 0s for rolling.",
        examples=["30m"],
    )
    gates: GatesSection = Field(default=GatesSection(), description="What must be met before requests move.")
    stages: StagesSection = Field(
        default=StagesSection(), description="The user's own work in the stages of a rollout."
    )
    rollback: RollbackSection = Field(default=RollbackSection(), description="What was prepared for a way back.")
    validation: ValidationSection = Field(
        default=ValidationSection(), description="Checks of this environment, over those of the service."
    )
    variables: Variables = Field(
        default_factory=dict,
        description="Environment variables of this environment, over those of `run.variables`.",
        examples=[{"LOG_LEVEL": "debug"}],
    )
    secrets: Secrets = Field(
        default_factory=dict,
        description="Where the secrets of this environment are, by name. Checks use them as `{{NAME}}`, headers of "
        "`bench` as `${NAME}`; no output, plan or journal holds a value.",
        examples=[{"API_KEY": {"file": "/etc/shop/api-key"}}],
    )
    databases: Databases = Field(
        default_factory=dict,
        description="Databases of this environment that are backed up and restored, by name.",
        examples=[{"main": {"kind": "sqlite", "path": "data/shop.db"}}],
    )


class ServiceFile(Section):
    """`fairway.yaml`: one service and its environments."""

    service: Name = Field(description="Name of the service.", examples=["shop"])
    build: BuildSection | None = Field(default=None, description="How an artifact is made from a commit.")
    artifact: ArtifactSection | None = Field(
        default=None, description="An artifact built elsewhere; not together with `build`."
    )
    run: RunSection = Field(description="How one instance is started and stopped.")
    environments: dict[Name, EnvironmentSection] = Field(
        description="The environments by name, in the order of promotion.", min_length=1
    )
    release: ReleaseSection | None = Field(
        default=None,
        description="How a release is built, tested, checked and published. A file with this section needs neither "
        "`run` nor `environments`: a library is released and never deployed.",
    )
    versioning: VersioningSection = Field(
        default=VersioningSection(), description="How versions are written and decided, and how the changelog looks."
    )
    branches: AnyBranches | None = Field(
        default=None,
        description="Which branch may release what, to where: a ready policy, or rules. By default any branch may.",
        examples=["github-flow"],
    )
    cadence: CadenceSection | None = Field(
        default=None,
        description="When releases and deployments may begin, and which leave by timetable. By default at any time.",
    )
    bench: BenchSection | None = Field(default=None, description="How the service is put under load and measured.")
    indicators: IndicatorsSection | None = Field(
        default=None, description="Targets and critical thresholds of the table of indicators."
    )
    notify: list[AnyAdapter] = Field(
        default_factory=list,
        description="Where messages go.",
        examples=[[{"kind": "webhook", "url": "https://chat.example/hook", "events": ["rolled-back"]}]],
    )
    validation: ValidationSection = Field(
        default=ValidationSection(), description="What is checked of the running service in every environment."
    )
    database: DatabaseUrl | None = Field(
        default=None,
        description="URL of the database that keeps the journal. By default SQLite in `.fairway/`.",
        examples=["postgresql://fairway@localhost/fairway"],
    )


#: Sections that make sense in a repository of which nothing is deployed: with one of them, a file needs no `run`.
OF_A_LIBRARY = frozenset({"release", "versioning", "branches", "cadence"})


class LibraryFile(ServiceFile):
    """The same for what is released and never deployed."""

    run: RunSection | None = None  # type: ignore[assignment]
    environments: dict[Name, EnvironmentSection] = Field(default_factory=dict)
