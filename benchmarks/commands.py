"""How long commands take that people and scripts run often."""

import os
import resource
import shutil
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Limit, Row
from benchmarks.processor import observe
from benchmarks.service import ENVIRONMENT, Service

REPEATS = 10
_NULL = ((os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0), (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0))


@dataclass(frozen=True, slots=True)
class Time:
    """One run of a command, in seconds: by the clock, and of processor time."""

    wall: float
    processor: float
    status: int


def measure_commands(service: Service, repeats: int = REPEATS) -> list[Row]:
    """Fairway's quick commands beside the least that Python and git take."""
    git = shutil.which("git") or "git"
    # All that a deployment does before its run begins: what is live already is found out last.
    again = service.command("deploy", service.live(), "--env", ENVIRONMENT)
    return [
        measure("fairway --version", service.command("--version")[:2], service.folder, repeats, below=150.0),
        measure("fairway status", service.command("status"), service.folder, repeats, below=400.0),
        measure("fairway deploy, nothing to do", again, service.folder, repeats),
        measure("python -c pass", [sys.executable, "-c", "pass"], service.folder, repeats),
        measure("git --version", [git, "--version"], service.folder, repeats),
    ]


def measure(name: str, command: list[str], folder: Path, repeats: int, *, below: float | None = None) -> Row:
    """The median of some runs, after one that warms up."""
    run(command)
    began = observe(folder)
    times = [run(command) for _ in range(repeats)]
    usage = began.until(observe(folder))
    figures = {
        "median_ms": round(statistics.median(one.wall for one in times) * 1000, 1),
        "max_ms": round(max(one.wall for one in times) * 1000, 1),
        "processor_ms": round(statistics.median(one.processor for one in times) * 1000, 1),
    }
    failed = [one.status for one in times if one.status != 0]
    problem = f"ended with status {failed[0]}" if failed else None
    limits = () if below is None else (Limit("median_ms", below=below),)
    return Row(name, figures, limits, usage, problem)


def run(command: list[str]) -> Time:
    """Runs a command once; its output goes nowhere."""
    began = time.monotonic()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=_NULL)
    _, status, used = os.wait4(pid, 0)
    return Time(time.monotonic() - began, _processor(used), os.waitstatus_to_exitcode(status))


def _processor(used: resource.struct_rusage) -> float:
    return used.ru_utime + used.ru_stime
