"""A Fairway project like a user's: a repository of its own, handled through the command line only."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processor import list_processes
from fairway import bootstrap
from fairway.domain.rollout.events import Event
from fairway.domain.rollout.revision import Revision
from fairway.domain.rollout.run import Run
from fairway.domain.rollout.steps import Watch

FAIRWAY = Path(sys.executable).with_name("fairway")
ENVIRONMENT = "production"
SERVICE = "bench"
#: On two cores users, proxy and application have little room left at the full rate: one instance a revision there.
INSTANCES = 1 if len(os.sched_getaffinity(0)) < 4 else 2

#: A good release, one that answers every request with 500 from a certain moment on, and one that does so with a fifth.
FIRST, GOOD, DEAD, SICK = "1.0.0", "1.1.0", "1.2.0", "1.3.0"

NEVER = 1e9
"""Seconds."""

FIFTH = 5
"""One request in so many: at a tenth of the requests too few in a row for the proxy to leave an instance out."""

_GIT = ("git", "-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost", "-c", "commit.gpgsign=false")
_CONFIGURATION = """\
service: {service}
build: {{steps: []}}
run:
  command: {python} application.py {{socket}}
  health: {{ready: /health}}
  drain: 5s
  variables: {{BENCH_FAILURES: {failures}, BENCH_REQUESTS: {requests}}}
environments:
  {environment}:
    router: {{kind: envoy, listen: "127.0.0.1:{port}"}}
    instances: {instances}
    strategy: {strategy}
    analysis: {{warmup: 1s, block: 1s}}
    observe: {bake}
"""
#: How the benchmark brings a release to its users, by name.
STRATEGIES = {
    "canary": "{{kind: canary, steps: [10, 50, 100], bake: {bake}}}",
    "blue-green": "{{kind: blue-green, keep: {bake}}}",
    "rolling": "{{kind: rolling, bake: {bake}}}",
}


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended.

    Attributes:
        seconds: from its start to its end.
        report: the JSON object that it printed.
    """

    status: int
    seconds: float
    report: dict[str, Any]


class Project:
    """A repository with a configuration and releases; `close` stops everything that it started and removes its files.

    Args:
        folder: where; must be empty. Belongs to the project from then on.
        configuration: text of `fairway.yaml`, with places for `{python}`, `{service}`, `{environment}`, `{port}`,
            `{failures}`, `{requests}` and `{folder}`.
        application: the program of which each release is a copy with other values of its constants.
    """

    def __init__(self, folder: Path, configuration: str, application: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.failures, self.requests = folder / "failures", folder / "requests"
        self._application = application
        self._repository = folder / "repository"
        self._repository.mkdir()
        self._config = self._repository / bootstrap.CONFIG_NAME
        self.configure(configuration)
        (self._repository / ".gitignore").write_text(".fairway/\n")
        self._git("init", "--quiet", "--initial-branch=main")
        self._project = bootstrap.open_project(self._config)

    def configure(self, configuration: str) -> None:
        """Writes `fairway.yaml`; what is deployed from then on goes by it."""
        text = configuration.format(
            python=sys.executable,
            service=SERVICE,
            environment=ENVIRONMENT,
            port=self.port,
            failures=self.failures,
            requests=self.requests,
            folder=self.folder,
        )
        self._config.write_text(text)

    def add(self, version: str, constants: Mapping[str, object]) -> None:
        """Makes a release: a commit and its tag.

        Args:
            version: what it is called; the constant `VERSION` as well.
            constants: the values that the other constants of the program have in it, by name.
        """
        source = self._application.read_text()
        for name, value in {"VERSION": version, **constants}.items():
            source, count = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value!r}", source)
            if count != 1:
                raise RuntimeError(f"{self._application.name} sets {name} {count} times")
        (self._repository / "application.py").write_text(source)
        self._git("add", ".")
        self._git("commit", "--quiet", "--allow-empty", "--message", f"feat: {version}")
        self._git("tag", "--no-sign", f"v{version}")

    @property
    def url(self) -> str:
        """Where users connect."""
        return f"http://127.0.0.1:{self.port}/"

    def fairway(self, *arguments: str) -> Done:
        """Runs a command to its end, with `--json`."""
        began = time.monotonic()
        command = [*self.command(*arguments), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if not done.stdout:
            raise RuntimeError(f"fairway {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")
        return Done(done.returncode, time.monotonic() - began, json.loads(done.stdout))

    def command(self, *arguments: str) -> list[str]:
        """The command line of a command on this project."""
        return [str(FAIRWAY), *arguments, "--config", str(self._config)]

    def deploy(self, version: str) -> Done:
        """Takes a release to production, also one that was gone back from, and waits for the end."""
        return self.fairway("deploy", version, "--env", ENVIRONMENT, "--lift-quarantine", "benchmark")

    def go_back(self) -> Done:
        """Goes back to what was live before and waits for the end."""
        return self.fairway("rollback", "--env", ENVIRONMENT, "--reason", "benchmark", "--confirm", "CONFIRM")

    def events(self, run: str) -> tuple[Event, ...]:
        """What the journal says of a run."""
        return tuple(self._project.store.list_events(run))

    def watched(self, run: str) -> float:
        """Seconds that a run's plan holds still and watches: the part of its time that is not Fairway's."""
        found: Run = self._project.store.load(run)
        return sum(planned.step.seconds for planned in found.plan.forward if isinstance(planned.step, Watch))

    def live(self) -> str:
        """The version that is live."""
        return self._live().version

    def backends(self) -> list[str]:
        """Where the instances of the live release listen: paths of Unix sockets, or `host:port`."""
        live = self._live()
        spec = self._project.spec.environments[0]
        target = self._project.target_of(SERVICE, ENVIRONMENT, spec.target)
        return [instance.endpoint.place for instance in target.observe_instances(live.id)]

    def processes(self) -> dict[str, int]:
        """Pids of what runs: `envoy`, `controller` and `supervisor`."""
        units = self._project.supervisor.observe()
        found = {"controller": units["controller"].pid, "envoy": units[f"envoy.{SERVICE}.{ENVIRONMENT}"].pid}
        found["supervisor"] = next(iter(self._supervisors()), None)
        return {name: pid for name, pid in found.items() if pid is not None}

    def close(self) -> None:
        """Stops everything; nothing is left of it."""
        subprocess.run(self.command("down"), capture_output=True, timeout=60, check=False)
        self._project.store.close()
        # Without anything to keep it would end by itself, later.
        for pid in self._supervisors():
            os.kill(pid, signal.SIGTERM)
        await_gone(self.folder)
        for place, _, _ in os.walk(self.folder):
            Path(place).chmod(0o700)
        shutil.rmtree(self.folder)

    def _live(self) -> Revision:
        live = self._project.store.environment(SERVICE, ENVIRONMENT).live
        if live is None:
            raise RuntimeError("nothing is live")
        return live

    def _supervisors(self) -> list[int]:
        mark = (str(self._repository), "fairway.adapters.supervisor")
        return [pid for pid, one in list_processes().items() if all(part in one.command for part in mark)]

    def _git(self, *arguments: str) -> None:
        variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        subprocess.run([*_GIT, *arguments], cwd=self._repository, env=variables, check=True, capture_output=True)


class Service(Project):
    """The project of the benchmark of traffic.

    Args:
        folder: where; must be empty.
        bake: how long each step of a canary is watched, such as `3s`.
        healthy_for: seconds for which the dead release serves well.
    """

    def __init__(self, folder: Path, *, bake: str, healthy_for: float) -> None:
        self._bake = bake
        super().__init__(folder, self._text("canary", bake), Path(__file__).with_name("application.py"))
        releases = ((FIRST, NEVER, 1), (GOOD, NEVER, 1), (DEAD, healthy_for, 1), (SICK, healthy_for, FIFTH))
        for version, seconds, one_in in releases:
            self.add(version, {"HEALTHY_FOR": seconds, "FAILS_ONE_IN": one_in})

    def use(self, strategy: str, *, bake: str | None = None) -> None:
        """From now on releases come by that strategy."""
        self.configure(self._text(strategy, bake or self._bake))

    @staticmethod
    def _text(strategy: str, bake: str) -> str:
        text = _CONFIGURATION.replace("{strategy}", STRATEGIES[strategy])
        return text.replace("{instances}", str(INSTANCES)).replace("{bake}", bake)


def await_gone(folder: Path) -> None:
    """Waits until no process works in the folder any more.

    Raises:
        RuntimeError: one still does after ten seconds.
    """
    deadline = time.monotonic() + 10
    while left := [one.command for one in list_processes().values() if one.folder.startswith(str(folder))]:
        if time.monotonic() > deadline:
            raise RuntimeError(f"still running: {left}")
        time.sleep(0.05)


def free_port() -> int:
    """A port of the loopback address on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
