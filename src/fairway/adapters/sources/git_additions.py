"""What commits added, as files for scanners; implements `AddedContent`.

One `git log` tells of every line that a commit added, also of those that a later one took away, and of what a merge
holds that none of its parents has. Nothing of it is kept in memory, however long the history or a line is.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

from fairway.adapters.sources.git_process import GitProcess
from fairway.domain.errors import PermanentError, TransientError
from fairway.ports.pipeline import AddedContent

#: Whatever the user has set: plain text of every file, attributes or not, without anything around what was added.
_OPTIONS = (
    "--reverse",
    "--topo-order",
    "--format=%x00%H",
    "--cc",
    "--unified=0",
    "--inter-hunk-context=0",
    "--text",
    "--no-renames",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-show-signature",
    "--no-notes",
    "--submodule=short",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)
_LONG = 1 << 20  # bytes of a line that are held at most
_ESCAPED = re.compile(rb'\\([abtnvfr"\\]|[0-7]{3})')
_SIGNS = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}


class GitAdditions(AddedContent):
    """What the commits of one repository added.

    Args:
        folder: where the repository is; below its top, only what lies in the folder counts.
    """

    def __init__(self, folder: Path) -> None:
        self._git = GitProcess(folder)

    def lay(self, commit: str, since: str, folder: str, *, keep: Callable[[str], bool]) -> None:
        """Writes what was added: `COMMIT/PATH` below the folder holds the lines that a commit added to a file.

        Raises:
            PermanentError: a commit is not there, or the history is not whole.
            TransientError: the disk is full.
        """
        if self._git.run("rev-parse", "--is-shallow-repository").strip() == b"true":
            sentence = f'"{self._git.folder}" is a shallow clone: what earlier commits added is missing'
            hint = f'run: git -C "{self._git.folder}" fetch --unshallow --tags'
            raise PermanentError("shallow-repository", sentence, hint)
        # A whole history: git would pass over sides of merges of which nothing is left, for fewer lines in a log.
        below = bool(self._git.run("rev-parse", "--show-prefix").strip())
        where = ("--relative", "--full-history") if below else ("--no-relative",)
        wanted = [commit, *([f"^{since}"] if since else [])]
        pieces = self._git.pieces("log", *_OPTIONS, *where, *wanted, "--", *(["."] if below else []))
        writer = _Writer(Path(folder), keep)
        try:
            for text, begins, ends in _lines(pieces):
                writer.take(text, begins=begins, ends=ends)
        except OSError as error:
            sentence = f'what was added since {since[:12] or "ever"} cannot be written to "{folder}": {error.strerror}'
            raise TransientError("export-failed", sentence) from error
        finally:
            writer.close()


class _Writer:
    """Puts added lines where they belong, as git tells of them."""

    def __init__(self, folder: Path, keep: Callable[[str], bool]) -> None:
        self._folder = folder
        self._keep = keep
        self._commit = ""
        self._path: str | None = None
        self._file: IO[bytes] | None = None
        self._columns = 0
        self._adding = False

    def take(self, text: bytes, *, begins: bool, ends: bool) -> None:
        """A line, or a part of a long one."""
        if begins:
            self._adding = self._is_added(text)
            text = text[self._columns :]
        if self._adding:
            self._write(text + b"\n" if ends else text)

    def close(self) -> None:
        """Ends the file under way."""
        if self._file is not None:
            self._file.close()
        self._file = self._path = None
        self._columns = 0

    def _is_added(self, text: bytes) -> bool:
        """It is a line that was added; what says to which file of which commit is remembered."""
        # Lines of a file begin with a sign for each parent, so that no content is taken for a heading.
        if self._columns and text[:1] in (b"+", b"-", b" ", b"\\"):
            return text[: self._columns] == b"+" * self._columns
        if text[:1] == b"\0":
            self.close()
            self._commit = text[1:].decode()
        elif text.startswith(b"diff "):
            self.close()
        elif text.startswith(b"+++ "):
            self._path = _path(text[4:])
        elif text.startswith(b"@@"):
            self._columns = len(text) - len(text.lstrip(b"@")) - 1
        return False

    def _write(self, text: bytes) -> None:
        if self._file is None:
            if self._path is None or not self._keep(self._path):
                return
            place = self._folder / self._commit / self._path
            place.parent.mkdir(parents=True, exist_ok=True)
            self._file = place.open("wb")
        self._file.write(text)


def _lines(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bool, bool]]:
    """Each line, with whether it begins and ends here: a long one comes in parts."""
    rest, begins = b"", True
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line, begins, True
            begins = True
        if len(rest) > _LONG:
            yield rest, begins, False
            rest, begins = b"", False
    if rest:
        yield rest, begins, True


def _path(shown: bytes) -> str | None:
    """The path of a file as git shows it; None for one that was taken away."""
    shown = shown.removesuffix(b"\t")
    if shown.startswith(b'"'):
        shown = _ESCAPED.sub(lambda found: _sign(found[1]), shown[1:-1])
    if not shown.startswith(b"b/"):
        return None
    path = os.fsdecode(shown[2:])
    if any(part in {"", ".", ".."} for part in path.split("/")):
        raise PermanentError("unsafe-path", f"a commit holds the path {path!r}, which leads out of its folder")
    return path


def _sign(escaped: bytes) -> bytes:
    return bytes([int(escaped, 8) & 0xFF]) if len(escaped) == 3 else _SIGNS.get(escaped, escaped)
