"""The project under test: one healthy release that is live, and a candidate for each fault."""

from pathlib import Path

from benchmarks.service import ENVIRONMENT, FIRST, SERVICE, Project
from fairway import bootstrap
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.traffic import RevisionTraffic, TrafficSnapshot

_CONFIGURATION = """\
service: {service}
build: {{steps: []}}
run:
  command: {python} application.py {{host}} {{port}}
  health: {{ready: /health}}
  drain: 2s
  variables: {{LIVE_FAILURES: {failures}, LIVE_FAULT: {folder}/fault}}
environments:
  {environment}:
    router: {{kind: envoy, listen: "127.0.0.1:{port}"}}
    instances: 2
    strategy: {{kind: canary, steps: [WEIGHT, 100], bake: BAKE}}
    analysis: {{preset: MARGINS, warmup: 5s}}
    observe: 0s
"""


class LiveProject(Project):
    """Releases of an application that breaks on command.

    Args:
        folder: where; must be empty.
    """

    def __init__(self, folder: Path) -> None:
        self.fault = folder / "fault"
        super().__init__(folder, _filled(20.0, "balanced", 300.0), Path(__file__).with_name("application.py"))
        self.add_release(FIRST)

    def adapt(self, *, weight: float, margins: str, bake: float) -> None:
        """How the next candidate is rolled out.

        Args:
            weight: percent of the requests that it gets.
            margins: a preset of the analysis.
            bake: seconds for which it is watched at most.
        """
        self.configure(_filled(weight, margins, bake))

    def add_release(self, version: str) -> None:
        """Makes a release; all but the first obey the file `fault`."""
        self.add(version, {"OBEYS": version != FIRST})

    def traffic(self) -> TrafficSnapshot:
        """What Envoy counted."""
        router = self._project.router_of(SERVICE, ENVIRONMENT, self._project.spec.environments[0].router)
        return router.observe_traffic()

    def stable(self) -> str:
        """Id of the revision that is live."""
        return self._live().id

    def of_stable(self) -> RevisionTraffic:
        """What Envoy counted of the live revision."""
        return self.traffic().of(self.stable())

    def policy(self) -> AnalysisPolicy:
        """How the next candidate is judged."""
        return bootstrap.open_project(self._config).spec.environments[0].analysis

    def newest_run(self) -> str:
        """Id of the run that was begun last."""
        return next(iter(self._project.store.list_runs(service=SERVICE, environment=ENVIRONMENT, limit=1))).id


def _filled(weight: float, margins: str, bake: float) -> str:
    changes = {"WEIGHT": f"{weight:g}", "MARGINS": margins, "BAKE": f"{bake:.0f}s"}
    text = _CONFIGURATION
    for name, value in changes.items():
        text = text.replace(name, value)
    return text
