"""The port `Backups`: a folder with a file and a record for each backup.

A backup is one once its record is there, which comes last. Whoever writes a file holds a lock on it meanwhile, so that
what a process left that died is told from what another is writing.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from fairway.domain.codec import from_json, to_json
from fairway.domain.errors import TransientError
from fairway.domain.recovery.backup import Backup, Contents
from fairway.ports.databases import Kept

_DATA, _RECORD, _DRAFT = ".backup", ".json", ".part"


class FolderBackups:
    """Backups in a folder, for its owner only.

    Args:
        folder: is made when the first backup is taken.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, backup: Backup, dump: Callable[[str], Contents]) -> Backup:
        """See the port."""
        with _room(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._remove_leftovers()
            known = next((one for one in self.list_backups() if one.id == backup.id), None)
            return known if known is not None else self._take(backup, dump)

    def _take(self, backup: Backup, dump: Callable[[str], Contents]) -> Backup:
        data = self._folder / f"{backup.id}{_DATA}"
        draft = data.with_name(data.name + _DRAFT)
        number = os.open(draft, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(number, fcntl.LOCK_EX)
            contents = dump(str(draft))
            os.fsync(number)
            digest, size = _digest(draft)
            taken = replace(backup, contents=contents, digest=digest, size=size)
            draft.rename(data)
            self._write(taken)
        except BaseException:
            # Nobody would ever ask for it; what cannot be removed either is left to the next one.
            for path in (draft, data, *_beside(draft)):
                with suppress(OSError):
                    path.unlink(missing_ok=True)
            raise
        finally:
            os.close(number)
        return taken

    def list_backups(self) -> tuple[Backup, ...]:
        """See the port."""
        records = self._folder.glob(f"*{_RECORD}") if self._folder.is_dir() else ()
        found = [one for path in records if (one := _read(path)) is not None]
        return tuple(sorted(found, key=lambda one: (one.at, one.id), reverse=True))

    def verify(self, backup: Backup) -> Kept:
        """See the port."""
        path = self._folder / f"{backup.id}{_DATA}"
        try:
            digest, size = _digest(path)
        except FileNotFoundError:
            return Kept(str(path), f"the file of backup {backup.id} is gone: {path}")
        except OSError as error:
            return Kept(str(path), f"the file of backup {backup.id} cannot be read: {path}: {error.strerror}")
        if digest != backup.digest:
            sentence = f"the file of backup {backup.id} was altered: it has {size} bytes, {digest[:19]}…, "
            return Kept(str(path), f"{sentence}not {backup.size} bytes, {backup.digest[:19]}…: {path}")
        return Kept(str(path), None)

    def replace(self, backup: Backup) -> None:
        """See the port."""
        with _room(self._folder):
            self._write(backup)

    def remove(self, backup: str) -> None:
        """See the port. The record goes first: without it there is no backup."""
        with _room(self._folder):
            for end in (_RECORD, _DATA):
                (self._folder / f"{backup}{end}").unlink(missing_ok=True)

    def _write(self, backup: Backup) -> None:
        path = self._folder / f"{backup.id}{_RECORD}"
        draft = path.with_name(path.name + _DRAFT)
        with open(draft, "w", encoding="utf-8", opener=_private) as file:
            json.dump(to_json(backup), file)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _remove_leftovers(self) -> None:
        """Files that no record names and nobody is writing."""
        for path in self._folder.iterdir():
            recorded = path.suffix == _DATA and path.with_suffix(_RECORD).exists()
            if path.name.endswith((_DATA, _DATA + _DRAFT)) and not recorded and _is_abandoned(path):
                for each in (path, *_beside(path)):
                    each.unlink(missing_ok=True)


def _beside(path: Path) -> Iterator[Path]:
    """What SQLite may have put beside a file."""
    return (path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))


def _is_abandoned(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever wrote it may have finished since the folder was listed.
            return not path.with_suffix(_RECORD).exists()
    except OSError:
        return False


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def _read(path: Path) -> Backup | None:
    """A record; None for a file that is none."""
    try:
        return from_json(Backup, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def _digest(path: Path) -> tuple[str, int]:
    """Digest and size of a file."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256")
        return f"sha256:{found.hexdigest()}", file.tell()


@contextmanager
def _room(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        sentence = f"{error.filename or folder}: {error.strerror}"
        raise TransientError("backup-not-kept", sentence, "make room, or look at the folder of backups") from error
