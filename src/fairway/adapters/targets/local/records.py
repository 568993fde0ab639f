"""What the target remembers between calls: one file for each service and environment, and one lock beside it."""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from fairway.domain.errors import InvariantError, TransientError
from fairway.domain.rollout.revision import Endpoint

_POLL = 0.02  # seconds between tries for a lock that another process has


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    """An instance that should run.

    Attributes:
        id: `REVISION.NUMBER`; numbers only grow, so the order of numbers is the order of age.
        host: empty with a socket, and the port is 0 then.
        inherited: what it got from the environment of whoever started it; kept, so that asking again from another
            shell does not look like a change.
        ready: path of the readiness question, None for any answer at all; with the text that the answer must contain.
        timeout: seconds from its start until it must be ready.
        socket: path of the Unix socket that it listens on; empty with a port.
        version: of the release, for people and metrics.
    """

    id: str
    revision: str
    number: int
    host: str
    port: int
    inherited: tuple[tuple[str, str], ...]
    ready: str | None
    ready_body: str | None
    timeout: float
    socket: str = ""
    version: str = ""

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens."""
        return Endpoint(self.id, self.host, self.port, self.socket)


@dataclass(frozen=True, slots=True)
class LogRecord:
    """The output of an instance that runs no more."""

    instance: str
    revision: str
    path: str


@dataclass(frozen=True, slots=True)
class Records:
    """Everything remembered of one service in one environment.

    Attributes:
        epoch: the highest fencing number seen.
        instances: that should run, oldest first.
        leaving: that are being stopped, as far as nobody has seen that they are gone; oldest first.
        ended: the output of those that leave or are gone, as far as it is kept; oldest first.
        last_port: the port given out last, 0 before the first. The next one comes after it: a port is not used again
            at once, while somebody may still connect to it and mean the one that had it.
    """

    epoch: int = 0
    instances: tuple[InstanceRecord, ...] = ()
    ended: tuple[LogRecord, ...] = ()
    last_port: int = 0
    leaving: tuple[InstanceRecord, ...] = ()

    def of(self, revision: str) -> tuple[InstanceRecord, ...]:
        """The revision's instances, oldest first."""
        return tuple(record for record in self.instances if record.revision == revision)

    def retire(self, leaving: tuple[InstanceRecord, ...]) -> "Records":
        """The same with these instances on their way out."""
        left = tuple(record for record in self.instances if record not in leaving)
        return replace(self, instances=left, leaving=(*self.leaving, *leaving))

    def divide_logs(
        self, logs: tuple[LogRecord, ...], *, revisions: int, each: int
    ) -> tuple[tuple[LogRecord, ...], tuple[LogRecord, ...]]:
        """Divides logs, oldest first, into those to keep and those to drop.

        Args:
            logs: of instances that ended.
            revisions: how many revisions that run no more keep theirs: those that ended last.
            each: how many logs one revision keeps.
        """
        latest = list(dict.fromkeys(log.revision for log in reversed(logs)))
        running = {record.revision for record in self.instances}
        ended = [revision for revision in latest if revision not in running]
        keeping = running | set(ended[:revisions])
        kept = {log for revision in keeping for log in [log for log in logs if log.revision == revision][-each:]}
        return tuple(log for log in logs if log in kept), tuple(log for log in logs if log not in kept)

    def next_number(self, revision: str) -> int:
        """One more than any instance of the revision has had, as far as anything is left of it."""
        names = [record.id for record in (*self.instances, *self.leaving) if record.revision == revision]
        names += [record.instance for record in self.ended if record.revision == revision]
        return 1 + max((int(name.rpartition(".")[2]) for name in names), default=0)


class RecordStore:
    """The records of one service in one environment, in a folder that the targets of this machine share.

    Args:
        folder: the shared folder; created for the owner only.
        key: names the service and environment.
        patience: seconds to wait for another process that is changing the same records.
    """

    def __init__(self, folder: Path, key: str, *, patience: float = 60.0) -> None:
        self._folder = folder
        self._path = folder / f"{key}.json"
        self._lock = folder / f"{key}.lock"
        self._patience = patience

    def read(self) -> Records:
        """The records as they are; empty before the first change."""
        with self._usable():
            return _read(self._path)

    def write(self, records: Records) -> None:
        """Replaces the records in one step, so that they survive a loss of power. Only while `changing`."""
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        with self._usable():
            temporary.touch(mode=0o600)
            with temporary.open("w") as file:
                json.dump(asdict(records), file)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(self._path)
            descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Keeps every other thread and process from changing these records.

        Raises:
            TransientError: somebody else has been changing them all the time.
        """
        with self._locked(self._lock):
            yield

    @contextlib.contextmanager
    def choosing_ports(self) -> Iterator[frozenset[int]]:
        """Keeps every target of the folder from taking a port; yields those taken, and 0 if an instance has none."""
        with self._locked(self._folder / "ports.lock"):
            with self._usable():
                files = [path for path in self._folder.glob("*.json") if not path.name.startswith(".")]
                every = [_read(path) for path in files]
            taken = frozenset(record.port for one in every for record in (*one.instances, *one.leaving))
            yield taken

    @contextlib.contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            sentence = f"The records in {self._folder} could not be read or written: {error.strerror or error}."
            raise TransientError("target-folder", sentence, "Is the disk full?") from error

    @contextlib.contextmanager
    def _locked(self, path: Path) -> Iterator[None]:
        with self._usable():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + self._patience
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise TransientError(
                            "target-busy",
                            f"Another process has held {path} for more than {self._patience:g} s.",
                            "Wait until it is done, or see what it waits for.",
                        ) from None
                time.sleep(_POLL)
            yield
        finally:
            os.close(descriptor)


def key_of(service: str, environment: str) -> str:
    """A name for files and units, of `[a-z0-9.-]`: readable, and different for different services and environments."""
    return f"{_part(service)}.{_part(environment)}"


def _part(name: str) -> str:
    plain = re.sub(r"[^a-z0-9-]", "-", name.lower())[:40]
    if plain == name:
        return name
    return f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def _read(path: Path) -> Records:
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return Records()
    try:
        value: dict[str, Any] = json.loads(text)
        ended = tuple(LogRecord(**one) for one in value["ended"])
        instances, leaving = _instances(value["instances"]), _instances(value.get("leaving", []))
        return Records(value["epoch"], instances, ended, value["last_port"], leaving)
    except (ValueError, KeyError, TypeError) as problem:
        raise InvariantError("target-records", f"The file {path} cannot be understood: {problem}.") from problem


def _instances(stored: list[dict[str, Any]]) -> tuple[InstanceRecord, ...]:
    return tuple(
        InstanceRecord(**{**one, "inherited": tuple((name, text) for name, text in one["inherited"])}) for one in stored
    )
