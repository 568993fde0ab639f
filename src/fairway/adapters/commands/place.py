"""What lies in the folder of one execution, and how it is written.

    lock          held (flock) from before the start until after the result: whoever can take it knows that nothing runs
    process.json  which process runs the command; written before the command's first instruction
    output.log    what it wrote, bounded; `.1` is older
    result.json   how it ended; once it is there, nothing is ever started here again

The command's variables are never written: they go to the watching process through a pipe, and from there to the
command.

Imported by the watching process too: standard library only.
"""

import contextlib
import fcntl
import json
import os
from pathlib import Path
from typing import Any

Json = dict[str, Any]


class Place:
    """The folder of one execution.

    Args:
        folder: it need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = folder / "lock"
        self.process = folder / "process.json"
        self.output = folder / "output.log"
        self.result = folder / "result.json"

    def take_lock(self) -> int | None:
        """A descriptor that holds the lock for as long as any copy of it is open; None if somebody else has it."""
        while True:
            # One after the other: the mode holds for the last of the folders only.
            self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o700, exist_ok=True)
            try:
                descriptor = os.open(self.lock, os.O_RDWR | os.O_CREAT, 0o600)
            except FileNotFoundError:
                continue  # the folder was pruned in between
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return None
            if self._is_lock(descriptor):
                return descriptor
            os.close(descriptor)

    def _is_lock(self, descriptor: int) -> bool:
        # A lock on a file that was pruned between opening and locking keeps nobody out.
        with contextlib.suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(descriptor), self.lock.stat())
        return False


def read_json(path: Path) -> Json | None:
    """The object in the file; None if the file is absent or holds none."""
    try:
        value = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def write_json(path: Path, value: Json, *, durable: bool) -> None:
    """Replaces the file in one step; only the owner may read it.

    Args:
        path: the file; only the holder of the folder's lock may call this.
        value: what it shall hold.
        durable: also survive a loss of power.
    """
    draft = path.with_name(f".{path.name}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(value, file)
        file.flush()
        if durable:
            os.fsync(file.fileno())
    draft.rename(path)
    if durable:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
