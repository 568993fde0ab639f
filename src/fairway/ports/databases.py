"""A database that is backed up and restored, and the place where backups are kept."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from fairway.domain.recovery.backup import Backup, Contents


class Database(Protocol):
    """One database where it lies, and others beside it: files of the same folder, databases of the same server.

    The other ones are named by callers; none of these names is ever the database's own. Everything may be called again
    after a crash at any instant. No error holds a secret.

    Raises, all of them:
        UserError: a secret, an address or a program is missing or wrong.
        TransientError: nobody answers, others have it open, or the disk is full.
        PermanentError: the server refuses.
    """

    @property
    def name(self) -> str:
        """What it is called where it lies."""
        ...

    def dump(self, path: str) -> Contents:
        """Writes all of it, as it is in one instant, to a file, and says what was in it in that instant.

        Args:
            path: absolute, of a file that is empty or not there.

        Raises:
            UserError: code `data-missing`: there is none.
            PermanentError: code `data-damaged`: it cannot be read.
        """
        ...

    def load(self, path: str, name: str) -> None:
        """Makes a database beside from a dump; what was there under that name is replaced.

        Args:
            path: absolute, of a file that `dump` wrote.
            name: of the database beside.
        """
        ...

    def inspect(self, name: str = "") -> Contents | None:
        """Reads it, or one beside, as a whole, and says what is there and what is wrong; None: there is none."""
        ...

    def exchange(self, name: str, aside: str) -> None:
        """Puts the database `name` in its place; what was there is `aside` from then on.

        It happens at once or not at all. Once `name` is gone it has happened, and nothing is done. The way back is the
        same with the names exchanged, from wherever a crash has left it.

        Raises:
            TransientError: code `data-in-use`: others have it open, and could not be sent away.
        """
        ...

    def drop(self, name: str) -> None:
        """Removes a database beside; none of that name is fine."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """The file of a backup.

    Attributes:
        path: absolute.
        damage: what is wrong with it, in a sentence; None: its bytes are those that were recorded.
    """

    path: str
    damage: str | None


class Backups(Protocol):
    """Keeps backups: a file and a record each. A file without its record is no backup."""

    def keep(self, backup: Backup, dump: Callable[[str], Contents]) -> Backup:
        """Takes the backup, unless it is there already; what interrupted ones left is removed.

        Args:
            backup: what is known beforehand.
            dump: writes the file at the path that it is given.

        Returns:
            The record, with size, digest and contents.

        Raises:
            TransientError: the disk is full; nothing is kept then.
        """
        ...

    def list_backups(self) -> tuple[Backup, ...]:
        """All of them, newest first."""
        ...

    def verify(self, backup: Backup) -> Kept:
        """Reads its file as a whole."""
        ...

    def replace(self, backup: Backup) -> None:
        """Writes the record of a backup that is kept anew."""
        ...

    def remove(self, backup: str) -> None:
        """Removes the backup of that id; none is fine."""
        ...
