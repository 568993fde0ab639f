"""What a backup is, what must be as it says after a restore, and which backups may go."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from fairway.domain.recovery.spec import Kind

Why = Literal["asked", "before-restore"]

#: What a database made by a restore may be called: a file in the same folder, or a database of the same server.
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}")
#: Ends of names that SQLite gives a meaning.
_COMPANIONS = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Contents:
    """What a database holds, as far as it can be compared.

    Attributes:
        tables: each table with its number of rows, sorted by name.
        schema: fingerprint of the definitions of tables, columns, indexes and constraints; equal ones are equal.
        damage: what is wrong with it, a sentence each.
    """

    tables: tuple[tuple[str, int], ...] = ()
    schema: str = ""
    damage: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Rows of all tables together."""
        return sum(count for _, count in self.tables)

    @property
    def words(self) -> str:
        """How much it is: 3 tables, 120 rows."""
        tables, rows = len(self.tables), self.rows
        return f"{tables} table{'' if tables == 1 else 's'}, {rows} row{'' if rows == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup that is kept.

    Attributes:
        id: of `[a-z0-9-]`.
        database: by which the configuration calls what was backed up.
        at: when it was begun, seconds since the epoch, UTC; what was written later is not in it.
        why: somebody asked for it, or something was about to be restored.
        actor: who.
        run: the restore that it was made for; empty: none.
        size: bytes.
        digest: `sha256:<64 hex digits>` over its bytes.
        contents: what was in it, counted in the same instant.
        proved: when it was last restored as a trial and found to be as recorded; None: never.
    """

    id: str
    service: str
    environment: str
    database: str
    kind: Kind
    at: float
    why: Why = "asked"
    actor: str = ""
    run: str = ""
    size: int = 0
    digest: str = ""
    contents: Contents = Contents()
    proved: float | None = None


def find_difference(recorded: Contents, found: Contents | None) -> str | None:
    """How what was restored differs from what was recorded, in a sentence; None if it does not."""
    if found is None:
        return "nothing was restored"
    if found.damage:
        return f"it is damaged: {'; '.join(found.damage[:3])}"
    counts = _differences(dict(recorded.tables), dict(found.tables))
    if counts:
        more = f" and {len(counts) - 3} more" if len(counts) > 3 else ""
        return f"{'; '.join(counts[:3])}{more}"
    if recorded.schema != found.schema:
        return "its tables are defined otherwise than those that were backed up"
    return None


def _differences(recorded: Mapping[str, int], found: Mapping[str, int]) -> list[str]:
    words = [f"table {name} is missing" for name in recorded if name not in found]
    words += [f"table {name} was not there" for name in found if name not in recorded]
    both = [name for name in recorded if name in found and recorded[name] != found[name]]
    return words + [f"{name} has {found[name]} rows, not {recorded[name]}" for name in both]


def list_expired(backups: Iterable[Backup], *, now: float, keep: float) -> tuple[Backup, ...]:
    """Backups of one database that may go; the newest one stays however old it is.

    Args:
        backups: good ones of one database, in any order.
        now: seconds since the epoch, UTC.
        keep: seconds.
    """
    newest_first = sorted(backups, key=lambda one: (one.at, one.id), reverse=True)
    return tuple(one for one in newest_first[1:] if now - one.at > keep)


def name_problem(name: str, own: str) -> str | None:
    """Why a new database may not have that name, in a sentence; None if it may.

    Args:
        name: as somebody typed it.
        own: what the database that it is restored from is called.
    """
    if not NAME.fullmatch(name):
        return f"{name[:60]!r} is no name for a database"
    if name == own:
        return f"{name!r} is the name of the database itself"
    if name.endswith(_COMPANIONS):
        return f"{name!r} ends as the companions of SQLite's files do"
    return None


def derived_name(own: str, what: str, key: str) -> str:
    """A name for a database beside another, which says what it is; at most 63 characters.

    Args:
        own: what the other one is called.
        what: one word.
        key: id of a run or of a backup.
    """
    plain = re.sub(r"[^A-Za-z0-9_.-]", "_", own)[:36] or "database"
    return f"{plain}_{what}_{key.replace('-', '_')}"[:63]


def told(at: float) -> str:
    """A moment as people read it: ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def told_ago(seconds: float) -> str:
    """How long ago, as people read it: 40 s, 12 min, 3 h 5 min, 2 d 4 h."""
    whole = max(0, round(seconds))
    if whole < 120:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"
