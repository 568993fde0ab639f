import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from fairway.adapters.supervisor.client import SupervisorClient
from fairway.adapters.supervisor.files import Layout
from fairway.adapters.supervisor.loop import find_supervisor
from fairway.adapters.targets.local import LocalTarget
from fairway.domain.rollout.revision import Health, RunSpec
from fairway.testing.target import Behaviour, FakeTarget
from fairway.testing.target_contract import TargetContract

WEB_APP = Path(__file__).parents[1] / "apps" / "web.py"


class TestLocalTarget(TargetContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.folder = tmp_path
        self.supervisor = SupervisorClient(tmp_path / "supervisor", linger=0.0)
        yield
        for unit in self.supervisor.observe():
            self.supervisor.ensure_removed(unit)
        while find_supervisor(Layout(tmp_path / "supervisor")):
            time.sleep(0.01)

    def make_target(self, service, environment):
        return LocalTarget(
            service=service, environment=environment, folder=self.folder / "targets", supervisor=self.supervisor
        )

    def make_run(self):
        command = f"{sys.executable} -S {WEB_APP} --port {{port}}"
        return RunSpec(command, health=Health(ready="/health/ready"), grace=2.0), str(self.folder)


class TestLocalTargetOnSockets(TestLocalTarget):
    def make_run(self):
        run, location = super().make_run()
        return replace(run, command=run.command.replace("--port {port}", "--socket {socket}")), location


class TestFakeTarget(TargetContract):
    @pytest.fixture(autouse=True)
    def _memory(self):
        self.targets = {}

    def make_target(self, service, environment):
        return self.targets.setdefault((service, environment), FakeTarget())

    def make_run(self):
        return RunSpec("app --port {port}"), "/nowhere"

    def test_a_missing_program_is_refused_and_leaves_nothing(self):
        self.target().behave("r1", Behaviour(refused="The program 'app' does not exist."))
        super().test_a_missing_program_is_refused_and_leaves_nothing()
