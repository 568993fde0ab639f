"""One fault after the other on one project."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.live_canary.project import LiveProject
from benchmarks.live_canary.series import Opinion, Recorder, opinions
from benchmarks.service import ENVIRONMENT, FIRST
from benchmarks.traffic import failure_moments
from fairway.adapters.load.process import Load
from fairway.domain.rollout.events import RollbackStarted

FAULTS = {
    "errors 1 %": "errors 0.01",
    "errors 5 %": "errors 0.05",
    "errors 100 %": "errors 1",
    "P99 +20 %": "tail 1.2",
    "2 × slower": "slow 2",
    "hang": "hang",
    "crash loop": "crash",
    "memory leak": "leak",
    "connection resets": "reset",
}
"""By name: what is written into the file that the candidate obeys."""

HEALTHY = 10.0
"""Seconds for which the candidate serves well before its fault is switched on."""

CONNECTIONS = 64


@dataclass(frozen=True, slots=True)
class Settings:
    """How hard and how long.

    Attributes:
        rate: requests a second to both revisions together.
        patience: seconds from the fault after which we give up and take the candidate back by hand.
    """

    rate: float
    patience: float


@dataclass(frozen=True, slots=True)
class Result:
    """One fault.

    Attributes:
        after: seconds from the fault to the roll-back; None: not found.
        rule: what decided.
        failed: requests that the application failed on the candidate.
        users: requests of users that failed, of `sent`.
        others: what threshold rules would have done.
    """

    name: str
    after: float | None
    rule: str
    failed: int
    users: int
    sent: int
    others: dict[str, Opinion]


def play(names: list[str], settings: Settings, tell: Callable[[str], None]) -> Iterator[Result]:
    """Plays the faults in order; everything that was started is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="fairway-live-"))
    project = LiveProject(folder, bake=f"{settings.patience + 60.0:.0f}s")
    try:
        tell("first deployment")
        if project.deploy(FIRST).status != 0:
            raise RuntimeError("the first deployment failed")
        for number, name in enumerate(names):
            tell(name)
            yield _play(project, name, f"2.{number}.0", settings)
    finally:
        project.close()


def _play(project: LiveProject, name: str, version: str, settings: Settings) -> Result:
    project.add(version)
    project.failures.unlink(missing_ok=True)
    with Load(project.url, rate=settings.rate, connections=CONNECTIONS) as load, Recorder(project) as recorder:
        with _deploying(project, version) as deployment:
            recorder.await_candidate(60.0)
            time.sleep(HEALTHY)
            began = time.time()
            project.fault.write_text(FAULTS[name])
            given_up = not _ends(deployment, settings.patience)
            if given_up:
                project.fault.unlink()
                project.fairway("abort", project.newest_run(), "--reason", "the benchmark's patience is over")
        project.fault.unlink(missing_ok=True)
        report = load.stop()
    started = [one for one in project.events(project.newest_run()) if isinstance(one, RollbackStarted)]
    found = started[0] if started and not given_up else None
    taken_back = found.at if found is not None else began + settings.patience
    return Result(
        name=name,
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
