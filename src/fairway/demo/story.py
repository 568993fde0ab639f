"""The scenes of the demonstration, each with users of its own, and what came of them."""

import shutil
import socket
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fairway import bootstrap
from fairway.adapters.load.process import Load
from fairway.adapters.load.report import Report
from fairway.demo.repository import Repository
from fairway.domain.errors import PermanentError
from fairway.domain.rollout.events import RollbackStarted, StepFinished
from fairway.domain.rollout.run import Run
from fairway.domain.rollout.steps import Promote, Shift
from fairway.usecases.answers import Started
from fairway.usecases.deploy import Request
from fairway.usecases.report import reason_of
from fairway.usecases.rollback import Return

ENVIRONMENT = "production"
#: Requests a second of the users, all of them GET: what a candidate fails, stable answers.
RATE = 400.0
#: A run of the demonstration that takes longer than this has gone wrong.
PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Scene:
    """What came of one release.

    Attributes:
        verdict: promoted, rolled-back, or what else the run ended with.
        rule: code of what took it back; empty if nothing did.
        requests: of users, from the first of the scene to the last.
        failed_requests: those that a user saw fail.
        candidate_failures: attempts that failed on the candidate.
        seconds_to_verdict: from the first request that the candidate could get to the verdict.
        p99_ms: latency that 99 % of the users' requests stayed below.
    """

    name: str
    verdict: str
    expected: str
    requests: int
    failed_requests: int
    candidate_failures: int
    seconds_to_verdict: float | None
    p99_ms: float | None
    rule: str = ""

    @property
    def ok(self) -> bool:
        """The verdict is the expected one and no user saw a failure."""
        return self.verdict == self.expected and self.failed_requests == 0


class Story:
    """Plays the scenes in a folder of its own, and leaves nothing behind.

    Args:
        tell: receives each line as it happens.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._folder = Path(tempfile.mkdtemp(prefix="fairway-demo-"))
        self._port = _free_port()

    def play(self) -> list[Scene]:
        """All scenes, in order."""
        try:
            repository = Repository(self._folder / "shop", self._port)
            repository.create()
            self._tell(f"a shop in {repository.folder}: five releases, users at http://127.0.0.1:{self._port}/")
            self._project = bootstrap.open_project(repository.folder / bootstrap.CONFIG_NAME)
            return self._scenes()
        finally:
            self._clean_up()

    def _scenes(self) -> list[Scene]:
        self._tell("\n1.0.0 is the first deployment")
        self._follow(self._deploy("1.0.0"))
        return [
            self._scene("good release", "1.1.0", "promoted"),
            self._scene("fails every request", "1.2.0", "rolled-back"),
            self._scene("fails one request in twenty", "1.3.0", "rolled-back"),
            self._scene("30 % slower", "1.4.0", "rolled-back"),
            self._return_by_hand(),
        ]

    def _scene(self, name: str, version: str, expected: str) -> Scene:
        self._tell(f"\n{version}: {name}")
        with self._users() as users:
            run = self._follow(self._deploy(version))
            return self._sum_up(name, expected, run, users.stop())

    def _return_by_hand(self) -> Scene:
        self._tell("\nback to 1.0.0 by hand: fairway rollback --env production --to 1.0.0")
        with self._users() as users:
            wanted = Return(ENVIRONMENT, bootstrap.actor(), "the demonstration", "CONFIRM", "1.0.0")
            answer = self._project.returner().start(wanted)
            run = self._follow(_started(answer))
            return self._sum_up("rollback by hand", "promoted", run, users.stop())

    def _users(self) -> Load:
        return Load(f"http://127.0.0.1:{self._port}/", rate=RATE, connections=32)

    def _deploy(self, version: str) -> str:
        request = Request(version, ENVIRONMENT, bootstrap.actor())
        return _started(self._project.deployer(self._tell).start(request))

    def _follow(self, run_id: str) -> Run:
        bootstrap.ensure_controller(self._project)
        deadline = bootstrap.now() + PATIENCE
        told = 0
        while True:
            run = self._project.store.load(run_id)
            for record in run.records[told:]:
                if record.finished is None:
                    break
                steps = run.plan.forward if record.track == "forward" else run.plan.rollback
                took = record.finished - record.started
                self._tell(f"  {took:6.2f} s  {steps[record.index].step.title}: {record.outcome}")
                told += 1
            if run.outcome is not None:
                self._tell(f"  {run.outcome}: {reason_of(run)}")
                return run
            if bootstrap.now() > deadline:
                raise PermanentError("demo-stuck", f"run {run_id} did not end in {PATIENCE:g} s: {reason_of(run)}")
            bootstrap.pause(0.1)

    def _sum_up(self, name: str, expected: str, run: Run, users: Report) -> Scene:
        evidence = self._project.store.load_evidence(run.id) or {}
        seen = evidence.get("traffic", {}).get(run.plan.candidate.id, {})
        return Scene(
            name=name,
            verdict="promoted" if run.outcome == "completed" else str(run.outcome),
            expected=expected,
            requests=users.sent,
            failed_requests=users.failed,
            candidate_failures=int(seen.get("failed", 0)),
            seconds_to_verdict=self._seconds_to_verdict(run),
            p99_ms=users.p99_ms,
            rule=run.failure.rule if run.failure is not None else "",
        )

    def _seconds_to_verdict(self, run: Run) -> float | None:
        began = None
        for event in self._project.store.list_events(run.id):
            if isinstance(event, RollbackStarted):
                return None if began is None else round(event.at - began, 3)
            if isinstance(event, StepFinished) and event.track == "forward":
                step = run.plan.forward[event.index].step
                if isinstance(step, Shift) and step.weight > 0 and began is None:
                    began = event.at
                if isinstance(step, Promote):
                    return None if began is None else round(event.at - began, 3)
        return None

    def _clean_up(self) -> None:
        project = self.__dict__.get("_project")
        if project is not None:
            bootstrap.bring_down(project, None)
            bootstrap.remove_state(project)
        shutil.rmtree(self._folder, ignore_errors=True)


def as_object(scenes: list[Scene]) -> dict[str, Any]:
    """The scenes as a JSON object."""
    return {"ok": bool(scenes) and all(scene.ok for scene in scenes), "scenarios": [asdict(scene) for scene in scenes]}


def _started(answer: object) -> str:
    if isinstance(answer, Started):
        return answer.run
    raise PermanentError("demo-declined", f"the demonstration was told no: {answer}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
