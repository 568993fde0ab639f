"""Reading what one instance wrote, across the rotation of its file.

The file is rotated by copying it to `.1` and emptying it, see the port `Supervisor`. So a rotation shows in `.1` being
another file than before, and the rest of what had been begun is in there.
"""

from pathlib import Path

_CHUNK = 64 * 1024
_LONGEST = 64 * 1024  # bytes after which a line that does not end is given out in parts


class LogReader:
    """One reading of a log, from somewhere near its end on.

    Args:
        path: the present file; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._older = _inode(_first_older(path))
        self._begun = b""

    def tail(self, lines: int, *, whole: bool) -> list[str]:
        """The last lines, oldest first; `read_on` continues after them.

        Args:
            lines: how many at most, 0 or more.
            whole: leave a last line that has no end yet to `read_on`.
        """
        text, self._offset = _end_of(self._path, lines)
        ended, newline, self._begun = text.rpartition(b"\n")
        text = ended + newline
        for older in _older(self._path):
            missing = lines - text.count(b"\n")
            if missing <= 0:
                break
            text = _end_of(older, missing)[0] + text
        found = text.split(b"\n")[:-1]
        if self._begun and not whole:
            found.append(self._begun)
        return [_decode(line) for line in found[max(0, len(found) - lines) :]]

    def read_on(self) -> list[str]:
        """The lines that were finished since the last call, in order."""
        text = self._begun
        older = _inode(_first_older(self._path))
        if older != self._older:
            text += self._read(_first_older(self._path))
            self._older, self._offset = older, 0
        text += self._read(self._path)
        *lines, self._begun = text.split(b"\n")
        if len(self._begun) > _LONGEST:
            lines.append(self._begun)
            self._begun = b""
        return [_decode(line) for line in lines]

    def _read(self, path: Path) -> bytes:
        try:
            with path.open("rb") as file:
                if self._offset > file.seek(0, 2):
                    self._offset = 0  # it was emptied without a copy, for the disk was full
                file.seek(self._offset)
                text = file.read()
        except FileNotFoundError:
            return b""
        self._offset += len(text)
        return text


def remove_log(path: Path) -> None:
    """Removes a log and its older files."""
    for file in (path, *_older(path)):
        file.unlink(missing_ok=True)


def _decode(line: bytes) -> str:
    return line.removesuffix(b"\r").decode("utf-8", "replace")


def _first_older(path: Path) -> Path:
    return path.with_name(f"{path.name}.1")


def _older(path: Path) -> list[Path]:
    """The log's older files, youngest first."""
    found = [file for file in path.parent.glob(f"{path.name}.*") if file.suffix[1:].isdigit()]
    return sorted(found, key=lambda file: int(file.suffix[1:]))


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


def _end_of(path: Path, lines: int) -> tuple[bytes, int]:
    """The end of a file with that many line ends in it and what is before the first, and the file's size.

    A file that has fewer is given whole.
    """
    try:
        with path.open("rb") as file:
            size = left = file.seek(0, 2)
            text = b""
            while left and text.count(b"\n") <= lines:
                step = min(left, _CHUNK)
                left -= step
                file.seek(left)
                text = file.read(step) + text
    except FileNotFoundError:
        return b"", 0
    return text, size
