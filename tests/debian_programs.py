"""Programs of Debian's archive, unpacked into a folder of the project's own: nothing is installed.

They are fetched at the first call by `apt-get download`, which needs no rights; on other systems the program itself
must be installed.
"""

import fcntl
import shutil
import subprocess
import tempfile
from pathlib import Path

TOOLS = Path(__file__).parents[1] / ".tools"


def unpacked(name: str, *packages: str) -> Path:
    """The folder that holds what is in these packages; several processes may ask at once."""
    place = TOOLS / name
    if not place.exists():
        TOOLS.mkdir(exist_ok=True)
        with (TOOLS / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not place.exists():
                _fetch(place, packages)
    return place


def _fetch(place: Path, packages: tuple[str, ...]) -> None:
    assert shutil.which("apt-get"), f"{packages[0]} is neither installed nor to be had: this is no Debian"
    with tempfile.TemporaryDirectory(prefix="fairway-debian-") as folder:
        command = ["apt-get", "download", *packages]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            subprocess.run(["apt-get", "update"], capture_output=True, timeout=300, check=False)
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, f"apt-get could not fetch {', '.join(packages)}: {done.stderr[-2000:]}"
        draft = place.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        for package in sorted(Path(folder).glob("*.deb")):
            subprocess.run(["dpkg-deb", "--extract", str(package), str(draft)], check=True, capture_output=True)
        draft.rename(place)
