"""A checkout of exactly what a commit holds, written from the objects themselves.

`git archive` leaves out what `export-ignore` says and rewrites `export-subst`; a checkout runs filters and converts
line ends as the caller's settings want. Neither is the committed content, and the same commit would give different
artifacts on two machines. Reading the objects gives the same bytes everywhere.
"""

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fairway.adapters.sources.git_process import GitProcess
from fairway.domain.errors import PermanentError, TransientError, UserError

_LINK = "120000"
_SUBMODULE = "160000"
_CHUNK = 1 << 20
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_LFS_LARGEST = 1024  # bytes; a pointer is smaller by its own specification


@dataclass(frozen=True, slots=True)
class _Entry:
    mode: str
    object: str
    path: str


def export_tree(git: GitProcess, commit: str, prefix: str, folder: Path, committed: float) -> None:
    """Writes the content of the commit below `prefix` into the folder.

    Args:
        git: the repository.
        commit: full object name.
        prefix: folder inside the repository with a trailing slash, empty for all.
        folder: empty or not there yet.
        committed: seconds since the epoch, UTC, that files get as their time of change.
    """
    tree = f"{commit}:{prefix.removesuffix('/')}"
    status, _, _ = git.attempt("rev-parse", "--verify", "--quiet", "--end-of-options", tree)
    if status != 0:
        raise UserError("no-folder-in-commit", f'commit {commit[:12]} holds no folder "{prefix}"')
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UserError("folder-not-empty", f'"{folder}" is not empty')
        entries = _entries(git, tree)
        _write_entries(git, [entry for entry in entries if entry.mode != _SUBMODULE], folder, committed)
    except OSError as error:
        raise TransientError(
            "export-failed", f'commit {commit[:12]} cannot be written to "{folder}": {error.strerror}'
        ) from error
    for entry in entries:
        if entry.mode == _SUBMODULE:
            _export_submodule(git, commit, prefix, entry, folder, committed)


def _entries(git: GitProcess, tree: str) -> list[_Entry]:
    listed = git.run("ls-tree", "-r", "-z", "--full-tree", tree)
    entries = []
    for line in listed.split(b"\0")[:-1]:
        facts, _, path = line.partition(b"\t")
        mode, _, name = facts.decode().split(" ")
        entries.append(_Entry(mode, name, _safe(os.fsdecode(path))))
    return entries


def _safe(path: str) -> str:
    """The path, if it stays inside: git checks what it fetches, but not what was put into a repository by hand."""
    if path.startswith("/") or any(part in {"", ".", ".."} or part.lower() == ".git" for part in path.split("/")):
        raise PermanentError("unsafe-path", f"the commit holds the path {path!r}, which leads out of its folder")
    return path


def _write_entries(git: GitProcess, entries: list[_Entry], folder: Path, committed: float) -> None:
    """Links come last and never below each other, so that no file is ever written through one."""
    files = [entry for entry in entries if entry.mode != _LINK]
    links = [entry for entry in entries if entry.mode == _LINK]
    _refuse_nested({entry.path for entry in links}, entries)
    for parent in {(folder / entry.path).parent for entry in entries}:
        parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile() as wanted:
        wanted.write(b"".join(f"{entry.object}\n".encode() for entry in files + links))
        wanted.seek(0)
        with git.stream("cat-file", "--batch", "--buffer", stdin=wanted) as contents:
            for entry in files:
                _write_file(contents, entry, folder / entry.path, committed)
            for entry in links:
                target = contents.read(_size(contents, entry))
                contents.read(1)
                (folder / entry.path).symlink_to(os.fsdecode(target))


def _refuse_nested(links: set[str], entries: list[_Entry]) -> None:
    for entry in entries if links else ():
        parents = entry.path.split("/")[:-1]
        if any("/".join(parents[: depth + 1]) in links for depth in range(len(parents))):
            raise PermanentError("unsafe-path", f"the commit holds the path {entry.path!r} behind a symbolic link")


def _write_file(contents: IO[bytes], entry: _Entry, path: Path, committed: float) -> None:
    left = _size(contents, entry)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o755 if entry.mode == "100755" else 0o644)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        small = left <= _LFS_LARGEST
        while left:
            chunk = contents.read(min(left, _CHUNK))
            if not chunk:
                raise TransientError("git-ended", f'git ended in the middle of "{entry.path}"')
            if small and chunk.startswith(_LFS_POINTER):
                raise PermanentError(
                    "needs-lfs",
                    f'"{entry.path}" is kept by git-lfs: the commit holds a pointer, not the content',
                    "build it elsewhere and give the folder as artifact: {path: …}",
                )
            left -= len(chunk)
            written = memoryview(chunk)
            while written:
                written = written[file.write(written) :]
        os.utime(descriptor, (committed, committed))
    contents.read(1)  # the newline after each object


def _size(contents: IO[bytes], entry: _Entry) -> int:
    words = contents.readline().split()
    if len(words) == 3 and words[1] == b"blob":
        return int(words[2])
    raise PermanentError(
        "object-missing",
        f'the content of "{entry.path}" ({entry.object[:12]}) is not in the repository',
        "fetch it: git fetch --refetch, or clone the repository anew",
    )


def _export_submodule(git: GitProcess, commit: str, prefix: str, entry: _Entry, folder: Path, committed: float) -> None:
    path = prefix + entry.path
    repository = _submodule_repository(git, commit, path)
    nested = GitProcess(git.folder, repository) if repository else None
    if nested is None or nested.attempt("cat-file", "-e", f"{entry.object}^{{commit}}")[0] != 0:
        raise PermanentError(
            "submodule-missing",
            f'"{path}" is a submodule at {entry.object[:12]}, which is not in this clone',
            f'run: git -C "{git.folder}" submodule update --init -- ":/{path}"',
        )
    export_tree(nested, entry.object, "", folder / entry.path, committed)


def _submodule_repository(git: GitProcess, commit: str, path: str) -> Path | None:
    """Where git keeps the submodule's own objects, None if it was never fetched."""
    _, listed, _ = git.attempt(
        "config", "--blob", f"{commit}:.gitmodules", "-z", "--get-regexp", r"^submodule\..*\.path$"
    )
    for item in listed.split(b"\0")[:-1]:
        key, _, value = os.fsdecode(item).partition("\n")
        name = key.removeprefix("submodule.").removesuffix(".path")
        if value == path and not re.search(r"(^|/)\.\.(/|$)", name):
            common = os.fsdecode(git.run("rev-parse", "--path-format=absolute", "--git-common-dir").removesuffix(b"\n"))
            place = Path(common) / "modules" / name
            return place if place.is_dir() else None
    return None
