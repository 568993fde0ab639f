"""The machine that load comes from: what it is, and how much of it is in use."""

import os
import platform
import time
from pathlib import Path


def describe_host() -> str:
    """What a reader must know to compare figures: processors, their kind, and the kernel."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Model")))
    return (
        f"{len(os.sched_getaffinity(0))} × {next(names, platform.machine())}, {platform.system()} {platform.release()}"
    )


def read_use(seconds: float = 1.0) -> tuple[float | None, float | None]:
    """Shares of processors and of memory that are in use on this machine; None where the system does not tell.

    Args:
        seconds: for how long the processors are watched.
    """
    return _processors(seconds), _memory()


def _processors(seconds: float) -> float | None:
    before = _times()
    time.sleep(seconds)
    after = _times()
    if before is None or after is None or after[0] <= before[0]:
        return None
    return 1.0 - (after[1] - before[1]) / (after[0] - before[0])


def _times() -> tuple[int, int] | None:
    """Ticks of all processors, and those of them in which they had nothing to do."""
    try:
        line = Path("/proc/stat").read_text().partition("\n")[0]
    except OSError:
        return None
    values = [int(value) for value in line.split()[1:9]]
    return sum(values), values[3] + values[4]


def _memory() -> float | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    sizes = {line.partition(":")[0]: int(line.split()[1]) for line in lines if line.partition(":")[2].strip()}
    if not sizes.get("MemTotal") or "MemAvailable" not in sizes:
        return None
    return 1.0 - sizes["MemAvailable"] / sizes["MemTotal"]
