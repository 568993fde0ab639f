"""Releases in real repositories: what a name means, what is exported, and what is refused."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from fairway.adapters.sources.git import GitSource
from fairway.adapters.sources.git_process import GitProcess
from fairway.domain.errors import PermanentError, UserError
from git_history import History


@pytest.fixture
def history(tmp_path):
    return History(tmp_path / "repository")


@pytest.fixture
def source(history):
    return GitSource(history.folder)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_repository_of_another_account_is_refused_with_the_way_to_trust_it(history, source, monkeypatch):
    # As git says it; only the system's administrator could give the repository to somebody else here.
    complaint = f"fatal: detected dubious ownership in repository at '{history.folder}'"
    monkeypatch.setattr(GitProcess, "attempt", lambda *_, **__: (128, b"", complaint))
    with pytest.raises(PermanentError) as refusal:
        source.resolve("HEAD")
    assert str(history.folder) in refusal.value.message
    assert "safe.directory" in refusal.value.hint


class TestNames:
    def test_a_commit_says_who_it_is(self, history, source):
        commit = history.commit({"a": "1"}, tag="1.0.0", message="first line\n\nmore")
        found = source.resolve("v1.0.0")
        assert (found.id, found.version, found.tag, found.subject) == (commit, "1.0.0", "1.0.0", "first line")
        assert found.committed == float(history.git("log", "-1", "--format=%ct"))

    def test_an_annotated_tag_means_its_commit(self, history, source):
        commit = history.commit({"a": "1"})
        history.git("tag", "--annotate", "--message=notes", "v2.0.0")
        assert source.resolve("2.0.0").id == commit

    @pytest.mark.parametrize("name", ["HEAD", "main", "origin/main"])
    def test_a_branch_has_the_highest_version_that_lies_on_it(self, history, source, name):
        commit = history.commit({"a": "1"})
        for tag in ("v1.9.0", "v1.10.0", "v1.10.0-rc.1", "nightly"):
            history.git("tag", tag)
        history.git("update-ref", "refs/remotes/origin/main", commit)
        found = source.resolve(name)
        assert (found.id, found.version, found.tag) == (commit, "1.10.0", None)

    def test_a_branch_without_a_tag_is_known_by_twelve_digits(self, history, source):
        commit = history.commit({"a": "1"})
        assert source.resolve("main").version == commit[:12]

    def test_a_version_with_two_different_tags_is_refused_with_both(self, history, source):
        first = history.commit({"a": "1"}, tag="v1.0.0")
        second = history.commit({"a": "2"}, tag="1.0.0")
        with pytest.raises(UserError) as refusal:
            source.resolve("1.0.0")
        assert first[:12] in refusal.value.message
        assert second[:12] in refusal.value.message

    def test_a_tag_and_a_branch_of_one_name_are_refused_only_if_they_differ(self, history, source):
        first = history.commit({"a": "1"}, tag="stable")
        history.git("branch", "stable")
        assert source.resolve("stable").tag == "stable"
        second = history.commit({"a": "2"})
        history.git("branch", "--force", "stable")
        with pytest.raises(UserError, match="more than one commit"):
            source.resolve("stable")
        assert source.resolve(first).id == first
        assert source.resolve(second).id == second

    def test_an_ambiguous_abbreviation_lists_its_commits(self, history, source):
        # Commits without content are cheap: make them until two begin with the same four digits.
        history.commit({"a": "1"})
        tree_id = history.git("rev-parse", "HEAD^{tree}")
        seen: dict[str, str] = {}
        number, commit = 0, ""
        while commit[:4] not in seen or not commit:
            if commit:
                seen[commit[:4]] = commit
            number += 1
            commit = history.git("commit-tree", tree_id, stdin=f"message {number}")
        with pytest.raises(UserError) as refusal:
            source.resolve(commit[:4])
        assert commit[:12] in refusal.value.message
        assert seen[commit[:4]][:12] in refusal.value.message

    def test_all_forty_digits_mean_the_commit_whatever_branches_are_called(self, history, source):
        first = history.commit({"a": "1"})
        history.commit({"a": "2"})
        history.git("update-ref", f"refs/heads/{first}", "HEAD")
        assert source.resolve(first).id == first

    def test_a_tag_on_something_else_than_a_commit_is_refused(self, history, source):
        history.commit({"a": "1"})
        history.git("tag", "v1.0.0", "HEAD^{tree}")
        with pytest.raises(UserError, match="tree, not a commit"):
            source.resolve("1.0.0")

    @pytest.mark.parametrize("name", ["HEAD~1", "main@{1}", "v1^{}", ":/fix", "a..b", "HEAD^"])
    def test_expressions_are_not_names(self, history, source, name):
        history.release("1.0.0", {"a": "1"})
        history.release("1.0.1", {"a": "2"})
        with pytest.raises(UserError, match="cannot be the name"):
            source.resolve(name)

    def test_names_of_any_alphabet_are_understood(self, history, source):
        commit = history.commit({"a": "1"}, tag="veröffentlicht-é")
        assert source.resolve("veröffentlicht-é").id == commit


class TestRepositories:
    def test_a_folder_without_repository_is_refused(self, tmp_path):
        (tmp_path / "plain").mkdir()
        with pytest.raises(PermanentError, match="plain"):
            GitSource(tmp_path / "plain").resolve("1.0.0")

    def test_a_folder_that_is_not_there_is_refused(self, tmp_path):
        with pytest.raises(PermanentError, match="not a folder"):
            GitSource(tmp_path / "nowhere").resolve("1.0.0")

    def test_a_repository_without_commits_says_so(self, source):
        with pytest.raises(UserError, match="no commit yet"):
            source.resolve("1.0.0")

    def test_a_shallow_clone_does_not_pretend_to_know(self, history, tmp_path):
        history.release("1.0.0", {"a": "1"})
        history.commit({"a": "2"})
        history.git("clone", "--quiet", "--depth=1", f"file://{history.folder}", str(tmp_path / "shallow"))
        with pytest.raises(PermanentError) as refusal:
            GitSource(tmp_path / "shallow").resolve("1.0.0")
        assert "fetch --unshallow" in refusal.value.hint

    def test_the_callers_git_variables_lead_nowhere_else(self, history, source, tmp_path, monkeypatch):
        commit = history.release("1.0.0", {"a": "1"})
        other = History(tmp_path / "other")
        monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
        monkeypatch.setenv("GIT_WORK_TREE", str(other.folder))
        assert source.resolve("1.0.0").id == commit

    def test_the_callers_settings_by_variables_are_for_remote_repositories_only(self, history, monkeypatch):
        history.git("remote", "add", "origin", "git://nowhere.invalid/shop")
        settings = {"COUNT": "1", "KEY_0": "user.name", "VALUE_0": "somebody"}
        for name, value in settings.items():
            monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
        monkeypatch.setenv("GIT_DIR", "/nowhere")
        assert b"somebody" not in GitProcess(history.folder).run("config", "--list")

    def test_a_replacement_object_does_not_change_what_is_exported(self, history, source, tmp_path):
        first = history.release("1.0.0", {"a": "good"})
        second = history.commit({"a": "other"})
        history.git("replace", first, second)
        source.export(first, str(tmp_path / "out"))
        assert tree(tmp_path / "out") == {"a": b"good"}

    def test_only_what_can_be_reached_is_part_of_the_history(self, history, source):
        kept = history.release("1.0.0", {"a": "1"})
        history.git("checkout", "--quiet", "-b", "aside")
        dropped = history.commit({"a": "2"})
        assert source.knows(dropped)
        history.git("checkout", "--quiet", "main")
        history.git("branch", "-D", "aside")
        assert source.knows(kept)
        assert source.knows(kept[:10])
        assert not source.knows(dropped)
        assert not source.knows("0" * 40)
        assert not source.knows("--all")

    def test_a_detached_head_counts_as_history(self, history, source):
        history.commit({"a": "1"})
        history.git("checkout", "--quiet", "--detach")
        assert source.knows(history.commit({"a": "2"}))

    def test_uncommitted_work_is_noticed_and_never_exported(self, history, source, tmp_path):
        commit = history.commit({"a": "1", ".gitignore": "ignored\n"})
        (history.folder / "ignored").write_text("")
        assert not source.is_dirty()
        (history.folder / "a").write_text("2")
        assert source.is_dirty()
        history.git("checkout", "--quiet", "a")
        (history.folder / "new").write_text("")
        assert not source.is_dirty(), "files that git was not told of are no change"
        assert source.list_new_files() == ("new",)
        source.export(commit, str(tmp_path / "out"))
        assert set(tree(tmp_path / "out")) == {"a", ".gitignore"}


class TestExport:
    def test_bytes_are_those_of_the_commit_whatever_attributes_say(self, history, source, tmp_path):
        files = {
            ".gitattributes": "*.txt text eol=crlf\nsecret export-ignore\nstamp export-subst\n",
            "a.txt": "one\ntwo\n",
            "secret": "kept",
            "stamp": "$Format:%H$",
            "empty": "",
            "binary": bytes(range(256)) * 5000,
        }
        source.export(history.commit(files), str(tmp_path / "out"))
        expected = {name: content.encode() if isinstance(content, str) else content for name, content in files.items()}
        assert tree(tmp_path / "out") == expected

    def test_executables_links_and_strange_names_come_through(self, history, source, tmp_path):
        history.commit({"run.sh": "#!/bin/sh\n", "plain": ""})
        (history.folder / "run.sh").chmod(0o755)
        for name, target in (("link", "./plain"), ("dangling", "/nowhere/at//all"), ("folder", "sub/")):
            (history.folder / name).symlink_to(target)
        strange = os.fsdecode(b"latin-\xe9\n tab\t\"quote'")
        (history.folder / strange).write_text("x")
        commit = history.record()
        out = tmp_path / "out"
        source.export(commit, str(out))
        assert stat.S_IMODE((out / "run.sh").stat().st_mode) & 0o100
        assert not stat.S_IMODE((out / "plain").stat().st_mode) & 0o111
        names = ("link", "dangling", "folder")
        links = {name: os.readlink(out / name) for name in names}  # noqa: PTH115 - a Path would tidy it up
        assert links == {"link": "./plain", "dangling": "/nowhere/at//all", "folder": "sub/"}
        assert (out / strange).read_text() == "x"

    def test_files_carry_the_time_of_the_commit(self, history, source, tmp_path):
        commit = history.commit({"a": "1"})
        source.export(commit, str(tmp_path / "out"))
        assert (tmp_path / "out/a").stat().st_mtime == source.resolve(commit).committed

    def test_a_service_in_a_subfolder_gets_its_folder_only(self, history, tmp_path):
        commit = history.commit({"shop/app": "1", "shop/lib/x": "2", "other/app": "3"})
        source = GitSource(history.folder / "shop")
        source.export(commit, str(tmp_path / "out"))
        assert tree(tmp_path / "out") == {"app": b"1", "lib/x": b"2"}
        earlier = history.commit({"other/app": "3"})
        (history.folder / "shop").mkdir()
        with pytest.raises(UserError, match="shop/"):
            source.export(earlier, str(tmp_path / "again"))

    def test_a_submodule_is_exported_at_its_commit_or_named_with_the_command_that_fetches_it(self, history, tmp_path):
        library = History(tmp_path / "library")
        library.commit({"code": "pinned"})
        history.commit({"app": "1"})
        history.git("submodule", "--quiet", "add", f"file://{library.folder}", "vendor/library")
        commit = history.record(tag="v1.0.0")
        history.git("submodule", "--quiet", "update")
        library.commit({"code": "later"})
        GitSource(history.folder).export(commit, str(tmp_path / "out"))
        assert tree(tmp_path / "out")["vendor/library/code"] == b"pinned"

        history.git("clone", "--quiet", f"file://{history.folder}", str(tmp_path / "clone"))
        with pytest.raises(PermanentError) as refusal:
            GitSource(tmp_path / "clone").export(commit, str(tmp_path / "again"))
        assert "vendor/library" in refusal.value.message
        assert "submodule update --init" in refusal.value.hint

    def test_a_pointer_of_git_lfs_is_not_taken_for_the_content(self, history, source, tmp_path):
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"
        commit = history.commit({"big.bin": pointer})
        with pytest.raises(PermanentError, match=r"big\.bin"):
            source.export(commit, str(tmp_path / "out"))

    @pytest.mark.parametrize("name", ["..", ".git", ".GIT"])
    def test_a_tree_that_leads_out_of_its_folder_is_refused(self, history, source, tmp_path, name):
        history.commit({"a": "1"})
        blob = history.git("rev-parse", "HEAD:a")
        inner = _tree(history, [("100644", "evil", blob)])
        commit = history.git("commit-tree", _tree(history, [("40000", name, inner)]), stdin="evil")
        with pytest.raises(PermanentError, match="leads out"):
            source.export(commit, str(tmp_path / "deep" / "out"))
        assert not list(tmp_path.rglob("evil"))

    def test_nothing_is_written_through_a_link_of_the_same_commit(self, history, source, tmp_path):
        (tmp_path / "outside").mkdir()
        target = history.git("hash-object", "-w", "--stdin", stdin=str(tmp_path / "outside"))
        blob = history.git("hash-object", "-w", "--stdin", stdin="evil")
        inner = _tree(history, [("100644", "evil", blob)])
        doubled = _tree(history, [("120000", "way", target), ("40000", "way", inner)])
        commit = history.git("commit-tree", doubled, stdin="evil")
        with pytest.raises(PermanentError, match="symbolic link"):
            source.export(commit, str(tmp_path / "out"))
        assert not list((tmp_path / "outside").iterdir())

    def test_content_that_the_repository_lost_is_named(self, history, source, tmp_path):
        commit = history.commit({"a": "1"})
        blob = history.git("rev-parse", "HEAD:a")
        lost = history.folder / ".git/objects" / blob[:2] / blob[2:]
        shutil.move(lost, tmp_path / "lost")
        with pytest.raises(PermanentError, match='"a"'):
            source.export(commit, str(tmp_path / "out"))


def _tree(history: History, entries: list[tuple[str, str, str]]) -> str:
    """A tree that git itself would refuse to make, from raw entries (mode, name, object)."""
    raw = b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(blob) for mode, name, blob in entries)
    return history.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=raw)
