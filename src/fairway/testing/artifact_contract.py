# ruff: noqa: D102 - the names of the tests are their sentences
"""What every history and every artifact store must do.

An adapter's own test module subclasses a suite and gives the fixture that it asks for:

    class TestMyStore(ArtifactStoreContract):
        @pytest.fixture
        def subject(self, tmp_path): return StoreSubject(…)
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from fairway.domain.errors import FairwayError, PermanentError, UserError
from fairway.domain.rollout.revision import Artifact
from fairway.ports.artifacts import ArtifactStore, Commit, Source

HOSTILE_NAMES = ("", "--upload-pack=touch x", "-v", "..", "../../etc", "v1\nv2", "v1\0", "a b", "v1:x", "x" * 10_000)


@dataclass(frozen=True, slots=True)
class SourceSubject:
    """A history under test.

    Attributes:
        release: commits exactly these files, tags them `v<version>`, and returns the commit's full object name.
    """

    source: Source
    release: Callable[[str, Mapping[str, str]], str]


@dataclass(frozen=True, slots=True)
class StoreSubject:
    """A store under test.

    Attributes:
        commits: two commits with different content that the store's source knows.
        alter: changes the content of the artifact behind the store's back.
        reopen: the store as another process would see it.
    """

    store: ArtifactStore
    commits: tuple[Commit, Commit]
    alter: Callable[[Artifact], None]
    reopen: Callable[[], ArtifactStore]


class SourceContract:
    """For every `Source`; needs the fixture `subject`."""

    @pytest.mark.parametrize("name", ["1.2.3", "v1.2.3"])
    def test_a_version_names_its_tag_with_and_without_v(self, subject: SourceSubject, name: str) -> None:
        commit = subject.release("1.2.3", {"a": "1"})
        subject.release("1.2.4", {"a": "2"})
        found = subject.source.resolve(name)
        assert (found.id, found.version, found.tag) == (commit, "1.2.3", "v1.2.3")

    @pytest.mark.parametrize("digits", [7, 12, 40])
    def test_a_commit_is_named_by_enough_digits(self, subject: SourceSubject, digits: int) -> None:
        commit = subject.release("1.2.3", {"a": "1"})
        subject.release("1.2.4", {"a": "2"})
        found = subject.source.resolve(commit[:digits])
        assert (found.id, found.tag) == (commit, None)

    def test_an_unknown_name_is_refused_with_near_names(self, subject: SourceSubject) -> None:
        subject.release("1.2.3", {"a": "1"})
        with pytest.raises(UserError) as refusal:
            subject.source.resolve("1.2.33")
        assert "1.2.33" in refusal.value.message
        assert "1.2.3" in refusal.value.hint

    @pytest.mark.parametrize("name", HOSTILE_NAMES, ids=lambda name: ascii(name)[:20])
    def test_a_hostile_name_is_refused_in_one_short_sentence(self, subject: SourceSubject, name: str) -> None:
        subject.release("1.2.3", {"a": "1"})
        with pytest.raises(UserError) as refusal:
            subject.source.resolve(name)
        assert len(refusal.value.message) < 200
        assert "\n" not in refusal.value.message

    def test_an_export_holds_what_that_commit_holds(self, subject: SourceSubject, tmp_path: Path) -> None:
        first = subject.release("1.0.0", {"app.txt": "one", "deep/er/old.txt": "x"})
        subject.release("2.0.0", {"app.txt": "two"})
        subject.source.export(first, str(tmp_path / "new"))
        found = {path.relative_to(tmp_path / "new") for path in (tmp_path / "new").rglob("*") if path.is_file()}
        assert found == {Path("app.txt"), Path("deep/er/old.txt")}
        assert (tmp_path / "new/app.txt").read_text() == "one"

    def test_an_export_never_mixes_with_what_is_there(self, subject: SourceSubject, tmp_path: Path) -> None:
        commit = subject.release("1.0.0", {"app.txt": "one"})
        folder = tmp_path / "used"
        folder.mkdir()
        (folder / "other.txt").write_text("")
        with pytest.raises(FairwayError):
            subject.source.export(commit, str(folder))
        assert [path.name for path in folder.iterdir()] == ["other.txt"]


class ArtifactStoreContract:
    """For every `ArtifactStore`; needs the fixture `subject`. Steps are `echo`, `true`, `false` and `sleep`."""

    def test_a_build_gives_an_artifact_that_is_found_and_unaltered(self, subject: StoreSubject) -> None:
        commit = subject.commits[0]
        artifact, _ = _build(subject.store, commit, "echo hello")
        assert (artifact.commit, artifact.version) == (commit.id, commit.version)
        assert len(artifact.digest.removeprefix("sha256:")) == 64
        assert subject.store.find(artifact.digest) == artifact
        assert subject.store.verify(artifact.digest) is None

    def test_every_line_of_output_is_passed_on(self, subject: StoreSubject) -> None:
        _, lines = _build(subject.store, subject.commits[0], "echo one", "echo two three")
        assert [line for line in lines if line in {"one", "two three"}] == ["one", "two three"]

    def test_the_same_commit_with_the_same_steps_is_built_once(self, subject: StoreSubject) -> None:
        first, _ = _build(subject.store, subject.commits[0], "echo hello")
        second, lines = _build(subject.reopen(), subject.commits[0], "echo hello")
        assert second == first
        assert "hello" not in lines

    def test_other_commits_and_other_steps_lie_elsewhere(self, subject: StoreSubject) -> None:
        one, _ = _build(subject.store, subject.commits[0], "echo hello")
        two, _ = _build(subject.store, subject.commits[0], "echo other")
        three, _ = _build(subject.store, subject.commits[1], "echo hello")
        assert len({one.location, two.location, three.location}) == 3

    def test_a_step_that_fails_is_named_with_its_last_lines(self, subject: StoreSubject) -> None:
        with pytest.raises(PermanentError) as refusal:
            _build(subject.store, subject.commits[0], "echo the reason", "false", "echo never")
        assert "false" in refusal.value.message
        assert "the reason" in refusal.value.message
        assert "never" not in refusal.value.message

    def test_a_step_that_takes_too_long_is_ended(self, subject: StoreSubject) -> None:
        with pytest.raises(PermanentError, match="sleep 60"):
            _build(subject.store, subject.commits[0], "sleep 60", timeout=0.3)

    def test_a_build_that_failed_begins_again(self, subject: StoreSubject) -> None:
        for _ in range(2):
            lines: list[str] = []
            with pytest.raises(PermanentError):
                subject.store.build(subject.commits[0], ("echo again", "false"), timeout=30, log=lines.append)
            assert "again" in lines

    def test_two_builds_at_once_yield_one_artifact(self, subject: StoreSubject) -> None:
        results: list[tuple[Artifact, list[str]]] = []
        stores = [subject.store, subject.reopen(), subject.reopen()]
        builders = [
            threading.Thread(
                target=lambda store=store: results.append(_build(store, subject.commits[0], "echo once", "sleep 0.2"))
            )
            for store in stores
        ]
        for builder in builders:
            builder.start()
        for builder in builders:
            builder.join(60)
        assert len({artifact for artifact, _ in results}) == 1
        assert [line for _, lines in results for line in lines].count("once") == 1

    def test_an_altered_artifact_is_reported_and_never_used(self, subject: StoreSubject) -> None:
        artifact, _ = _build(subject.store, subject.commits[0], "echo hello")
        subject.alter(artifact)
        assert subject.reopen().verify(artifact.digest)
        with pytest.raises(PermanentError, match=r"altered|added|missing"):
            _build(subject.store, subject.commits[0], "echo hello")

    def test_what_is_not_kept_is_not_found(self, subject: StoreSubject) -> None:
        digest = "sha256:" + "0" * 64
        assert subject.store.find(digest) is None
        assert digest in str(subject.store.verify(digest))

    def test_a_folder_built_elsewhere_is_adopted_by_content(self, subject: StoreSubject, tmp_path: Path) -> None:
        folder = tmp_path / "elsewhere"
        folder.mkdir()
        (folder / "app").write_text("1")
        first = subject.store.adopt(str(folder), version="1.0.0")
        again = subject.store.adopt(str(folder), version="1.0.0")
        (folder / "app").write_text("2")
        other = subject.store.adopt(str(folder), version="1.0.1")
        assert first == again
        assert (first.version, first.commit) == ("1.0.0", "")
        assert first.digest != other.digest
        assert subject.store.find(first.digest) == first
        assert subject.store.verify(first.digest) is None

    @pytest.mark.parametrize("name", ["missing", "empty"])
    def test_a_folder_without_content_is_refused(self, subject: StoreSubject, tmp_path: Path, name: str) -> None:
        (tmp_path / "empty").mkdir()
        with pytest.raises(UserError, match=name):
            subject.store.adopt(str(tmp_path / name), version="1.0.0")


def _build(store: ArtifactStore, commit: Commit, *steps: str, timeout: float = 30.0) -> tuple[Artifact, list[str]]:
    lines: list[str] = []
    return store.build(commit, steps, timeout=timeout, log=lines.append), lines
