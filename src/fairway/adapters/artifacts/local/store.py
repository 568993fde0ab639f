"""Artifacts as folders of this machine.

An artifact is built in the folder where it will run, whose path is fixed before the build, so that virtual environments
and everything else that holds absolute paths keep working. It is named after its commit and its build steps: the same
commit with the same steps is built once. Nothing here watches whether an artifact still runs: who discards or prunes
says what to keep.
"""

import ctypes
import errno
import hashlib
import json
import os
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from fairway.adapters.artifacts.local.copying import copy_tree, remove_tree
from fairway.adapters.artifacts.local.environment import build_variables
from fairway.adapters.artifacts.local.leftovers import end_processes_of
from fairway.adapters.artifacts.local.manifest import Entry, decode, digest_of, encode
from fairway.adapters.artifacts.local.output import BuildLog
from fairway.adapters.artifacts.local.places import Places, Record, replace_file
from fairway.adapters.artifacts.local.seal import compare, read, restamped, seal
from fairway.adapters.artifacts.local.steps import StepRunner, split_steps
from fairway.domain.errors import FairwayError, PermanentError, TransientError, UserError
from fairway.domain.rollout.revision import Artifact
from fairway.ports.artifacts import Commit, Source

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_SHORT = 12


@dataclass(frozen=True, slots=True)
class Kept:
    """An artifact in the store.

    Attributes:
        sealed: seconds since the epoch, UTC.
        files: how many files and links it has.
        size: bytes of all files together.
        log: path of its build's output; empty if it was adopted.
    """

    artifact: Artifact
    sealed: float
    files: int
    size: int
    log: str


class LocalArtifacts:
    """Keeps the artifacts of one service below a folder; implements `ArtifactStore`.

    Args:
        folder: where all services keep their artifacts; created when needed.
        service: whose artifacts these are.
        source: gives the checkout of a commit.
        clock: seconds since the epoch, UTC.
    """

    def __init__(self, folder: Path, service: str, source: Source, *, clock: Callable[[], float] = time.time) -> None:
        self._service = service
        self._source = source
        self._clock = clock
        self._places = Places(folder, service)

    def build(self, commit: Commit, steps: tuple[str, ...], *, timeout: float, log: Callable[[str], None]) -> Artifact:
        """The artifact of the commit: the one kept, if it is unaltered, else built and sealed.

        A commit without a version of its own (12 digits) gets the version that the kept artifact is known by; a real
        version replaces it.

        Raises:
            UserError: a step cannot be split into words.
            PermanentError: a step failed or took too long; the kept artifact was altered.
            TransientError: the disk is full. Nothing is left of the build then.
        """
        split_steps(steps)
        name = f"{commit.id[:_SHORT]}-{hashlib.sha256(json.dumps(steps).encode()).hexdigest()[:8]}"
        version = commit.version if commit.version != commit.id[:_SHORT] else ""
        blank = Artifact(self._service, version, commit.id, "", str(self._places.content(name)))

        def fill(content: Path) -> None:
            self._source.export(commit.id, str(content))
            with BuildLog(self._places.log(name), log) as output:
                StepRunner(content, build_variables(content, commit), timeout=timeout, log=output).run(steps)

        return self._ensure(name, blank, steps, fill, log)

    def adopt(self, folder: str, *, version: str) -> Artifact:
        """Takes a copy of the content of a folder, links as links; the same content is kept once.

        Raises:
            UserError: there is no such folder, it is empty, or holds this store.
            PermanentError: it holds a socket, pipe or device.
            TransientError: it changed meanwhile, or the disk is full.
        """
        source = Path(folder).absolute()
        if not source.is_dir() or not any(source.iterdir()):
            problem = "is empty" if source.is_dir() else "is not a folder"
            raise UserError("no-artifact", f'the artifact "{folder}" {problem}', "build it first")
        if self._places.folder.resolve().is_relative_to(source.resolve()):
            raise UserError("no-artifact", f'the artifact "{folder}" holds the store of artifacts itself')
        with self._disk_errors():
            digest = digest_of(read(source))
        name = f"{digest.removeprefix('sha256:')[:_SHORT]}-adopted"
        blank = Artifact(self._service, version, "", "", str(self._places.content(name)))
        adopted = self._ensure(name, blank, (), lambda content: copy_tree(source, content), lambda _: None)
        if adopted.digest != digest:
            self.discard(adopted.digest)
            raise TransientError("artifact-changing", f'"{folder}" was changed while it was copied')
        return adopted

    def find(self, digest: str) -> Artifact | None:
        """The artifact with this digest, the youngest if the same content was built from several commits."""
        found = list(self._with_digest(digest).values())
        return found[-1].artifact if found else None

    def verify(self, digest: str, *, thorough: bool = False) -> str | None:
        """None if the artifact is kept and unaltered, else one sentence about the first thing that is wrong.

        Files whose times, inode, mode and size are as sealed count as unaltered unread: the time of an inode's change
        cannot be set back by a program, root's included, without changing the machine's clock. `thorough` reads every
        byte.
        """
        found = self._with_digest(digest)
        if not found:
            return f'artifact {digest} is not kept in "{self._places.folder}"'
        problems = (self._problem(name, record, thorough=thorough) for name, record in found.items())
        return next((problem for problem in problems if problem), None)

    def discard(self, digest: str) -> bool:
        """Removes the artifact, also an altered one; the next build makes it anew. True if there was one.

        The caller knows that nothing runs from it.
        """
        found = self._with_digest(digest)
        for name in found:
            with self._disk_errors(), self._places.locked(name, lambda: None):
                self._places.remove(name)
        return bool(found)

    def list_artifacts(self) -> tuple[Kept, ...]:
        """All kept artifacts, the oldest first."""
        kept = []
        for name, record in self._places.records().items():
            log = self._places.log(name)
            shown = str(log) if log.exists() else ""
            kept.append(Kept(record.artifact, record.sealed, record.files, record.size, shown))
        return tuple(kept)

    def prune(self, keep: Collection[str]) -> tuple[str, ...]:
        """Removes all artifacts but those with the given digests, and what interrupted builds left; returns digests."""
        surplus = [kept.artifact.digest for kept in self.list_artifacts() if kept.artifact.digest not in keep]
        removed = tuple(digest for digest in dict.fromkeys(surplus) if self.discard(digest))
        for name in self._places.unfinished():
            with self._disk_errors():
                if self._places.is_free(name):
                    self._places.remove(name)
        return removed

    def _ensure(
        self,
        name: str,
        blank: Artifact,
        steps: tuple[str, ...],
        fill: Callable[[Path], None],
        log: Callable[[str], None],
    ) -> Artifact:
        """The artifact of that name: the kept one after a look at it, else what `fill` puts into its folder."""
        with (
            self._disk_errors(),
            self._places.locked(name, lambda: log("waiting for another build of the same artifact")),
        ):
            record = self._places.read(name)
            if record is not None:
                return self._kept(name, record, blank.version)
            content = self._places.content(name)
            end_processes_of(content)
            remove_tree(content)
            try:
                content.mkdir()
                fill(content)
                return self._seal(name, blank, steps)
            except BaseException:
                with suppress(OSError):
                    remove_tree(content)
                raise

    def _kept(self, name: str, record: Record, version: str) -> Artifact:
        problem = self._problem(name, record, thorough=False)
        if problem is not None:
            raise PermanentError(
                "artifact-altered",
                problem,
                f'put it back as it was, or delete "{self._places.record(name)}" to have it built anew',
            )
        if version and version != record.artifact.version:
            record = replace(record, artifact=replace(record.artifact, version=version))
            self._places.write(name, record)
        return record.artifact

    def _seal(self, name: str, blank: Artifact, steps: tuple[str, ...]) -> Artifact:
        entries = seal(self._places.content(name))
        replace_file(self._places.manifest(name), encode(entries))
        artifact = replace(blank, digest=digest_of(entries), version=blank.version or blank.commit[:_SHORT])
        files = [entry for entry in entries if entry.kind != "folder"]
        record = Record(artifact, steps, self._clock(), len(files), sum(entry.size for entry in files))
        _write_through(self._places.content(name))
        self._places.write(name, record)
        return artifact

    def _problem(self, name: str, record: Record, *, thorough: bool) -> str | None:
        content = self._places.content(name)
        shown = f'artifact {record.artifact.digest[:19]} in "{content}"'
        try:
            sealed = decode(self._places.manifest(name).read_text())
            if digest_of(sealed.values()) != record.artifact.digest:
                return f"{shown}: its manifest was altered"
            problem, seen = compare(content, sealed, thorough=thorough)
        except FairwayError as error:
            return f"{shown}: {error.message}"
        except OSError as error:
            return f'{shown}: "{error.filename}" cannot be read: {error.strerror}'
        except (ValueError, TypeError):
            return f"{shown}: its manifest was altered"
        if problem is not None:
            return f"{shown}: {problem}"
        self._remember(name, restamped(sealed, seen))
        return None

    def _remember(self, name: str, entries: dict[str, Entry] | None) -> None:
        """Stamps of files that were read and found unaltered, as after a restored backup; not worth a failure."""
        if entries is not None:
            with suppress(OSError):
                replace_file(self._places.manifest(name), encode(entries.values()))

    def _with_digest(self, digest: str) -> dict[str, Record]:
        records = self._places.records().items()
        return {name: record for name, record in records if record.artifact.digest == digest}

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            what = f'"{error.filename or self._places.folder}"'
            if error.errno in _NO_ROOM:
                raise TransientError(
                    "disk-full", f"there is no room for {what}: {error.strerror}", "free some"
                ) from error
            raise PermanentError("store-failed", f"the store cannot work on {what}: {error.strerror}") from error


def _write_through(folder: Path) -> None:
    """Puts the content on the disk before the record says that it is there; one call for thousands of files."""
    library = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if library.syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(folder))
    finally:
        os.close(descriptor)
