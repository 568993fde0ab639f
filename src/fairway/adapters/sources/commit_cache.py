"""What commits say, kept under their object names: a commit never changes, so that it is read and parsed once ever.

One file in the repository's own folder, `fairway/commits`, under a line that names what wrote it, the commits that lead
to all of it, and a checksum. It is a copy of what git has: where it is missing, damaged or of another version, it is
made anew, and where it cannot be written, things only take longer. All ancestors of a commit that is kept are kept.
"""

import os
import sys
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from fairway.adapters.sources import commit_lines
from fairway.adapters.sources.commit_lines import read_kept, write_kept
from fairway.domain.versioning import message, packed, references, squash
from fairway.domain.versioning.commits import Commit

_NAME = "commits"


class Kept(NamedTuple):
    """Commits that are kept.

    Attributes:
        commits: by id; of the text below a subject only what names pull requests and issues.
        starts: where all of them can be reached from.
    """

    commits: dict[str, Commit]
    starts: frozenset[str]


NOTHING = Kept({}, frozenset())


class CommitCache:
    """The commits of one repository.

    Args:
        folder: where the file lies; made when something is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME

    def load(self) -> Kept:
        """All commits that are kept."""
        try:
            heading, _, content = self._path.read_bytes().partition(b"\n")
            starts = heading.rpartition(b" ")[2].decode()
            if heading != _heading(content, starts):
                return NOTHING
            return Kept(read_kept(content.decode("utf-8", "surrogatepass")), frozenset(starts.split(",")))
        except (OSError, ValueError, LookupError, TypeError):
            return NOTHING

    def keep(self, commits: Iterable[Commit], starts: Iterable[str]) -> None:
        """Keeps these in place of what is there; readers see the old file or the new one, never half of it.

        Args:
            commits: with all of their ancestors.
            starts: where all of them can be reached from.
        """
        content = write_kept(commits).encode("utf-8", "surrogatepass")
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o755, exist_ok=True)
            draft = self._path.with_name(f".{_NAME}.{os.getpid()}")
            with draft.open("wb") as file:
                file.write(_heading(content, ",".join(starts)) + b"\n")
                file.write(content)
            draft.replace(self._path)


def missing(starts: Iterable[str], kept: Mapping[str, Commit]) -> tuple[dict[str, Commit], list[str]]:
    """The commits that can be reached from the starts and are kept, and those starts that are not."""
    found: dict[str, Commit] = {}
    unknown = []
    waiting = list(starts)
    while waiting:
        one = waiting.pop()
        if one in found:
            continue
        commit = kept.get(one)
        if commit is None:
            unknown.append(one)
            continue
        found[one] = commit
        waiting.extend(commit.parents)
    return found, unknown


def tips(kept: Mapping[str, Commit]) -> list[str]:
    """The commits that are no parents of others."""
    parents = {parent for commit in kept.values() for parent in commit.parents}
    return [one for one in kept if one not in parents]


def _heading(content: bytes, starts: str) -> bytes:
    """Names the code that reads messages, and the Python that wrote: others may read them otherwise."""
    code = zlib.crc32(sys.version.encode())
    for module in (commit_lines, message, packed, references, squash):
        code = zlib.crc32(Path(str(module.__file__)).read_bytes(), code)
    return f"fairway commits {code:08x} {zlib.crc32(content):08x} {starts}".encode()
