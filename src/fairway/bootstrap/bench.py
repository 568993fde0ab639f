"""Putting measurements together: what is measured, by what, and where it is kept."""

import fcntl
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from fairway.bootstrap.ambient import now, pause
from fairway.bootstrap.project import Project, open_project
from fairway.domain.errors import TransientError, UserError
from fairway.domain.insight.baseline import Baseline, Load, Subject
from fairway.domain.insight.indicators import Reading, Row, fill
from fairway.domain.insight.spec import BenchSpec
from fairway.domain.rollout.spec import EnvironmentSpec
from fairway.domain.validation.secret import source_of

if TYPE_CHECKING:
    from fairway.adapters.stores.sql.baselines import SqlBaselines
    from fairway.usecases.bench.choose import Chooser
    from fairway.usecases.bench.measure import Bench, Progress
    from fairway.usecases.bench.subjects import Address


_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class BenchProject:
    """A project with what measuring it needs.

    Attributes:
        spec: what the configuration says of measuring.
    """

    project: Project
    spec: BenchSpec

    @property
    def service(self) -> str:
        """Whose measurements these are."""
        return self.project.spec.service

    @cached_property
    def baselines(self) -> "SqlBaselines":
        """Where they are kept."""
        from fairway.adapters.stores.sql.baselines import SqlBaselines

        return SqlBaselines(self.project.store.database)

    def bench(self, tell: "Callable[[Progress], None]", options: tuple[str, ...] = ()) -> "Bench":
        """What measures."""
        from fairway.adapters.load.host import describe_host
        from fairway.adapters.load.meter import KernelMeter
        from fairway.adapters.load.rounds import OwnGenerator
        from fairway.usecases.bench.measure import Bench

        return Bench(self.service, describe_host(), OwnGenerator(now, options), KernelMeter(), now, tell)

    def environment(self, name: str | None) -> EnvironmentSpec:
        """The environment of that name; else the one that the configuration names, else the first one.

        Raises:
            UserError: there is none of that name.
        """
        from fairway.usecases.deploy import find_environment

        wanted = self.spec.environment if name is None else name
        return self.project.spec.environments[0] if wanted is None else find_environment(self.project.spec, wanted)

    def fill_in(self, load: Load, environment: EnvironmentSpec) -> Load:
        """The load with the environment's secrets, and the variables, that its headers name.

        Raises:
            UserError: one of them has no value.
            TransientError: a command gives none.
        """
        sources = environment.suite.settings.sources

        def value(found: re.Match[str]) -> str:
            if any(one.name == found[1] for one in sources):
                return self.project.secrets.read(source_of(found[1], sources))
            given = os.environ.get(found[1])
            if given is None:
                sentence = f"a header of bench.headers names the variable {found[1]}, which is not set"
                raise UserError("bench-variable", sentence, f"{found[1]}=… fairway bench …")
            return given

        return replace(load, headers=tuple(_VARIABLE.sub(value, header) for header in load.headers))

    def chooser(self, environment: EnvironmentSpec, log: Callable[[str], None]) -> "Chooser":
        """What finds the subject of a measurement."""
        from fairway.usecases.bench.choose import Chooser
        from fairway.usecases.bench.subjects import ENVIRONMENT

        project = self.project
        return Chooser(
            service=project.spec,
            environment=environment,
            source=project.source,
            artifacts=project.artifacts(self.service),
            target=project.target_of(self.service, ENVIRONMENT, environment.target),
            baselines=self.baselines,
            clock=now,
            pause=pause,
            log=log,
        )

    def address_of(self, environment: EnvironmentSpec) -> "Address":
        """Where the users of an environment connect, and what is live there.

        Raises:
            UserError: nothing was ever deployed there.
        """
        from fairway.usecases.bench.subjects import Address

        state = self.project.store.environment(self.service, environment.name)
        live, known = state.live, True
        if state.run is not None:
            # A stage of a run may measure: what users reach then is the candidate, or both.
            run = self.project.store.load(state.run)
            weight = run.weight if run.track == "forward" else 0.0
            live, known = (run.plan.candidate if weight else live), weight in (0.0, 100.0)
        if live is None:
            sentence = f"nothing is live in {environment.name}"
            raise UserError("nothing-live", sentence, f"fairway deploy RELEASE --env {environment.name}")
        address = self.project.router_of(self.service, environment.name, environment.router).observe().address
        url = f"http://{address.replace('0.0.0.0', '127.0.0.1')}"  # noqa: S104 -- what it listens on, as one reaches it
        if not known:
            return Address(Subject(environment.name, url=url))
        return Address(Subject(environment.name, live.version, live.artifact.digest, url))

    @contextmanager
    def measuring(self, environment: EnvironmentSpec) -> Iterator[None]:
        """One measurement at a time: two would measure each other. What an earlier one left behind is removed.

        Raises:
            TransientError: another one is under way.
        """
        from fairway.usecases.bench.subjects import ENVIRONMENT, remove_leftovers

        target = self.project.target_of(self.service, ENVIRONMENT, environment.target)
        with (self.project.state / "bench.lock").open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise TransientError("bench-busy", "another measurement is under way here", "wait for it") from error
            remove_leftovers(target, self.service)
            # So that instances are stopped on this way out as well.
            before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
            try:
                yield
            except KeyboardInterrupt as error:
                raise TransientError("bench-ended", "the measurement was ended, and nothing of it is kept") from error
            finally:
                signal.signal(signal.SIGTERM, before)

    def fill_indicators(self, environment: EnvironmentSpec) -> tuple[Row, ...]:
        """The table of an environment, from queries, the data plane, the latest measurement and this machine."""
        from fairway.usecases.bench.indicators import read_load, read_queries, read_traffic
        from fairway.usecases.present_traffic import measure

        live = self.project.store.environment(self.service, environment.name).live
        traffic = None
        if live is not None:
            router = self.project.router_of(self.service, environment.name, environment.router)
            traffic = measure(router, live.id, pause, at_once=True)
        source = self.project.source_of(self.spec.source or environment.analysis.metrics.source)
        return fill(
            self.spec.indicators,
            read_queries(self.spec.indicators, source, now()),
            read_traffic(traffic),
            read_load(self._latest(environment, None if live is None else live.artifact.digest)),
            self._host(environment),
        )

    def _latest(self, environment: EnvironmentSpec, digest: str | None) -> Baseline | None:
        """The latest measurement of what is live, or of the environment's address; None if there is none."""
        for one in self.baselines.list_baselines(self.service):
            if digest is None or one.subject.digest == digest or one.subject.name == environment.name:
                return one
        return None

    def _host(self, environment: EnvironmentSpec) -> dict[str, Reading]:
        """Of this machine, where instances run on it."""
        from fairway.adapters.load.host import read_use

        if environment.target.kind != "local":
            return {}
        processors, memory = read_use()
        return {"cpu": Reading(processors, "this machine"), "memory": Reading(memory, "this machine")}


def wanted_name() -> str | None:
    """The name that a script asks for by a variable."""
    return os.environ.get("BASELINE_NAME") or None


def open_bench(config: Path | None) -> BenchProject:
    """The project of the working folder, or of the given configuration.

    Raises:
        UserError: there is no configuration, or a wrong one.
    """
    from fairway import catalog
    from fairway.config import Known, load_bench

    project = open_project(config)
    return BenchProject(project, load_bench(project.config, Known(sources=catalog.settings_by_kind("source"))))
