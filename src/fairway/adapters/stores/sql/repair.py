"""A damaged journal file is made anew from what can be read of it.

Events are facts and never change, so whatever can still be read of them is true; everything else follows from them and
is computed again. A copy of the file, kept while it was sound, fills the gaps. The damaged file is moved aside, never
changed.
"""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from fairway.adapters.stores.sql.replay import replay
from fairway.adapters.stores.sql.sqlite import SqliteDatabase, kept_copy_of
from fairway.adapters.stores.sql.upgrade import ensure_schema
from fairway.domain.errors import PermanentError, TransientError

#: A copy is made and looked through page by page: what each connection keeps of it in memory would be of no use.
_LITTLE = "PRAGMA cache_size = -128"
#: Rows that are asked for at once, until there is a damaged one among them.
_BATCH = 1024
_BESIDE = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Repair:
    """What came of a repair.

    Attributes:
        aside: the folder with the damaged file as it was.
        runs, events: how many the new file holds.
        losses: a sentence for each thing that could not be had again.
    """

    aside: str
    runs: int
    events: int
    losses: tuple[str, ...]


def find_damage(path: Path) -> str | None:
    """What is wrong with the file, in one clause; None if it is sound, or if there is none and never was."""
    if not path.exists() or path.stat().st_size == 0:
        return "it is gone" if kept_copy_of(path).exists() else None
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute(_LITTLE)
            (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        raise TransientError("database-busy", f"{path} cannot be examined: {error}", "try again") from error
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if answer == "ok" else str(answer).splitlines()[-1]


def keep_copy(path: Path) -> None:
    """Keeps a copy of the file as it is now, in place of the one before, if it is sound; else the one before stays."""
    draft = kept_copy_of(path).with_suffix(".draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    try:
        with (
            closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(draft)) as copy,
        ):
            source.execute(_LITTLE)
            copy.execute(_LITTLE)
            source.backup(copy, pages=256, sleep=0.005)
        if find_damage(draft) is None:
            _make_durable(draft)
            draft.rename(kept_copy_of(path))
    except sqlite3.Error as error:
        raise TransientError("database-io", f"{path} could not be copied: {error}", "try again") from error
    finally:
        draft.unlink(missing_ok=True)


def repair(path: Path, *, at: float) -> Repair:
    """Makes the file anew. Nobody else may have it open.

    Args:
        path: the journal.
        at: seconds since the epoch, UTC.

    Raises:
        PermanentError: nothing could be read, and there is no copy.
    """
    with tempfile.TemporaryDirectory(prefix=".repair-", dir=path.parent) as place:
        new, damaged = Path(place, "new.db"), Path(place, path.name)
        for ending in _BESIDE:
            with suppress(FileNotFoundError):
                shutil.copyfile(f"{path}{ending}", f"{damaged}{ending}")
        sources = [source for source in (damaged, kept_copy_of(path)) if source.exists() and source.stat().st_size]
        database = SqliteDatabase(new, patience=30.0, clock=None, exclusive=True)
        try:
            ensure_schema(database)
            losses = _gather(sources, new)
            with database.writing() as connection:
                losses += replay(connection, epoch=int(at))
                runs = connection.value("SELECT count(*) FROM fairway_runs")
                events = connection.value("SELECT count(*) FROM fairway_events")
        finally:
            database.close()
        if not events:
            hint = f"restore it from a backup, or move {path} and its copy away to begin anew"
            raise PermanentError("database-lost", f"nothing can be read of {path}, nor of a copy of it", hint)
        aside = _move_aside(path)
        _make_durable(new)
        new.rename(path)
        _make_durable(path.parent)
    return Repair(str(aside), runs, events, tuple(losses))


def _gather(sources: Sequence[Path], new: Path) -> list[str]:
    """Copies every row that can be read; of two of the same, the first source's."""
    losses: list[str] = []
    with closing(sqlite3.connect(new, isolation_level=None)) as target:
        target.execute("PRAGMA foreign_keys = OFF")
        tables = [name for (name,) in target.execute(_TABLES)]
        target.execute("CREATE TABLE salvaged_events AS SELECT * FROM fairway_events WHERE 0")
        target.execute("CREATE UNIQUE INDEX salvaged ON salvaged_events (run, version)")
        target.execute("BEGIN")
        for source in sources:
            with closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as damaged:
                for table in tables:
                    lost = _copy_table(damaged, target, table)
                    if lost is not None and source is sources[0]:
                        losses.append(f"a part of {table.removeprefix('fairway_')} could not be read: {lost}")
        # Of each run the events up to the first gap: what follows a gap cannot be understood.
        target.execute(
            "INSERT INTO fairway_events SELECT run, version, at, type, data FROM (SELECT *, row_number() OVER "
            "(PARTITION BY run ORDER BY version) AS place FROM salvaged_events) WHERE version = place"
        )
        target.execute("DROP TABLE salvaged_events")
        target.execute("COMMIT")
    return losses


_TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'fairway\\_%' ESCAPE '\\' "
    "AND name NOT IN ('fairway_schema', 'fairway_compatibility')"
)


def _copy_table(damaged: sqlite3.Connection, target: sqlite3.Connection, table: str) -> str | None:
    """Copies what can be read of a table; says what was wrong if that was not all."""
    into = "salvaged_events" if table == "fairway_events" else table
    try:
        known = {row[1] for row in damaged.execute(f"PRAGMA table_info({table})")}
        columns = [row[1] for row in target.execute(f"PRAGMA table_info({table})") if row[1] in known]
        if not columns:
            return "it is not there"
        first, last = damaged.execute(f"SELECT min(rowid), max(rowid) FROM {table}").fetchone()
    except sqlite3.DatabaseError as error:
        return str(error)
    if first is None:
        return None
    wanted = ", ".join(f'"{name}"' for name in columns)
    marks = ", ".join("?" for _ in columns)
    trouble: list[str] = []
    for rows in _read(damaged, f"SELECT {wanted} FROM {table}", first, last, trouble):
        target.executemany(f"INSERT OR IGNORE INTO {into} ({wanted}) VALUES ({marks})", rows)
    return trouble[0] if trouble else None


def _read(
    damaged: sqlite3.Connection, query: str, first: int, last: int, trouble: list[str]
) -> Iterator[list[tuple[object, ...]]]:
    """The rows of a range; where one cannot be read, those of its halves, down to single rows."""
    ranges = [(start, min(start + _BATCH - 1, last)) for start in range(first, last + 1, _BATCH)][::-1]
    while ranges:
        begin, end = ranges.pop()
        try:
            yield damaged.execute(f"{query} WHERE rowid BETWEEN ? AND ?", (begin, end)).fetchall()
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            trouble.append(str(error))
            if begin < end:
                middle = (begin + end) // 2
                ranges += [(middle + 1, end), (begin, middle)]


def _move_aside(path: Path) -> Path:
    """The damaged file goes into a folder of its own, which is never reused."""
    aside = Path(tempfile.mkdtemp(prefix="damaged-", dir=path.parent))
    for ending in _BESIDE:
        with suppress(FileNotFoundError):
            Path(f"{path}{ending}").rename(aside / f"{path.name}{ending}")
    return aside


def _make_durable(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
