"""Databases and backups in memory, with behaviour."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from fairway.domain.errors import FairwayError, InvariantError, PermanentError, UserError
from fairway.domain.recovery.backup import Backup, Contents
from fairway.ports.databases import Kept


@dataclass(slots=True)
class FakeDatabase:
    """Databases of one place, by name; what each holds is its contents.

    Attributes:
        name: of the own one.
        present: what there is.
        files: what dumps hold, by path.
        effects: how often each effect was asked for.
        failing: what a method raises, by its name.
        loses: a restored table loses a row.
    """

    name: str
    present: dict[str, Contents]
    files: dict[str, Contents] = field(default_factory=dict)
    effects: Counter[str] = field(default_factory=Counter)
    failing: dict[str, FairwayError] = field(default_factory=dict)
    loses: bool = False

    def dump(self, path: str) -> Contents:
        """See the port."""
        self._count("dump")
        if self.name not in self.present:
            raise UserError("data-missing", f"there is no database {self.name}")
        self.files[path] = self.present[self.name]
        return self.files[path]

    def load(self, path: str, name: str) -> None:
        """See the port."""
        self._insist(name)
        self._count("load")
        contents = self.files[path]
        if self.loses and contents.tables:
            (table, rows), *rest = contents.tables
            contents = replace(contents, tables=((table, rows - 1), *rest))
        self.present[name] = contents

    def inspect(self, name: str = "") -> Contents | None:
        """See the port."""
        return self.present.get(name or self.name)

    def exchange(self, name: str, aside: str) -> None:
        """See the port."""
        self._count("exchange")
        if name not in self.present:
            if self.name not in self.present:
                raise PermanentError("data-lost", f"neither {self.name} nor {name} is there any more")
            return
        if self.name in self.present and aside in self.present:
            raise PermanentError("data-there", f"{aside} is there already")
        if self.name in self.present:
            self.present[aside] = self.present.pop(self.name)
        self.present[self.name] = self.present.pop(name)

    def drop(self, name: str) -> None:
        """See the port."""
        self._insist(name)
        self._count("drop")
        self.present.pop(name, None)

    def _insist(self, name: str) -> None:
        if name == self.name:
            raise InvariantError("own-name", f"{name!r} is not the name of a database beside {self.name}")

    def _count(self, effect: str) -> None:
        self.effects[effect] += 1
        if effect in self.failing:
            raise self.failing[effect]


@dataclass(slots=True)
class FakeBackups:
    """Backups in memory.

    Attributes:
        kept: by id.
        altered: ids of those whose bytes are no longer what they were.
        taken: how often each id was written.
    """

    kept: dict[str, Backup] = field(default_factory=dict)
    altered: set[str] = field(default_factory=set)
    taken: Counter[str] = field(default_factory=Counter)

    def keep(self, backup: Backup, dump: Callable[[str], Contents]) -> Backup:
        """See the port."""
        if backup.id not in self.kept:
            contents = dump(f"/backups/{backup.id}")
            self.taken[backup.id] += 1
            self.kept[backup.id] = replace(backup, contents=contents, size=1, digest=f"sha256:{backup.id:0>64}")
        return self.kept[backup.id]

    def list_backups(self) -> tuple[Backup, ...]:
        """See the port."""
        return tuple(sorted(self.kept.values(), key=lambda one: (one.at, one.id), reverse=True))

    def verify(self, backup: Backup) -> Kept:
        """See the port."""
        damage = f"the file of backup {backup.id} was altered" if backup.id in self.altered else None
        return Kept(f"/backups/{backup.id}", damage)

    def replace(self, backup: Backup) -> None:
        """See the port."""
        self.kept[backup.id] = backup

    def remove(self, backup: str) -> None:
        """See the port."""
        self.kept.pop(backup, None)
