"""The project under test: one healthy release that is live, and a candidate for each fault."""

import sys
from pathlib import Path

from benchmarks.service import ENVIRONMENT, FIRST, SERVICE, Service
from fairway.domain.analysis.traffic import TrafficSnapshot

_CONFIGURATION = """\
service: {service}
build: {{steps: []}}
run:
  command: {python} application.py {{host}} {{port}}
  health: {{ready: /health}}
  drain: 2s
  variables: {{LIVE_FAILURES: {failures}, LIVE_FAULT: {fault}}}
environments:
  {environment}:
    router: {{kind: envoy, listen: "127.0.0.1:{port}"}}
    instances: 2
    strategy: {{kind: canary, steps: [{weight}, 100], bake: {bake}}}
    analysis: {{warmup: 5s}}
    observe: 0s
"""

WEIGHT = 20
"""Percent of the requests that the candidate gets."""


class LiveProject(Service):
    """Releases of an application that breaks on command.

    Args:
        folder: where; must be empty.
        bake: how long the candidate is watched at most, such as `3m`.
    """

    def __init__(self, folder: Path, *, bake: str) -> None:
        self.fault = folder / "fault"
        super().__init__(folder, bake=bake, healthy_for=0.0)

    def add(self, version: str) -> None:
        """Makes a release that obeys the file `fault`."""
        self._release(version, 0.0)

    def traffic(self) -> TrafficSnapshot:
        """What Envoy counted."""
        router = self._project.router_of(SERVICE, ENVIRONMENT, self._project.spec.environments[0].router)
        return router.observe_traffic()

    def stable(self) -> str:
        """Id of the revision that is live."""
        return self._live().id

    def newest_run(self) -> str:
        """Id of the run that was begun last."""
        return next(iter(self._project.store.list_runs(service=SERVICE, environment=ENVIRONMENT, limit=1))).id

    def _write(self, bake: str) -> None:
        text = _CONFIGURATION.format(
            service=SERVICE,
            python=sys.executable,
            failures=self.failures,
            fault=self.fault,
            environment=ENVIRONMENT,
            port=self.port,
            weight=WEIGHT,
            bake=bake,
        )
        self._config.write_text(text)
        (self._repository / ".gitignore").write_text(".fairway/\n")
        self._git("init", "--quiet", "--initial-branch=main")

    def _release(self, version: str, _healthy_for: float) -> None:
        source = Path(__file__).with_name("application.py").read_text()
        source = source.replace('VERSION = "1.0.0"', f'VERSION = "{version}"')
        source = source.replace("OBEYS = False", f"OBEYS = {version != FIRST}")
        (self._repository / "application.py").write_text(source)
        self._git("add", ".")
        self._git("commit", "--quiet", "--allow-empty", "--message", f"feat: {version}")
        self._git("tag", "--no-sign", f"v{version}")
