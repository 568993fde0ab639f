"""Programs from PyPI that tests run beside Fairway, each in a virtual environment of its own below `.tools`."""

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).parents[1] / ".tools"


def find_program(name: str, requirement: str) -> Path:
    """The program `name` of the package that is required; fetched at the first call, whoever asks at the same time."""
    place = TOOLS / f"{name}-from-pypi"
    whole = place / requirement
    if not whole.exists():
        TOOLS.mkdir(exist_ok=True)
        with (TOOLS / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not whole.exists():
                _fetch(place, requirement)
                whole.touch()
    return place / "bin" / name


def _fetch(place: Path, requirement: str) -> None:
    # Made where it will stay, because its programs name their interpreter by its path.
    shutil.rmtree(place, ignore_errors=True)
    uv = str(TOOLS / "bin/uv")
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, str(place)],
        [uv, "pip", "install", "--quiet", "--python", str(place / "bin/python"), requirement],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, f"{requirement} could not be fetched: {done.stderr[-2000:]}"
