"""Fixes the content of a folder, and finds what changed since.

A sealed file is read-only, but root ignores permissions: only the comparison counts. Every path that was not there at
sealing is an alteration, compiled Python (`__pycache__`) included: a `.pyc` is run in place of the source beside it, so
a store that overlooked it would overlook the code. Instances run with PYTHONDONTWRITEBYTECODE=1 for this reason.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from fairway.adapters.artifacts.local.copying import copy_file
from fairway.adapters.artifacts.local.manifest import Entry, Stamp
from fairway.domain.errors import PermanentError

_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def seal(folder: Path) -> list[Entry]:
    """Makes everything below the folder read-only and returns what it is, in the order of the walk.

    A file that shares its inode with another one (package installers link from their caches) is replaced by a copy
    first: else a change in the cache would change the artifact, and our permissions would be the cache's.
    """
    entries = []
    folders = [folder]
    for item in _walk(folder):
        status = item.stat(follow_symlinks=False)
        path = Path(item.path)
        if stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
            _unshare(path)
        if stat.S_ISDIR(status.st_mode):
            folders.append(path)
        elif stat.S_ISREG(status.st_mode):
            path.chmod(stat.S_IMODE(status.st_mode) & ~_WRITABLE)
        entries.append(_entry(item.path, _relative(item.path, folder)))
    for path in folders:
        path.chmod(stat.S_IMODE(path.lstat().st_mode) & ~_WRITABLE)
    return entries


def read(folder: Path) -> list[Entry]:
    """What lies below the folder, every file read; nothing is changed."""
    return [_entry(item.path, _relative(item.path, folder)) for item in _walk(folder)]


def compare(folder: Path, sealed: Mapping[str, Entry], *, thorough: bool) -> tuple[str | None, dict[str, Entry]]:
    """What is altered, and the entries with stamps as they are now.

    A file whose stamp (times of change of content and inode, inode, mode, size) is the sealed one is taken as unread
    and unaltered; what differs is read in full. `thorough` reads everything: it also finds what a failing disk, or a
    program that writes below the file system, did.

    Returns:
        One sentence about the first altered, extra or missing path, None if there is none; and the entries.
    """
    seen: dict[str, Entry] = {}
    for item in _walk(folder):
        path = _relative(item.path, folder)
        before = sealed.get(path)
        if before is None:
            return f"{_shown(path)} was added", seen
        stamp = Stamp.of(item.stat(follow_symlinks=False))
        unread = before.kind == "file" and before.stamp == stamp and not thorough
        now = before if unread else _entry(item.path, path)
        if not now.same_content(before):
            return _difference(before, now), seen
        seen[path] = now
    missing = next((path for path in sealed if path not in seen), None)
    return (f"{_shown(missing)} is missing" if missing is not None else None), seen


def _difference(before: Entry, now: Entry) -> str:
    shown = _shown(now.path)
    if before.kind != now.kind:
        return f"{shown} was a {before.kind} and is a {now.kind}"
    if before.content == now.content:
        return f"{shown} {'is no longer' if before.executable else 'became'} executable"
    if before.kind == "link":
        return f"{shown} pointed to {_shown(before.content)} and points to {_shown(now.content)}"
    sizes = f" ({before.size} bytes, now {now.size})" if before.size != now.size else ""
    return f"the content of {shown} was altered{sizes}"


def _walk(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Every path below the folder, each folder before what it holds, in the order of names."""
    with os.scandir(folder) as found:
        items = sorted(found, key=lambda item: os.fsencode(item.name))
    for item in items:
        yield item
        if item.is_dir(follow_symlinks=False):
            yield from _walk(Path(item.path))


def _entry(path: str, relative: str) -> Entry:
    status = os.lstat(path)
    if stat.S_ISLNK(status.st_mode):
        target = os.readlink(path)  # noqa: PTH115 - a Path would tidy the text up
        return Entry(relative, "link", executable=False, size=0, content=target)
    if stat.S_ISDIR(status.st_mode):
        return Entry(relative, "folder", executable=False, size=0, content="")
    if not stat.S_ISREG(status.st_mode):
        raise PermanentError(
            "special-file",
            f"{_shown(relative)} is a socket, pipe or device and cannot be part of an artifact",
            "let the last build step remove it",
        )
    return _file_entry(path, relative)


def _file_entry(path: str, relative: str) -> Entry:
    with open(path, "rb", buffering=0, opener=_without_following) as file:
        # Stamped before it is read: a later change shows in the stamp.
        status = os.fstat(file.fileno())
        content = hashlib.file_digest(file, "sha256").hexdigest()
    executable = bool(status.st_mode & stat.S_IXUSR)
    return Entry(relative, "file", executable, status.st_size, content, Stamp.of(status))


def _without_following(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


def _unshare(path: Path) -> None:
    copy = path.with_name(f"{path.name}.fairway-copy")
    copy_file(path, copy)
    copy.replace(path)


def _relative(path: str, folder: Path) -> str:
    return path[len(str(folder)) + 1 :]


def _shown(path: str) -> str:
    return f'"{path}"' if path.isprintable() else ascii(path)


def restamped(sealed: Mapping[str, Entry], seen: Mapping[str, Entry]) -> dict[str, Entry] | None:
    """The entries with the stamps as seen, None if no stamp differs."""
    changed = {path for path, entry in seen.items() if entry.stamp != sealed[path].stamp}
    if not changed:
        return None
    return {path: replace(entry, stamp=seen[path].stamp) for path, entry in sealed.items()}
