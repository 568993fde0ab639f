"""What lies in a supervisor's folder, and how it is written.

    units/ID.json    a unit that should run; written by clients, 0600 because it holds the unit's environment
    halted/ID        the unit stays defined but should not run at present; written by clients
    status/ID.json   what the supervisor last knew of it; without `units/ID.json` it is being stopped and forgotten
    logs/ID.log      what it wrote; `.1` to `.3` are older, `.1` the youngest of them
    supervisor.json  which process supervises, absent if none does
    supervisor.lock  held (flock) by that process
    supervisor.log   its own messages
    doorbell         a FIFO; a byte in it means "look at the folder now"

Imported by the supervisor process too: standard library only, and little of that.
"""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

Json = dict[str, Any]


def write_json(path: Path, value: Json, *, durable: bool) -> None:
    """Replaces the file in one step; a reader sees the old or the new content, never a part.

    Args:
        path: the file; it gets mode 0600.
        value: what it shall hold.
        durable: also survive a loss of power. Not needed for what is meaningless after a restart of the machine.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump(value, file, sort_keys=True)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.rename(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def read_json(path: Path) -> Json | None:
    """The object in the file; None if the file is absent, or was cut short by a loss of power."""
    try:
        value = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def sync_folder(folder: Path) -> None:
    """Makes renames and removals in the folder survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Layout:
    """The paths inside one supervisor's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.units = folder / "units"
        self.halts = folder / "halted"
        self.statuses = folder / "status"
        self.logs = folder / "logs"
        self.supervisor = folder / "supervisor.json"
        self.lock = folder / "supervisor.lock"
        self.messages = folder / "supervisor.log"
        self.doorbell = folder / "doorbell"

    def make(self) -> None:
        """Creates the folders, for the owner only; what exists stays."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in (self.units, self.halts, self.statuses, self.logs):
            part.mkdir(mode=0o700, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.mkfifo(self.doorbell, 0o600)

    def unit(self, unit: str) -> Path:
        """The unit's definition."""
        return self.units / f"{unit}.json"

    def halt(self, unit: str) -> Path:
        """The mark that the unit should not run at present."""
        return self.halts / unit

    def status(self, unit: str) -> Path:
        """The unit's status."""
        return self.statuses / f"{unit}.json"

    def log(self, unit: str) -> Path:
        """The unit's output."""
        return self.logs / f"{unit}.log"

    def list_units(self) -> list[str]:
        """Ids of the units that are defined, sorted."""
        return _ids(self.units)

    def list_statuses(self) -> list[str]:
        """Ids of the units that the supervisor knows, sorted."""
        return _ids(self.statuses)

    def is_halted(self, unit: str) -> bool:
        """Whether the unit should not run at present."""
        return self.halt(unit).exists()


def _ids(folder: Path) -> list[str]:
    # A name with a leading dot is a file still being written.
    names = os.listdir(folder) if folder.is_dir() else []  # noqa: PTH208 read every second: names are enough
    return sorted(name[: -len(".json")] for name in names if name[0] != "." and name.endswith(".json"))
