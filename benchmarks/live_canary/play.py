"""One fault after the other on one project."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.live_canary.faults import Promise, Trial, promise
from benchmarks.live_canary.project import LiveProject
from benchmarks.live_canary.series import Opinion, Recorder, opinions
from benchmarks.service import ENVIRONMENT, FIRST
from benchmarks.traffic import failure_moments
from fairway.adapters.load.process import Load
from fairway.domain.analysis.planning.premises import Traffic
from fairway.domain.rollout.events import RollbackStarted

CONNECTIONS = 64

LONGER = 60.0
"""Seconds by which a bake is longer than we wait, so that no fault is missed because its step is over."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How long.

    Attributes:
        patience: seconds from the fault after which we give up and take the candidate back by hand.
        healthy: seconds for which a candidate serves well before its fault is switched on.
    """

    patience: float
    healthy: float = 10.0


@dataclass(frozen=True, slots=True)
class Result:
    """One fault.

    Attributes:
        trial: the fault and its traffic.
        promised: what the planner says of it; None: nothing, for rules find it.
        after: seconds from the fault to the roll-back; None: not found.
        rule: what decided.
        failed: requests that the application failed on the candidate.
        users: requests of users that failed, of `sent`.
        others: what threshold rules would have done.
    """

    name: str
    trial: Trial
    promised: Promise | None
    after: float | None
    rule: str
    failed: int
    users: int
    sent: int
    others: dict[str, Opinion]


def play(trials: Mapping[str, Trial], settings: Settings, tell: Callable[[str], None]) -> Iterator[Result]:
    """Plays the faults in order; everything that was started is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="fairway-live-"))
    project = LiveProject(folder)
    try:
        tell("first deployment")
        if project.deploy(FIRST).status != 0:
            raise RuntimeError("the first deployment failed")
        for number, (name, trial) in enumerate(trials.items()):
            tell(name)
            version = f"2.{number}.0"
            project.adapt(weight=trial.weight, margins=trial.margins, bake=settings.patience + LONGER)
            project.add_release(version)
            yield _play(project, (name, trial), version, settings)
    finally:
        project.close()


def _play(project: LiveProject, named: tuple[str, Trial], version: str, settings: Settings) -> Result:
    name, trial = named
    project.failures.unlink(missing_ok=True)
    with Load(project.url, rate=trial.rate, connections=CONNECTIONS) as load, Recorder(project) as recorder:
        with _deploying(project, version) as deployment:
            recorder.await_candidate(60.0)
            time.sleep(settings.healthy)
            seen = project.of_stable()
            began = time.time()
            project.fault.write_text(trial.order)
            given_up = not _ends(deployment, settings.patience)
            if given_up:
                project.fault.unlink()
                project.fairway("abort", project.newest_run(), "--reason", "the benchmark's patience is over")
        project.fault.unlink(missing_ok=True)
        report = load.stop()
    started = [one for one in project.events(project.newest_run()) if isinstance(one, RollbackStarted)]
    found = started[0] if started and not given_up else None
    taken_back = found.at if found is not None else began + settings.patience
    traffic = Traffic(trial.rate, seen.failed / max(1, seen.finished), seen.latency)
    return Result(
        name=name,
        trial=trial,
        promised=promise(trial, project.policy(), traffic, patience=settings.patience),
        after=None if found is None else round(found.at - began, 2),
        rule="" if found is None else found.rule,
        failed=len(failure_moments(project)),
        users=report.failed + report.unfinished,
        sent=report.sent,
        others=opinions(recorder.readings, fault=began, taken_back=taken_back),
    )


@contextmanager
def _deploying(project: LiveProject, version: str) -> Iterator[subprocess.Popen[bytes]]:
    """The command `fairway deploy`, which is over at the end of the block."""
    command = [*project.command("deploy", version, "--env", ENVIRONMENT), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
        process.wait(60.0)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _ends(process: subprocess.Popen[bytes], patience: float) -> bool:
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        return False
    return True
