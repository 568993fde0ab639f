"""The steps of a restore in place, as data; each says what should be so afterwards, and may be performed again."""

from dataclasses import dataclass

from fairway.domain.recovery.spec import DatabaseSpec


@dataclass(frozen=True, slots=True)
class Recovery:
    """What is restored, and the names of everything that takes part: chosen once, when the plan is made.

    Attributes:
        backup: id of what is restored.
        taken: when that was taken, seconds since the epoch, UTC.
        saved: id of the backup that is taken of the present database before; empty: there is no database.
        own: what the database is called where it lies.
        beside: what the restored one is called until it is swapped in.
        aside: what the present one is called from then on.
    """

    database: DatabaseSpec
    backup: str
    taken: float
    saved: str
    own: str
    beside: str
    aside: str


@dataclass(frozen=True, slots=True)
class VerifyBackup:
    """The backup is kept, unaltered, and of this database."""

    backup: str

    @property
    def title(self) -> str:
        """What people read."""
        return f"verify backup {self.backup}"


@dataclass(frozen=True, slots=True)
class SaveDatabase:
    """The present database is backed up, so that the restore can be undone."""

    database: str
    backup: str

    @property
    def title(self) -> str:
        """What people read."""
        return f"back up {self.database} as it is, as {self.backup}"


@dataclass(frozen=True, slots=True)
class LoadBeside:
    """What was backed up is in a database of its own, and is there as it was recorded."""

    backup: str
    name: str

    @property
    def title(self) -> str:
        """What people read."""
        return f"restore {self.backup} beside, as {self.name}, and compare"


@dataclass(frozen=True, slots=True)
class SwapDatabase:
    """The restored database is in place, and what was there is kept under a name of its own."""

    name: str
    aside: str

    @property
    def title(self) -> str:
        """What people read."""
        return f"put {self.name} in place; what was there becomes {self.aside}"


@dataclass(frozen=True, slots=True)
class ReturnDatabase:
    """The database that was there before is in place, however far the swap had come."""

    name: str
    aside: str

    @property
    def title(self) -> str:
        """What people read."""
        return "the database that was there in place"


@dataclass(frozen=True, slots=True)
class DropBeside:
    """The restored database is gone."""

    name: str

    @property
    def title(self) -> str:
        """What people read."""
        return f"remove {self.name}"


RecoveryStep = VerifyBackup | SaveDatabase | LoadBeside | SwapDatabase | ReturnDatabase | DropBeside
