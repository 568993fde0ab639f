"""What can be written to a folder, and on what kind of file system it lies."""

import contextlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

from fairway.ports.machine import FolderState


def observe_folder(folder: Path) -> FolderState:
    """The folder, after writing a file there and removing it; of one that does not exist, the nearest above."""
    place = folder.absolute()
    while not place.is_dir() and place != place.parent:
        if place.exists():
            return FolderState(True, f"{str(place)!r} is not a folder", "", 0, 0.0, 0, False, 0.0)
        place = place.parent
    usage, status = shutil.disk_usage(place), place.stat()
    return FolderState(
        exists=place == folder.absolute(),
        problem=_try_to_write(place),
        file_system=_file_system(place.resolve()),
        free_bytes=usage.free,
        free_share=usage.free / usage.total if usage.total else 0.0,
        mode=stat.S_IMODE(status.st_mode),
        ours=status.st_uid == os.geteuid(),
        changed=_latest_change(place, status.st_mtime),
    )


def _try_to_write(place: Path) -> str | None:
    try:
        with tempfile.NamedTemporaryFile(prefix=".fairway-doctor-", dir=place) as file:
            file.write(b"written by fairway doctor")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return f"nothing can be written to {str(place)!r}: {error.strerror}"
    return None


def _latest_change(place: Path, own: float) -> float:
    times = [own]
    # Entries come and go while we look.
    with contextlib.suppress(OSError):
        for entry in os.scandir(place):
            with contextlib.suppress(OSError):
                times.append(entry.stat(follow_symlinks=False).st_mtime)
    return max(times)


def _file_system(place: Path) -> str:
    """The type of the innermost mount that holds the folder."""
    best, kind = -1, ""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            before, _, after = line.partition(" - ")
            point = Path(before.split(" ")[4].replace("\\040", " "))
            # The last of several mounts on one point is the one that is seen.
            if len(point.parts) >= best and place.is_relative_to(point):
                best, kind = len(point.parts), after.split(" ")[0]
    return kind
