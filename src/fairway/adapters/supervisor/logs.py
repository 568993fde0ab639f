"""Keeps what units write within bounds, although they write straight to the file."""

import os
from pathlib import Path

LIMIT = 10 * 1024 * 1024  # bytes in a file before it is rotated
KEPT = 3  # older files beside the present one
# Seconds between looks. What a program writes meanwhile is the most that it can exceed the limit by: the fastest one
# writes some 2 GB a second to memory, before the disk comes into it.
_CALM, _BUSY = 0.1, 0.01
_CHUNK = 1024 * 1024


class LogKeeper:
    """Rotates the logs in one folder.

    A rotation copies and truncates: the writer's descriptor stays valid, since it was opened for appending. What is
    written between the two is lost, and of a file that outgrew the limit only its end is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sizes: dict[str, int] = {}
        self._next = 0.0

    def advance(self, now: float) -> float:
        """Looks at the logs if it is time; returns when to look again, sooner when something writes fast."""
        if now < self._next:
            return self._next
        sizes: dict[str, int] = {}
        busy = False
        for entry in _list_logs(self._folder):
            size = _size(entry)
            growth = size - self._sizes.get(entry.name, 0)
            if size >= LIMIT:
                _try_to_rotate(Path(entry.path))
                size, growth = 0, LIMIT
            busy = busy or growth > LIMIT // 10
            sizes[entry.name] = size
        self._sizes = sizes
        self._next = now + (_BUSY if busy else _CALM)
        return self._next


def _list_logs(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if entry.name.endswith(".log")]
    except FileNotFoundError:  # somebody removed the whole folder; then the units go as well
        return []


def _size(entry: os.DirEntry[str]) -> int:
    try:
        status = entry.stat()
    except FileNotFoundError:  # removed in this moment, with the unit that it belonged to
        return 0
    # A program that opened /dev/stdout anew does not append: after a truncation it leaves a hole, which is no content.
    return min(status.st_size, status.st_blocks * 512)


def _try_to_rotate(path: Path) -> None:
    try:
        rotate(path)
    except OSError as problem:  # such as a log that is removed at this moment; no reason to stop watching the units
        print(f"{path}: not rotated: {problem}", flush=True)  # noqa: T201 the supervisor's own log


def rotate(path: Path) -> None:
    """Moves the end of the file's content to `.1`, what was there to `.2` and so on, and empties the file.

    The file is emptied in any case, even if the disk has no room for the copy.
    """
    older = [path.with_name(f"{path.name}.{number}") for number in range(1, KEPT + 1)]
    older[-1].unlink(missing_ok=True)
    for source, destination in zip(reversed(older[:-1]), reversed(older[1:]), strict=True):
        if source.exists():
            source.rename(destination)
    copy = path.with_name(f".{path.name}.copy")
    try:
        _copy_end(path, copy)
        copy.rename(older[0])
    except OSError as problem:
        print(f"{path}: not kept: {problem}", flush=True)  # noqa: T201 goes to the supervisor's own log
        copy.unlink(missing_ok=True)
    finally:
        os.truncate(path, 0)


def _copy_end(path: Path, copy: Path) -> None:
    with path.open("rb") as source, copy.open("wb") as destination:
        os.fchmod(destination.fileno(), 0o600)
        left = LIMIT
        size = os.fstat(source.fileno()).st_size
        if size > left:
            source.seek(size - left)
            source.readline(_CHUNK)  # begin with a whole line
        while left > 0 and (chunk := source.read(min(left, _CHUNK))):
            destination.write(chunk)
            left -= len(chunk)
