"""Tells whether anything has changed that decides how a configuration is read."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import fairway


def digest_of(path: Path) -> str | None:
    """A digest of everything that decides what is read; None where that cannot be told."""
    digest = hashlib.sha256(f"{fairway.__version__}\n{Path.cwd() / path.parent}\n".encode("utf-8", "surrogateescape"))
    try:
        for name, about in _code():
            digest.update(f"{name} {about.st_size} {about.st_mtime_ns}\n".encode())
        digest.update(path.read_bytes())
    except OSError:
        return None
    return digest.hexdigest()


def _code(folder: str = str(Path(fairway.__file__).parent)) -> Iterator[tuple[str, os.stat_result]]:
    """Fairway's own code: any of it may have a say in what is read, or will have one day."""
    with os.scandir(folder) as found:
        for entry in sorted(found, key=lambda one: one.name):
            if entry.is_dir():
                yield from _code(entry.path)
            elif entry.name.endswith(".py"):
                yield entry.path, entry.stat()
