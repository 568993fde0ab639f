"""What a build prints: passed on line by line, kept in a file, bounded however much comes."""

from collections import deque
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from types import TracebackType

_KEPT_BYTES = 50 << 20
_KEPT_LINES = 200_000
_LONGEST_LINE = 8192
_TAIL_BYTES = 64 << 10


class BuildLog:
    """The output of one build, in a file that is begun anew.

    The first 50 MB or 200,000 lines, whichever ends first, are written and passed on as they come; of what follows
    only the last 64 kB are kept, and added at the end behind a line that says how much is left out. A line longer than
    8 kB is passed on in pieces; of a line that a progress bar draws over, its last state.
    """

    def __init__(self, path: Path, receive: Callable[[str], None]) -> None:
        self.path = path
        self._receive = receive
        self._file = path.open("wb")
        self._bytes = 0
        self._lines = 0
        self._unfinished = b""
        self._overflow = 0
        self._tail = b""
        self._last: deque[str] = deque(maxlen=20)

    def say(self, text: str) -> None:
        """Adds a line of our own."""
        self.end_line()
        self.write(f"{text}\n".encode())

    def write(self, chunk: bytes) -> None:
        """Adds output as it was read."""
        if self._bytes >= _KEPT_BYTES or self._lines >= _KEPT_LINES:
            self._skip(chunk)
            return
        self._file.write(chunk)
        self._bytes += len(chunk)
        lines = (self._unfinished + chunk).split(b"\n")
        self._unfinished = lines.pop()
        for line in lines:
            self._pass_on(line)
        if len(self._unfinished) > _LONGEST_LINE:
            self.end_line()

    def end_line(self) -> None:
        """Passes on a line that has not been ended, if there is one."""
        line, self._unfinished = self._unfinished, b""
        if line:
            self._pass_on(line)

    def last_lines(self) -> list[str]:
        """Up to 20 lines, the newest last."""
        if not self._overflow:
            return list(self._last)
        return [_text(line) for line in self._tail.splitlines()[-20:]]

    def _pass_on(self, line: bytes) -> None:
        for start in range(0, max(len(line), 1), _LONGEST_LINE):
            text = _text(line[start : start + _LONGEST_LINE])
            self._lines += 1
            self._last.append(text)
            self._receive(text)

    def _skip(self, chunk: bytes) -> None:
        if not self._overflow:
            self.end_line()
            self._receive("(too much output: only its end is kept from here on)")
        self._overflow += len(chunk)
        self._tail = (self._tail + chunk)[-_TAIL_BYTES:]

    def __enter__(self) -> "BuildLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # On a full disk the failure under way says more than that the log cannot be ended.
        with suppress(OSError) if error else nullcontext(), self._file:
            if self._overflow:
                left_out = self._overflow - len(self._tail)
                self._file.write(f"\n({left_out} bytes left out)\n".encode() + self._tail)


def _text(line: bytes) -> str:
    return line.rstrip(b"\r").rpartition(b"\r")[2].decode(errors="replace")
