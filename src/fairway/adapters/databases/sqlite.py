"""A SQLite file as a `Database`: dumped by SQLite's own online backup, swapped by renaming."""

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from fairway.adapters.databases.openers import find_opener
from fairway.domain.errors import InvariantError, PermanentError, TransientError, UserError
from fairway.domain.recovery.backup import Contents

#: What SQLite puts beside a file.
_COMPANIONS = ("-wal", "-shm", "-journal")
#: Seconds to wait for a lock of somebody who reads or writes: for a question, and for a backup.
_PATIENCE, _LONGEST_LOCK = 10.0, 60.0
_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
    "AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"
)
_SCHEMA = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name"


class SqliteDatabase:
    """A file; those beside it are files of the same folder.

    Args:
        path: absolute, of the file, or of a link to it: that stays what it is, and the file lies where it lay.
    """

    def __init__(self, path: Path) -> None:
        self._own = Path(os.path.realpath(path))

    @property
    def name(self) -> str:
        """See the port."""
        return self._own.name

    def dump(self, path: str) -> Contents:
        """See the port. In one piece, so that a writer can neither get into it nor make it begin again."""
        if not _is_there(self._own):
            raise UserError("data-missing", f"there is no database {self._own}", "look at databases in fairway.yaml")
        target = Path(path)
        with _explained(self._own, "backed up"), _open(self._own, "rw") as source:
            with closing(sqlite3.connect(target, isolation_level=None)) as copy:
                source.backup(copy, progress=_until_locked_out())
            contents = _read(target, self._own.name, immutable=True)
        if contents.damage:
            raise PermanentError("data-damaged", f"{self._own} is damaged: {'; '.join(contents.damage[:3])}")
        _make_durable(target)
        return contents

    def load(self, path: str, name: str) -> None:
        """See the port. The file has the mode and the owner of the one that it may replace."""
        target, draft = self._beside(name), self._draft_of(name)
        with _room(target):
            for one in (draft, *_companions(target)):
                one.unlink(missing_ok=True)
            try:
                _copy(Path(path), draft)
                _take_after(draft, self._own)
                _make_durable(draft)
                draft.rename(target)
            finally:
                # A disk that is full needs the room.
                draft.unlink(missing_ok=True)
            _make_durable(target.parent)

    def inspect(self, name: str = "") -> Contents | None:
        """See the port."""
        place = self._beside(name) if name else self._own
        if not _is_there(place):
            return None
        try:
            # Nobody has one beside open, unless there is a log; and reading must leave nothing lying there.
            return _read(
                place, place.name, immutable=bool(name) and not any(one.exists() for one in _companions(place))
            )
        except sqlite3.OperationalError as error:
            raise _trouble(place, "read", error) from error
        except sqlite3.DatabaseError as error:
            return Contents(damage=(str(error),))

    def exchange(self, name: str, aside: str) -> None:
        """See the port."""
        own, new, old = self._own, self._beside(name), self._beside(aside)
        if not new.exists():
            if not own.exists():
                raise PermanentError("data-lost", f"neither {own} nor {new} is there any more")
            return
        with _room(own):
            if own.exists() and own.samefile(new):
                # The other direction had got as far as the second name.
                new.unlink()
                _make_durable(own.parent)
                return
            if own.exists():
                _insist_on_owner(new, own)
                self._put_aside(own, old)
            new.rename(own)
            _make_durable(own.parent)

    def drop(self, name: str) -> None:
        """See the port."""
        place = self._beside(name)
        for one in (place, self._draft_of(name), *_companions(place)):
            one.unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            _make_durable(place.parent)

    def _put_aside(self, own: Path, old: Path) -> None:
        """The file gets a second name, so that there is one under the first at every instant."""
        if old.exists() and not own.samefile(old):
            sentence = f"{old} is there already, and is another file than {own}"
            raise PermanentError("data-there", sentence, f"move {old} away")
        _settle(own)
        if not old.exists():
            os.link(own, old)
        for companion in _companions(own):
            # What is left of a damaged one must never be played into the restored one.
            if companion.exists():
                companion.rename(old.with_name(f"{old.name}{companion.name.removeprefix(own.name)}"))
        _make_durable(own.parent)

    def _beside(self, name: str) -> Path:
        place = self._own.with_name(name)
        if place == self._own or place.parent != self._own.parent:
            raise InvariantError("own-name", f"{name!r} is not the name of a database beside {self._own}")
        return place

    def _draft_of(self, name: str) -> Path:
        """Where a file is until it is complete: under a name that nobody else gives to anything."""
        return self._beside(f".{name}.fairway-draft")


def _until_locked_out() -> Callable[[int, int, int], None]:
    """Ends a backup that waits for somebody's lock for too long; by itself it would wait for ever."""
    until = time.monotonic() + _LONGEST_LOCK

    def look(status: int, _remaining: int, _total: int) -> None:
        if status in _LOCKED and time.monotonic() > until:
            raise sqlite3.OperationalError(f"locked by somebody else for {_LONGEST_LOCK:g} s")

    return look


def _settle(own: Path) -> None:
    """Everything that was committed is in the file itself, and nobody has it open.

    Raises:
        TransientError: somebody has.
    """
    opener = find_opener(own)
    if opener is not None:
        raise TransientError("data-in-use", f"process {opener} has {own} open", "end it")
    try:
        with _open(own, "rw", patience=1.0) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            database.execute("BEGIN EXCLUSIVE")
            database.execute("COMMIT")
    except sqlite3.OperationalError as error:
        raise TransientError("data-in-use", f"{own} is in use: {error}", "end what has it open") from error
    except sqlite3.DatabaseError:
        # Damaged: it is put aside as it is, with all that belongs to it.
        return
    if any(one.exists() for one in _companions(own)):
        raise TransientError("data-in-use", f"{own} is in use: somebody keeps its log", "end what has it open")


def _companions(path: Path) -> Iterator[Path]:
    return (path.with_name(path.name + end) for end in _COMPANIONS)


@contextmanager
def _open(path: Path, mode: str, *, patience: float = _PATIENCE) -> Iterator[sqlite3.Connection]:
    """A connection that never makes the file."""
    url = f"file:{quote(str(path))}?mode={mode}"
    with closing(sqlite3.connect(url, uri=True, timeout=patience, isolation_level=None)) as database:
        yield database


def _read(path: Path, named: str, *, immutable: bool) -> Contents:
    """What is in a file.

    Args:
        path: of the file.
        named: what sentences call it.
        immutable: nobody else has it, and nothing may appear beside it.
    """
    with _open(path, "ro&immutable=1" if immutable else "rw") as database:
        database.execute("BEGIN")
        wrong = [str(row[0]) for row in database.execute("PRAGMA integrity_check(5)")]
        if wrong != ["ok"]:
            return Contents(damage=tuple(f"{named}: {one}" for one in wrong))
        names = [str(row[0]) for row in database.execute(_TABLES)]
        counts = [(name, int(database.execute(_count(name)).fetchone()[0])) for name in names]
        schema = repr([tuple(row) for row in database.execute(_SCHEMA)])
    return Contents(tuple(counts), hashlib.sha256(schema.encode()).hexdigest())


def _count(table: str) -> str:
    quoted = table.replace('"', '""')
    return f'SELECT count(*) FROM "{quoted}"'  # noqa: S608 -- a name cannot be a parameter


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as read, open(target, "wb", opener=_private) as write:
        while block := read.read(1 << 20):
            write.write(block)


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def _take_after(file: Path, other: Path) -> None:
    """Who may read and write the one may the other, as far as this account can give files away."""
    try:
        about = other.stat()
    except FileNotFoundError:
        return
    for owner, group in ((-1, about.st_gid), (about.st_uid, -1)):
        with suppress(PermissionError):
            os.chown(file, owner, group)
    file.chmod(about.st_mode & 0o777)


def _insist_on_owner(new: Path, own: Path) -> None:
    """A service that may not open its database any more is not restored."""
    wanted, found = own.stat(), new.stat()
    if (found.st_uid, found.st_gid) != (wanted.st_uid, wanted.st_gid):
        sentence = f"{own} belongs to {wanted.st_uid}:{wanted.st_gid}, and {new.name} to {found.st_uid}:{found.st_gid}"
        raise PermanentError("data-owner", sentence, "run fairway as the owner of the file, who is in its group")


def _make_durable(path: Path) -> None:
    """What was written to a file, or renamed in a folder, survives a loss of power."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _is_there(path: Path) -> bool:
    if path.exists() and not path.is_file():
        raise UserError("data-address", f"{path} is no file", "look at databases in fairway.yaml")
    return path.exists()


def _trouble(path: Path, what: str, error: sqlite3.OperationalError) -> Exception:
    return TransientError("data-trouble", f"{path} could not be {what}: {error}", "try again")


@contextmanager
def _explained(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise _trouble(path, what, error) from error
    except sqlite3.DatabaseError as error:
        raise PermanentError("data-damaged", f"{path} cannot be {what}: {error}") from error
    except OSError as error:
        raise TransientError("data-trouble", f"{path} could not be {what}: {error.strerror}") from error


@contextmanager
def _room(path: Path) -> Iterator[None]:
    """What the file system refuses, in our words."""
    try:
        yield
    except OSError as error:
        sentence = f"{error.filename or path}: {error.strerror}"
        raise TransientError("data-trouble", sentence, f"look at the folder {path.parent}") from error
