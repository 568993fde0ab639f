"""What tasks make, by digest, and what a cache key covers."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Product:
    """One file that a task made, or the sealed artifact of the service.

    Attributes:
        path: where the task left it, relative to its checkout, with slashes; for the sealed artifact, the service; for
            an image, its name.
        digest: `sha256:<64 hex digits>` of its bytes; of the sealed artifact, over its content; of an image, of its
            index.
        size: bytes; 0 for the sealed artifact.
        executable: its owner may execute it.
        kind: `file`, `image`, or `artifact` for the sealed artifact.
    """

    path: str
    digest: str
    size: int = 0
    executable: bool = False
    kind: str = "file"

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """`*` and `?` stay within a part of the path, `**/` stands for any parts, and a folder for all that is in it."""
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", text.removeprefix("./").rstrip("/"))
    return re.compile("".join(words.get(part, re.escape(part)) for part in parts) + "(?:/.*)?", re.DOTALL)


def matches(path: str, pattern: str) -> bool:
    """Whether the pattern means this path."""
    return _pattern(pattern).fullmatch(path) is not None


def select(paths: Iterable[str], patterns: tuple[str, ...]) -> list[str]:
    """The paths that a pattern means, sorted."""
    return sorted({path for path in paths if any(matches(path, pattern) for pattern in patterns)})


def cache_key(**parts: Any) -> str:
    """The key of an execution: 64 hex digits over everything that may change what comes out.

    Args:
        parts: JSON values.
    """
    text = json.dumps({"scheme": 1, **parts}, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
