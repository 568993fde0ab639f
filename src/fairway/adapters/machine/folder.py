"""A folder of this machine."""

import os
import tempfile
from pathlib import Path

from fairway.domain.errors import UserError

_FOREIGN = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        ".fairway",
        "node_modules",
        "bower_components",
        "venv",
        "env",
        "__pycache__",
        "site-packages",
    }
)
_DEEPEST = 4
_MOST_FILES = 5000
_LARGEST = 512 * 1024


class LocalFolder:
    """A folder of this machine; symbolic links to folders are not followed.

    Args:
        path: it must exist.

    Raises:
        UserError: it does not, or is not a folder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        if not self._path.is_dir():
            raise UserError("not-a-folder", f"{str(path)!r} is not a folder", "name the folder of the repository")

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self._path.resolve().name

    def list_files(self) -> tuple[str, ...]:
        """Its files, those nearest to the top first, then by name."""
        found: list[str] = []
        level = [self._path]
        for _ in range(_DEEPEST + 1):
            below: list[Path] = []
            for folder in level:
                files, folders = _entries(folder)
                found += [str(file.relative_to(self._path)) for file in files]
                below += folders
            if len(found) >= _MOST_FILES:
                break
            level = below
        return tuple(found[:_MOST_FILES])

    def read_text(self, path: str) -> str | None:
        """A file's text; None if there is no such file, or it is too large or not UTF-8."""
        file = self._path / path
        try:
            if not file.is_file() or file.stat().st_size > _LARGEST:
                return None
            return file.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            return None
        except OSError as error:
            raise UserError("file-unreadable", f"{str(file)!r} cannot be read: {error.strerror}") from error

    def write_text(self, path: str, text: str) -> None:
        """Replaces or makes a file, as a whole or not at all; keeps the permissions of one that exists."""
        file = (self._path / path).resolve()
        mode = file.stat().st_mode & 0o777 if file.exists() else 0o666 & ~_umask()
        try:
            handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        except OSError as error:
            raise UserError("file-unwritable", f"{str(file)!r} cannot be written: {error.strerror}") from error
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as draft:
                draft.write(text)
            Path(name).chmod(mode)
            Path(name).replace(file)
        except OSError as error:
            Path(name).unlink(missing_ok=True)
            raise UserError("file-unwritable", f"{str(file)!r} cannot be written: {error.strerror}") from error


def _entries(folder: Path) -> tuple[list[Path], list[Path]]:
    """The files and the folders to go into, by name; none if the folder may not be read."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return [], []
    files = [Path(entry.path) for entry in entries if entry.is_file()]
    folders = [
        Path(entry.path)
        for entry in entries
        if entry.is_dir(follow_symlinks=False) and entry.name not in _FOREIGN and not entry.name.startswith(".")
    ]
    return files, [inner for inner in folders if not (inner / "pyvenv.cfg").exists()]


def _umask() -> int:
    # There is no call that only reads it.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
