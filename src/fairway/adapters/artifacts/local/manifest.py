"""What an artifact consists of, and the digest over it.

The digest covers path, kind, executable bit, size and bytes of every file, the text of every symbolic link, and every
folder, empty ones too; not owners, times or other permissions, which a copy does not keep. What a link points to
outside of the artifact is not part of it.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["file", "link", "folder"]
_HEADER = b"fairway-artifact-1\0"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the file system says about a file; while it stays the same, so does the content.

    The time of the last change of the inode (`ctime`) cannot be set back by a program, unlike that of the content.
    """

    modified: int
    changed: int
    inode: int
    mode: int
    size: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Stamp":
        """The stamp of a file; times are nanoseconds since the epoch."""
        return cls(status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_mode, status.st_size)


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of an artifact.

    Attributes:
        path: relative, with slashes; bytes that are not UTF-8 as lone surrogates, as Python gives them.
        executable: the owner may execute it; False for links and folders.
        content: SHA-256 of a file in hex, the text of a link, empty for a folder.
        stamp: as sealed; None where it is not known. Not part of the digest.
    """

    path: str
    kind: Kind
    executable: bool
    size: int
    content: str
    stamp: Stamp | None = None

    def canonical(self) -> bytes:
        """Fields ended by a zero byte, which neither a path nor a link can hold: two entries never look alike."""
        fields = (self.kind, "x" if self.executable else "-", str(self.size), self.content, self.path)
        return b"".join(os.fsencode(field) + b"\0" for field in fields)

    def same_content(self, other: "Entry") -> bool:
        """True if both would add the same to a digest."""
        return self.canonical() == other.canonical()


def digest_of(entries: Iterable[Entry]) -> str:
    """`sha256:<64 hex digits>` over the entries in the order of their paths' bytes."""
    hasher = hashlib.sha256(_HEADER)
    for entry in sorted(entries, key=lambda entry: os.fsencode(entry.path)):
        hasher.update(entry.canonical())
    return f"sha256:{hasher.hexdigest()}"


def encode(entries: Iterable[Entry]) -> str:
    """One JSON array an entry and line; ASCII, so that every path survives."""
    rows = []
    for entry in entries:
        stamp = entry.stamp
        numbers = [stamp.modified, stamp.changed, stamp.inode, stamp.mode, stamp.size] if stamp else None
        rows.append(json.dumps([entry.path, entry.kind, entry.executable, entry.size, entry.content, numbers]))
    return "".join(f"{row}\n" for row in rows)


def decode(text: str) -> dict[str, Entry]:
    """The entries by path.

    Raises:
        ValueError: the text was not made by `encode`.
    """
    entries = {}
    try:
        for path, kind, executable, size, content, numbers in json.loads(f"[{','.join(text.splitlines())}]"):
            entries[path] = Entry(path, kind, executable, size, content, Stamp(*numbers) if numbers else None)
    except TypeError as error:
        raise ValueError(f"no manifest: {error}") from error
    return entries
