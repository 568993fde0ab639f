"""Where the artifacts of one service lie, and what is written down about them.

`<folder>/<service>/<name>/` is the content. Beside it, in `.store/`, lie the record `<name>.json`, the list of what the
content consists of `<name>.manifest`, the output of its build `<name>.log`, and its lock `<name>.lock`. An artifact is
kept from the moment its record is there: a folder without one is a build that was interrupted.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from fairway.adapters.artifacts.local.copying import remove_tree
from fairway.domain.errors import PermanentError
from fairway.domain.rollout.revision import Artifact


@dataclass(frozen=True, slots=True)
class Record:
    """What is written down about a kept artifact.

    Attributes:
        steps: by which it was built; empty if it was adopted.
        sealed: seconds since the epoch, UTC.
        size: bytes of all files together.
    """

    artifact: Artifact
    steps: tuple[str, ...]
    sealed: float
    files: int
    size: int


class Places:
    """The paths of one service's artifacts, by name."""

    def __init__(self, folder: Path, service: str) -> None:
        self.folder = folder.absolute() / service
        self._store = self.folder / ".store"

    def prepare(self) -> None:
        """Creates the folders."""
        self._store.mkdir(parents=True, exist_ok=True)

    def content(self, name: str) -> Path:
        """The folder that holds the artifact itself."""
        return self.folder / name

    def record(self, name: str) -> Path:
        """The file whose presence means that the artifact is kept."""
        return self._store / f"{name}.json"

    def manifest(self, name: str) -> Path:
        """What the content consists of."""
        return self._store / f"{name}.manifest"

    def log(self, name: str) -> Path:
        """The output of the build."""
        return self._store / f"{name}.log"

    @contextmanager
    def locked(self, name: str, waiting: Callable[[], None]) -> Iterator[None]:
        """Holds the artifact's lock, which ends with the process; calls `waiting` once if somebody else has it."""
        self.prepare()
        descriptor = os.open(self._store / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def is_free(self, name: str) -> bool:
        """True if nobody works on the artifact at this moment."""
        descriptor = os.open(self._store / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(descriptor)
        return True

    def read(self, name: str) -> Record | None:
        """The record, None if the artifact is not kept."""
        path = self.record(name)
        try:
            fields = json.loads(path.read_text())
            artifact = Artifact(**fields.pop("artifact"))
            return Record(artifact, tuple(fields.pop("steps")), **fields)
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise PermanentError(
                "record-unreadable",
                f'the record of an artifact, "{path}", cannot be read: {error}',
                "delete it: the artifact is then built anew",
            ) from error

    def write(self, name: str, record: Record) -> None:
        """Writes the record so that it is there whole or not at all, whatever happens."""
        replace_file(self.record(name), json.dumps(asdict(record), indent=1))

    def records(self) -> dict[str, Record]:
        """All kept artifacts by name, the oldest first."""
        names = [path.name.removesuffix(".json") for path in self._store.glob("*.json")]
        found = {name: record for name in names if (record := self.read(name)) is not None}
        return dict(sorted(found.items(), key=lambda item: (item[1].sealed, item[0])))

    def unfinished(self) -> list[str]:
        """Names of folders without a record."""
        if not self.folder.is_dir():
            return []
        names = [path.name for path in self.folder.iterdir() if path != self._store]
        return [name for name in names if not self.record(name).exists()]

    def remove(self, name: str) -> None:
        """Forgets the artifact, then removes what is left of it; its lock file stays, it may be waited for."""
        self.record(name).unlink(missing_ok=True)
        for path in (self.manifest(name), self.log(name)):
            path.unlink(missing_ok=True)
        remove_tree(self.content(name))


def replace_file(path: Path, text: str) -> None:
    """Replaces the file's content at once; after a power failure it is the old or the new one."""
    new = path.with_name(f"{path.name}.new")
    try:
        with new.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
