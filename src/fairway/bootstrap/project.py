"""One service with everything that it is handled with."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from fairway.bootstrap.ambient import new_run, now
from fairway.bootstrap.private import make_private
from fairway.domain.errors import PermanentError, UserError

if TYPE_CHECKING:
    from fairway.adapters.artifacts.local.store import LocalArtifacts
    from fairway.adapters.sources.git import GitSource
    from fairway.adapters.stores.sql import SqlStore
    from fairway.adapters.supervisor.client import SupervisorClient
    from fairway.catalog import Port
    from fairway.domain.analysis.metrics.policy import Source
    from fairway.domain.rollout.plan import Plan
    from fairway.domain.rollout.spec import Adapter, ServiceSpec
    from fairway.engine.world import World
    from fairway.ports.metrics import MetricSource
    from fairway.ports.notifier import Notifier
    from fairway.ports.router import Router
    from fairway.ports.secrets import SecretReader
    from fairway.ports.target import Target
    from fairway.usecases.deploy import Deployer
    from fairway.usecases.rollback import Returner

CONFIG_NAME = "fairway.yaml"
STATE_FOLDER = ".fairway"
COMMANDS_FOLDER = "commands"


@dataclass(frozen=True)
class Project:
    """One service; everything is made when it is first used.

    Attributes:
        config: the configuration file.
        folder: the repository.
        database: URL or path of the journal's database.
        exclusive: nobody else advances runs in this database.
        serves: the service whose runs this process advances; None: it advances none.
    """

    config: Path
    folder: Path
    database: str
    exclusive: bool = False
    serves: str | None = None
    _made: dict[tuple[str, ...], object] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        """The folder of everything that Fairway keeps for this project."""
        return self.folder / STATE_FOLDER

    @cached_property
    def spec(self) -> "ServiceSpec":
        """The configuration as it is now."""
        return _read_spec(self.config)

    @cached_property
    def store(self) -> "SqlStore":
        """The journal."""
        from fairway.adapters.stores.sql import SqlStore

        return SqlStore.open(self.database, exclusive=self.exclusive, service=self.serves)

    @cached_property
    def supervisor(self) -> "SupervisorClient":
        """What keeps this project's processes running."""
        from fairway.adapters.supervisor.client import SupervisorClient

        return SupervisorClient(self.state / "supervisor")

    @cached_property
    def secrets(self) -> "SecretReader":
        """The environments' secrets."""
        from fairway.adapters.commands.confidential import LocalSecretCommands
        from fairway.adapters.secrets import LocalSecrets

        return LocalSecrets(LocalSecretCommands())

    @cached_property
    def source(self) -> "GitSource":
        """The repository."""
        from fairway.adapters.sources.git import GitSource

        return GitSource(self.folder)

    def artifacts(self, service: str) -> "LocalArtifacts":
        """Where artifacts are built and kept."""
        from fairway.adapters.artifacts.local.store import LocalArtifacts

        return LocalArtifacts(self.state / "artifacts", service, self.source)

    def is_dirty(self) -> bool:
        """Files that git knows differ from the last commit."""
        return self.spec.artifact_path is None and self.source.is_dirty()

    def list_new_files(self) -> tuple[str, ...]:
        """Files that git was not told of."""
        return self.source.list_new_files() if self.spec.artifact_path is None else ()

    def deployer(self, log: Callable[[str], None]) -> "Deployer":
        """What `deploy` and `plan` need."""
        from fairway.bootstrap.demands import demands_of
        from fairway.bootstrap.permitting import branches_of, cadence_of
        from fairway.bootstrap.signing import verifier_of
        from fairway.usecases.deploy import Deployer

        return Deployer(
            service=self.spec,
            source=self.source,
            artifacts=self.artifacts(self.spec.service),
            journal=self.store,
            records=self.store,
            new_run=new_run,
            clock=now,
            log=log,
            verifier=verifier_of(self),
            demands=demands_of(self),
            passed=self.passed,
            branches=branches_of(self),
            cadence=cadence_of(self),
        )

    def passed(self, digest: str) -> frozenset[str]:
        """The checks that an artifact has passed in a release."""
        from fairway.usecases.releasing.evidence import find_passed

        return find_passed(self.store, self.spec.service, digest)

    def returner(self) -> "Returner":
        """What `rollback` needs."""
        from fairway.bootstrap.signing import verifier_of
        from fairway.usecases.rollback import Returner

        store, artifacts, knows = self.store, self.artifacts(self.spec.service), self.source.knows
        return Returner(self.spec, self.source, artifacts, store, store, knows, new_run, now, verifier_of(self))

    def target_of(self, service: str, environment: str, adapter: "Adapter") -> "Target":
        """Where the instances of an environment run."""
        return cast("Target", self._build("target", service, environment, adapter))

    def router_of(self, service: str, environment: str, adapter: "Adapter") -> "Router":
        """What divides the requests of an environment."""
        return cast("Router", self._build("router", service, environment, adapter))

    def _build(self, port: "Port", service: str, environment: str, adapter: "Adapter") -> object:
        from fairway import catalog

        key = (port, service, environment, adapter.kind, repr(adapter.settings))
        if key not in self._made:
            entry = catalog.find_entry(port, adapter.kind)
            name = f"{service}.{environment}"
            # Targets keep apart what is theirs, and must see each other's ports.
            folder = self.state / "targets" if port == "target" else self.state / "routers" / name
            settings = _validated(entry.settings, dict(adapter.settings))
            if port == "router" and "preview" in _fields(entry.settings):
                from fairway.bootstrap.preview import choose_preview

                settings.setdefault("preview", choose_preview(self.state, name))
            self._made[key] = catalog.load_object(entry.factory)(
                service=service, environment=environment, folder=folder, supervisor=self.supervisor, **settings
            )
        return self._made[key]

    def world(self, plan: "Plan") -> "World":
        """What a run acts through."""
        from fairway.adapters.checks import LocalChecker
        from fairway.adapters.commands import LocalCommands
        from fairway.adapters.metrics.conditions import CelConditions
        from fairway.adapters.probes import LocalProbe
        from fairway.bootstrap.recovery import backups_of, database_of
        from fairway.engine.world import World

        return World(
            target=self.target_of(plan.service, plan.environment, plan.target),
            router=self.router_of(plan.service, plan.environment, plan.router),
            artifacts=self.artifacts(plan.service),
            commands=LocalCommands(self.state / COMMANDS_FOLDER),
            probe=LocalProbe(),
            records=self.store,
            checker=LocalChecker(self.secrets),
            metrics=self.source_of(plan.analysis.metrics.source),
            conditions=CelConditions(),
            backups=backups_of(self),
            database_of=lambda spec: database_of(self, spec),
        )

    def source_of(self, source: "Source | None") -> "MetricSource | None":
        """What answers queries for metrics; None where there are none."""
        from fairway import catalog

        if source is None:
            return None
        key = ("source", source.kind, repr(source.settings))
        if key not in self._made:
            entry = catalog.find_entry("source", source.kind)
            settings = _validated(entry.settings, dict(source.settings))
            self._made[key] = catalog.load_object(entry.factory)(**settings)
        return cast("MetricSource", self._made[key])

    def notifier(self, receiver: Mapping[str, Any]) -> "Notifier":
        """What reaches a receiver of messages."""
        from fairway import catalog

        entry = catalog.find_entry("notifier", str(receiver["kind"]))
        settings = _validated(entry.settings, dict(receiver["settings"]))
        settings.pop("events", None)
        return cast("Notifier", catalog.load_object(entry.factory)(**settings))


def _validated(model: str | None, settings: dict[str, Any]) -> dict[str, Any]:
    """Settings as their model reads them, without those that were not given."""
    if model is None:
        return settings
    from fairway import catalog

    return cast("dict[str, Any]", catalog.load_object(model)(**settings).model_dump(exclude_unset=True))


def _fields(model: str | None) -> frozenset[str]:
    """What a settings model knows."""
    from fairway import catalog

    return frozenset() if model is None else frozenset(catalog.load_object(model).model_fields)  # type: ignore[attr-defined]


def find_config(given: Path | None) -> Path:
    """The configuration file: as given, or the nearest one from the working folder upwards.

    Raises:
        UserError: there is none.
    """
    if given is not None:
        return given / CONFIG_NAME if _is_folder(given) else given
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / CONFIG_NAME).is_file():
            return folder / CONFIG_NAME
    raise UserError("no-config", f"there is no {CONFIG_NAME} in {here} or above", "fairway init writes one")


def _is_folder(path: Path) -> bool:
    """Raises UserError where there can be nothing of that name."""
    try:
        return path.is_dir()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        sentence = f"the configuration file {str(path)[:60]!r} cannot be read: {reason}"
        raise UserError("config-unreadable", sentence, "name the fairway.yaml itself") from error


def load_spec(path: Path) -> "ServiceSpec":
    """The configuration, checked against the adapters that exist.

    Raises:
        UserError: it is wrong; the sentence says where.
    """
    from fairway import catalog
    from fairway.config import Known, load

    known = Known(
        targets=catalog.settings_by_kind("target"),
        routers=catalog.settings_by_kind("router"),
        notifiers=catalog.settings_by_kind("notifier"),
        sources=catalog.settings_by_kind("source"),
        registries=catalog.settings_by_kind("registry"),
        ask=_ask,
    )
    return load(path, known)


def _ask(condition: str, values: "Mapping[str, Any]") -> None:
    """Tries a condition over metrics.

    Raises:
        UserError: it is none, or has no answer although every metric has a number.
    """
    from fairway.adapters.metrics.conditions import CelConditions

    answer, why = CelConditions().compile(condition).ask(values)
    if answer == "error":
        sentence = f"{condition[:80]!r} has no answer: {why}"
        raise UserError("condition", sentence, "it must be true or false for every metric's number")


def _read_spec(path: Path) -> "ServiceSpec":
    """As `load_spec`, without reading again what has not changed. Adapters of other packages may change at any time."""
    from fairway import catalog
    from fairway.bootstrap.kept import read_spec

    if catalog.may_be_extended():
        return load_spec(path)
    return read_spec(path, Path.cwd() / path.parent / STATE_FOLDER, load_spec)


def open_project(config: Path | None, *, exclusive: bool = False) -> Project:
    """The project that the working folder, or the given configuration, belongs to."""
    path = find_config(config)
    spec = _read_spec(path)
    folder = Path(spec.folder)
    state = folder / STATE_FOLDER
    project = Project(path.absolute(), folder, spec.database or str(state / "journal.db"), exclusive)
    project.__dict__["spec"] = spec
    _remember(state, spec)
    return project


def _remember(state: Path, spec: "ServiceSpec") -> None:
    """What questions and the controller need of the configuration, so that they work whatever becomes of the file."""
    path = state / "project"
    content = f"{spec.service}\n{spec.database or ''}\n"
    try:
        make_private(state)
        if _recorded(path) != content:
            draft = state / f".project.{os.getpid()}"
            draft.touch(mode=0o600)
            with draft.open("w") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.rename(path)
    except OSError as error:
        sentence = f"the state folder {state} cannot be used: {error.strerror}"
        raise PermanentError("state-folder", sentence, "fairway doctor looks at it") from error


def recall(config: Path | None) -> tuple[Path, str, str]:
    """Path of the configuration, name of the service, and database, as they were when it was last opened.

    A project that was never opened is opened now, and so is one whose record a loss of power cut short.

    Raises:
        UserError: there is no configuration, or a wrong one that was never right.
    """
    path = find_config(config).absolute()
    record = path.parent / STATE_FOLDER / "project"
    if _recorded(record).count("\n") < 2:
        open_project(path)
    service, database, *_ = _recorded(record).split("\n")
    return path, service, database or str(path.parent / STATE_FOLDER / "journal.db")


def _recorded(record: Path) -> str:
    """The text of the record; empty where there is none, or where it holds none."""
    try:
        return record.read_text()
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
        return ""


def insist_on_environment(config: Path | None, name: str) -> None:
    """Tells a name that was mistyped from an environment in which nothing ever happened.

    Raises:
        UserError: the configuration knows no such environment.
    """
    from fairway.usecases.deploy import find_environment

    find_environment(load_spec(find_config(config)), name)


def open_known(config: Path | None) -> Project:
    """The project as its configuration was when it was last opened: for commands that must work whatever became of it.

    Raises:
        UserError: there is no configuration, or a wrong one that was never right.
    """
    path, _, database = recall(config)
    return Project(path, path.parent, database)


def open_reader(config: Path | None) -> "tuple[str, SqlStore]":
    """The service's name and its journal for reading; needs neither the configuration nor a controller.

    Raises:
        UserError: nothing was ever done here.
    """
    from fairway.adapters.stores.sql import SqlStore

    _, service, database = recall(config)
    return service, SqlStore.open(database)
