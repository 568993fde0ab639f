"""A history and an artifact store in memory, with the behaviour of the real ones."""

import difflib
import hashlib
import json
import shlex
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from fairway.domain.errors import PermanentError, UserError
from fairway.domain.rollout.revision import Artifact
from fairway.ports.artifacts import Commit, Source

_SHORT = 12
_FEWEST_DIGITS = 4


class FakeSource:
    """A history of releases, each with its files; `release` adds one."""

    def __init__(self) -> None:
        self._commits: dict[str, Commit] = {}
        self._files: dict[str, Mapping[str, str]] = {}

    def release(self, version: str, files: Mapping[str, str]) -> str:
        """Commits the files, tags them `v<version>`, and returns the commit."""
        content = json.dumps([version, len(self._commits), dict(files)])
        commit = hashlib.sha1(content.encode(), usedforsecurity=False).hexdigest()
        self._commits[commit] = Commit(commit, version, f"v{version}", f"release {version}", float(len(self._commits)))
        self._files[commit] = dict(files)
        return commit

    def resolve(self, release: str) -> Commit:
        """As the port says."""
        tagged = [commit for commit in self._commits.values() if release in {commit.version, commit.tag}]
        if tagged:
            return tagged[-1]
        named = [commit for commit in self._commits.values() if commit.id.startswith(release.lower())]
        if len(named) == 1 and len(release) >= _FEWEST_DIGITS:
            return replace(named[0], tag=None)
        near = difflib.get_close_matches(release, [commit.version for commit in self._commits.values()])
        raise UserError(
            "unknown-release", f"{release[:40]!r} names {len(named) or 'no'} commits", f"near names: {', '.join(near)}"
        )

    def export(self, commit: str, folder: str) -> None:
        """As the port says."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        if any(target.iterdir()):
            raise UserError("folder-not-empty", f'"{folder}" is not empty')
        for name, text in self._files[commit].items():
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def knows(self, commit: str) -> bool:
        """True if the commit is part of the history."""
        return commit in self._commits


class FakeArtifacts:
    """Artifacts without files. Steps may be `echo TEXT`, `true`, `false` and `sleep SECONDS`, which takes no time.

    `alter` makes an artifact look altered, `discard` forgets it.
    """

    def __init__(self, service: str, source: Source) -> None:
        self._service = service
        self._source = source
        self._kept: dict[str, Artifact] = {}
        self._altered: set[str] = set()
        self._lock = threading.Lock()

    def build(self, commit: Commit, steps: tuple[str, ...], *, timeout: float, log: Callable[[str], None]) -> Artifact:
        """As the port says; sleeping longer than the timeout is taking too long."""
        name = f"{commit.id[:_SHORT]}-{_hash(*steps)[:8]}"
        with self._lock:
            kept = self._kept.get(name)
            if kept is not None:
                return self._unaltered(kept)
            printed: list[str] = []
            for step in steps:
                log(f"$ {step}")
                _pretend(step, timeout, printed, log)
            artifact = Artifact(
                self._service, commit.version, commit.id, f"sha256:{_hash(name)}", f"/memory/{self._service}/{name}"
            )
            self._kept[name] = artifact
            return artifact

    def adopt(self, folder: str, *, version: str) -> Artifact:
        """As the port says."""
        paths = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        if not paths:
            raise UserError("no-artifact", f'the artifact "{folder}" is not a folder with something in it')
        content = _hash(*(f"{path.relative_to(folder)}={_hash(path.read_bytes().hex())}" for path in paths))
        name = f"{content[:_SHORT]}-adopted"
        with self._lock:
            artifact = Artifact(self._service, version, "", f"sha256:{content}", f"/memory/{self._service}/{name}")
            self._kept[name] = artifact
            return artifact

    def find(self, digest: str) -> Artifact | None:
        """As the port says."""
        return next((artifact for artifact in self._kept.values() if artifact.digest == digest), None)

    def verify(self, digest: str) -> str | None:
        """As the port says."""
        if self.find(digest) is None:
            return f"artifact {digest} is not kept"
        return f"artifact {digest} was altered" if digest in self._altered else None

    def alter(self, digest: str) -> None:
        """From now on the artifact is altered."""
        self._altered.add(digest)

    def discard(self, digest: str) -> bool:
        """Forgets the artifact; True if there was one."""
        names = [name for name, artifact in self._kept.items() if artifact.digest == digest]
        for name in names:
            del self._kept[name]
        self._altered.discard(digest)
        return bool(names)

    def _unaltered(self, artifact: Artifact) -> Artifact:
        problem = self.verify(artifact.digest)
        if problem is not None:
            raise PermanentError("artifact-altered", problem)
        return artifact


def _pretend(step: str, timeout: float, printed: list[str], log: Callable[[str], None]) -> None:
    program, *arguments = shlex.split(step)
    ending = ""
    if program == "echo":
        printed.append(" ".join(arguments))
        log(printed[-1])
    elif program == "sleep" and float(arguments[0]) > timeout:
        ending = f"was still running after {timeout:g} s"
    elif program not in {"true", "sleep"}:
        ending = "ended with exit status 1"
    if ending:
        raise PermanentError("build-failed", f"build step ({step}) {ending}: {' / '.join(printed)}")


def _hash(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
