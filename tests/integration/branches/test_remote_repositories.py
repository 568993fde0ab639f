"""Work on branches beside what a remote repository has."""

import subprocess

import pytest
from branch_repository import Repository, finish, repaired, revert

from fairway.adapters.sources.git_branches import GitBranches
from fairway.adapters.sources.git_work import GitWork
from fairway.domain.errors import PermanentError, TransientError, UserError
from fairway.usecases.branching.carry_out import Moved
from fairway.usecases.branching.hotfix import Begin, plan_start
from fairway.usecases.branching.release_branch import Selection, plan_release_branch
from fairway.usecases.branching.revert import Wanted, plan_revert


def test_the_name_of_a_remote_is_never_an_option(shop, tmp_path):
    with pytest.raises((UserError, TransientError)):
        shop.do(revert(requests=("12",), push=f"--receive-pack=touch {tmp_path}/run;"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["nowhere", "--all"])
@pytest.mark.parametrize(
    "plan",
    [
        lambda desk, push: plan_revert(desk, Wanted(("#12",), push=push)),
        lambda desk, push: plan_start(desk, Begin(push=push)),
        lambda desk, push: plan_release_branch(desk, Selection("v1.1.0", push=push)),
    ],
)
def test_a_remote_that_nobody_knows_is_told_before_anything_is_made(shop, plan, name):
    before = shop.state()
    with pytest.raises(UserError, match=f"there is no remote '{name}'"):
        shop.do(lambda desk: plan(desk, name))
    assert shop.state() == before


def test_a_remote_may_be_a_folder_or_a_word_that_settings_stand_for(shop, tmp_path, monkeypatch):
    subprocess.run(["git", "init", "--quiet", "--bare", str(shop.folder / "aside")], check=True)
    (shop.folder / "below").mkdir()
    shop.git("config", f"url.{shop.folder}/aside.insteadOf", "word")
    for name in ("aside", "word"):
        GitWork(shop.folder).require(name)
        GitWork(shop.folder / "below").require(name)


@pytest.fixture
def remote(shop, tmp_path):
    """A remote repository that `main` is pushed to."""
    made = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(made)], check=True)
    shop.git("remote", "add", "origin", str(made))
    shop.git("push", "--quiet", "origin", "main", "v1.0.0", "v1.1.0")
    return made


def elsewhere(remote, tmp_path):
    """Another clone's commit on `main`, pushed."""
    other = Repository(tmp_path / "other")
    other.git("remote", "add", "origin", str(remote))
    other.git("pull", "--quiet", "origin", "main")
    other.write("feat: from elsewhere", elsewhere="x\n")
    other.git("push", "--quiet", "origin", "main")


def test_a_branch_is_pushed_and_pushed_again_if_that_was_missed(shop, remote):
    shop.do(revert(requests=("12",)))
    shop.do(revert(requests=("12",), push="origin"))
    assert shop.git("ls-remote", "origin", "refs/heads/revert/12").split()[0] == shop.git("rev-parse", "revert/12")


def test_settings_by_variables_lead_to_the_remote_repository(shop, remote, monkeypatch):
    """As machines of CI sign in: the password is in a setting that only a variable holds."""
    shop.git("remote", "set-url", "origin", "ci:remote.git")
    settings = {"COUNT": "1", "KEY_0": f"url.{remote.parent}/.insteadOf", "VALUE_0": "ci:"}
    for name, value in settings.items():
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    monkeypatch.setenv("GIT_DIR", str(shop.folder.parent / "another"))
    assert isinstance(shop.do(revert(requests=("12",), push="origin")), Moved)
    commit = GitBranches(shop.folder).fetch("origin", "revert/12")
    assert commit == GitBranches(shop.folder).observe("revert/12").local


def test_the_callers_ssh_reaches_the_remote_repository(shop, remote, tmp_path, monkeypatch):
    program = tmp_path / "ssh"
    program.write_text('#!/bin/sh\nshift\nexec sh -c "$*"\n')
    program.chmod(0o755)
    shop.git("remote", "set-url", "origin", f"nowhere.invalid:{remote}")
    monkeypatch.setenv("GIT_SSH_COMMAND", str(program))
    monkeypatch.setenv("GIT_SSH_VARIANT", "simple")
    assert GitBranches(shop.folder).fetch("origin", "main") == shop.git("rev-parse", "main")


def test_work_is_on_top_of_what_the_remote_repository_has(shop, remote, tmp_path):
    elsewhere(remote, tmp_path)
    shop.git("fetch", "--quiet", "origin")
    shop.do(revert(requests=("12",)))
    assert shop.git("merge-base", "revert/12", "origin/main") == shop.git("rev-parse", "origin/main")


def test_a_branch_that_went_two_ways_is_not_worked_on(shop, remote, tmp_path):
    elsewhere(remote, tmp_path)
    shop.git("fetch", "--quiet", "origin")
    shop.write("feat: from here", here="x\n")
    assert shop.do(revert(requests=("12",))).code == "branch-diverged"


def test_what_others_pushed_is_never_replaced(shop, remote, tmp_path):
    repaired(shop)
    elsewhere(remote, tmp_path)
    theirs = shop.git("ls-remote", "origin", "refs/heads/main")
    with pytest.raises(PermanentError, match="does not take main"):
        shop.do(finish(push="origin"))
    assert shop.git("ls-remote", "origin", "refs/heads/main") == theirs
