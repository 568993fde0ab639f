"""Copies folders, and removes them although they are read-only."""

import os
import shutil
import stat
from pathlib import Path

from fairway.domain.errors import PermanentError

_WHOLE = 1 << 30


def copy_file(source: Path, target: Path) -> None:
    """A copy with permissions and times; shares the blocks where the file system can (btrfs, XFS)."""
    with source.open("rb", buffering=0) as read, target.open("xb", buffering=0) as write:
        try:
            while os.copy_file_range(read.fileno(), write.fileno(), _WHOLE):
                pass
        except OSError:
            # Not every pair of file systems can; begin again with plain reading, which says what is wrong if it fails.
            os.lseek(read.fileno(), 0, os.SEEK_SET)
            os.ftruncate(write.fileno(), 0)
            os.lseek(write.fileno(), 0, os.SEEK_SET)
            shutil.copyfileobj(read, write, 1 << 20)
    shutil.copystat(source, target)


def copy_tree(source: Path, target: Path) -> None:
    """Copies what lies below the source; links stay links, empty folders stay, anything special is refused."""
    target.mkdir(exist_ok=True)
    with os.scandir(source) as found:
        items = sorted(found, key=lambda item: item.name)
    for item in items:
        there = target / item.name
        if item.is_symlink():
            there.symlink_to(os.readlink(item.path))  # noqa: PTH115 - a Path would tidy the text up
        elif item.is_dir():
            copy_tree(Path(item.path), there)
        elif item.is_file():
            copy_file(Path(item.path), there)
        else:
            raise PermanentError(
                "special-file", f'"{item.path}" is a socket, pipe or device and cannot be part of an artifact'
            )
    shutil.copystat(source, target)


def remove_tree(folder: Path) -> None:
    """Removes the folder if it is there; sealed folders are made writable first."""
    if not folder.is_dir() or folder.is_symlink():
        folder.unlink(missing_ok=True)
        return
    for name, _, _ in os.walk(folder):
        path = Path(name)
        if not path.lstat().st_mode & stat.S_IWUSR:
            path.chmod(stat.S_IRWXU)
    shutil.rmtree(folder)
