"""The suites for histories and artifact stores, over the real ones and the fakes."""

from pathlib import Path

import pytest

from fairway.adapters.artifacts.local.store import LocalArtifacts
from fairway.adapters.sources.git import GitSource
from fairway.testing.artifact_contract import ArtifactStoreContract, SourceContract, SourceSubject, StoreSubject
from fairway.testing.artifacts import FakeArtifacts, FakeSource
from git_history import History


class TestGitSource(SourceContract):
    @pytest.fixture
    def subject(self, tmp_path):
        history = History(tmp_path / "repository")
        return SourceSubject(GitSource(history.folder), history.release)


class TestFakeSource(SourceContract):
    @pytest.fixture
    def subject(self):
        source = FakeSource()
        return SourceSubject(source, source.release)


class TestLocalArtifacts(ArtifactStoreContract):
    @pytest.fixture
    def subject(self, tmp_path):
        history = History(tmp_path / "repository")
        history.release("1.0.0", {"app": "one"})
        history.release("1.1.0", {"app": "two"})
        source = GitSource(history.folder)

        def reopen():
            return LocalArtifacts(tmp_path / "artifacts", "shop", source)

        def alter(artifact):
            path = Path(artifact.location) / "app"
            path.chmod(0o644)
            path.write_text("bad")

        return StoreSubject(reopen(), (source.resolve("1.0.0"), source.resolve("1.1.0")), alter, reopen)


class TestFakeArtifacts(ArtifactStoreContract):
    @pytest.fixture
    def subject(self):
        source = FakeSource()
        for version in ("1.0.0", "1.1.0"):
            source.release(version, {"app": version})
        store = FakeArtifacts("shop", source)
        commits = (source.resolve("1.0.0"), source.resolve("1.1.0"))
        return StoreSubject(store, commits, lambda artifact: store.alter(artifact.digest), lambda: store)
