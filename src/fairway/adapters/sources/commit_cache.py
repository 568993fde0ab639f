"""What commits say, kept under their object names: a commit never changes, so that it is read and parsed once ever.

One file in the repository's own folder, `fairway/commits`, under a line that names what wrote it and a checksum. It is
a copy of what git has: where it is missing, damaged or of another version, it is made anew, and where it cannot be
written, things only take longer. All ancestors of a commit that is kept are kept as well.
"""

import hashlib
import marshal
import os
import sys
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from fairway.domain.versioning import message, references, squash
from fairway.domain.versioning.commits import Commit
from fairway.domain.versioning.message import Change, Message, Revert
from fairway.domain.versioning.references import lines_with_references

_NAME = "commits"


class CommitCache:
    """The commits of one repository.

    Args:
        folder: where the file lies; made when something is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME

    def load(self) -> dict[str, Commit]:
        """All commits that are kept, by id; of the text below a subject only what names pull requests and issues."""
        try:
            heading, _, content = self._path.read_bytes().partition(b"\n")
        except OSError:
            return {}
        if heading != _heading(content):
            return {}
        # Twice as fast as JSON; only what this code wrote gets here, and whoever can write into the repository's own
        # folder can have git run programs anyway.
        return {row[0]: _commit(row) for row in marshal.loads(content)}  # noqa: S302  # nosec B302

    def keep(self, commits: Iterable[Commit]) -> None:
        """Keeps these in place of what is there; readers see the old file or the new one, never half of it.

        Args:
            commits: with all of their ancestors.
        """
        content = marshal.dumps([_row(one) for one in commits])
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o755, exist_ok=True)
            draft = self._path.with_name(f".{_NAME}.{os.getpid()}")
            draft.write_bytes(_heading(content) + b"\n" + content)
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


def _heading(content: bytes) -> bytes:
    """Names the code that reads messages, and the Python that wrote: others may read them otherwise."""
    digest = hashlib.sha256(sys.version.encode())
    for module in (message, references, squash):
        digest.update(Path(str(module.__file__)).read_bytes())
    return f"fairway commits {digest.hexdigest()[:16]} {zlib.crc32(content):08x}".encode()


def _row(commit: Commit) -> tuple[Any, ...]:
    said = commit.message
    told = tuple([tuple(each) for each in said.changes])
    taken = None if said.revert is None else tuple(said.revert)
    return (*commit[:5], said.subject, told, taken, said.release_as, lines_with_references(said.rest))


def _commit(row: tuple[Any, ...]) -> Commit:
    name, parents, committed, author, authored, subject, told, taken, release_as, rest = row
    changes = tuple([Change._make(each) for each in told])
    revert = None if taken is None else Revert._make(taken)
    return Commit(name, parents, committed, author, authored, Message(subject, changes, revert, release_as, rest))
