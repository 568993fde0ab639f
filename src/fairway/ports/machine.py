"""What Fairway asks this machine before it relies on it: the runtime, programs, addresses, folders."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Runtime:
    """What Fairway itself runs on.

    Attributes:
        python: version of the interpreter.
        sqlite: version of the SQLite library that it uses.
        open_files: how many files and connections one process may have open; None: no limit.
        open_files_most: how far that may be raised without an administrator; None: no limit.
        now: seconds since the epoch, UTC.
    """

    python: tuple[int, int, int]
    sqlite: tuple[int, int, int]
    open_files: int | None
    open_files_most: int | None
    now: float


@dataclass(frozen=True, slots=True)
class Program:
    """A program that was started once to see whether it runs.

    Attributes:
        path: where it is, empty if it was not found.
        version: what it calls itself, empty if it did not say.
        problem: what went wrong, in one clause; None if it runs.
    """

    path: str
    version: str
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """A host and port of this machine as observed.

    Attributes:
        free: one can listen there now.
        pid: the process that listens there, None if none does or it is not visible to us.
        command: its command line, shortened; empty if unknown.
        folder: its working folder, empty if unknown.
        problem: why one cannot listen there, in one clause; empty if one can.
    """

    free: bool
    pid: int | None = None
    command: str = ""
    folder: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class FolderState:
    """A folder as observed.

    Attributes:
        exists: if not, what follows is of the nearest folder above that exists.
        problem: why nothing can be written there, in one clause; None if it can.
        file_system: type of the file system, such as `ext4` or `nfs`; empty if unknown.
        free_bytes: what this user may still write.
        free_share: the same as a fraction of the whole.
        mode: permission bits.
        ours: it belongs to the user who runs Fairway.
        changed: seconds since the epoch, UTC: the latest change of the folder or of an entry of it.
    """

    exists: bool
    problem: str | None
    file_system: str
    free_bytes: int
    free_share: float
    mode: int
    ours: bool
    changed: float


class Machine(Protocol):
    """This machine. Every answer comes within a second or so and leaves nothing behind."""

    def observe_runtime(self) -> Runtime:
        """What Fairway itself runs on."""
        ...

    def observe_git(self) -> Program:
        """Whether git runs."""
        ...

    def observe_proxy(self) -> Program:
        """Whether the proxy runs and accepts a small configuration."""
        ...

    def observe_address(self, host: str, port: int) -> Address:
        """Whether one can listen there, and who does."""
        ...

    def observe_folder(self, folder: str) -> FolderState:
        """The folder, after trying to write a file there."""
        ...
