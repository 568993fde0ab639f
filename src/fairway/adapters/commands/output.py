"""What a command writes: kept in a file, bounded however much comes, and the last lines of it for people."""

import contextlib
import os
from pathlib import Path

LIMIT = 10 * 1024 * 1024  # bytes, both files together
_LINES, _BYTES = 20, 4096  # of the tail


class BoundedOutput:
    """The output of one execution; what a former one left behind stays before it.

    The file is begun anew at half the limit, and the former half kept as `.1`: the last 5 MB at least are always there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tail = b""
        self._descriptor, self._size = -1, 0

    def write(self, chunk: bytes) -> None:
        """Adds output as it was read. On a full disk the file has a gap; the command goes on."""
        # Twice as much as is shown: a progress bar draws many times over one line.
        self._tail = (self._tail + chunk)[-16 * _BYTES :]
        with contextlib.suppress(OSError):
            if self._descriptor < 0 or self._size + len(chunk) > LIMIT // 2:
                self._begin(len(chunk))
            self._size += os.write(self._descriptor, chunk)

    def tail(self) -> str:
        """The last lines, 20 and 4 KiB at most; of a line that was drawn over, its last state."""
        lines = [line.rstrip(b"\r").rpartition(b"\r")[2] for line in self._tail.split(b"\n")]
        text = b"\n".join(lines).rstrip().split(b"\n")[-_LINES:]
        return b"\n".join(text)[-_BYTES:].decode(errors="replace")

    def close(self) -> None:
        """Closes the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _begin(self, room: int) -> None:
        self.close()
        self._size = self._path.stat().st_size if self._path.exists() else 0
        if self._size + room > LIMIT // 2:
            self._path.rename(self._path.with_name(f"{self._path.name}.1"))
            self._size = 0
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
