"""Branch commands killed before and after every call of git that changes something: the same command again does it."""

import os
import signal
import subprocess

import pytest
from killing_git import KillingGit

CONFIGURATION = "service: shop\nrelease: {artifact: false}\nbranches: gitflow\n"


def write(shop, message, name):
    (shop.folder / name).write_text(f"{message}\n")
    shop.git("add", ".")
    shop.git("commit", "--quiet", "--message", message)


@pytest.fixture
def repaired(shop, tmp_path):
    """A repository in gitflow with a hotfix to be merged, and a remote one."""
    shop.release("1.0.0", {"fairway.yaml": CONFIGURATION})
    shop.git("branch", "hotfix/1.0.1")
    shop.git("switch", "--quiet", "--create", "develop")
    write(shop, "feat: cart (#12)", "cart")
    write(shop, "feat: search (#13)", "search")
    shop.git("switch", "--quiet", "hotfix/1.0.1")
    write(shop, "fix: the sum", "sum")
    shop.git("switch", "--quiet", "main")
    subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path / "remote.git")], check=True)
    shop.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    shop.git("push", "--quiet", "origin", "main", "develop")
    return shop


COMMANDS = {
    "revert": (("revert", "--pr", "12", "--pr", "13", "--push", "origin", "--yes"), {"revert/12-13"}),
    "finish": (("hotfix", "finish", "--push", "origin", "--yes"), {"main", "develop"}),
    "start": (("hotfix", "start", "1.0.2", "--push", "origin", "--yes"), {"hotfix/1.0.2"}),
    "branch": (("release-branch", "--from", "develop", "--without", "#13", "x", "--push", "origin", "--yes"), {"x"}),
}


def trees(shop, branches):
    return {name: shop.git("rev-parse", f"{name}^{{tree}}").strip() for name in branches}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", COMMANDS)
def test_killed_at_any_call_it_is_done_by_the_same_command_again(repaired, tmp_path, name):
    shop = repaired
    command, branches = COMMANDS[name]
    command = ("release-branch", "x", *command[1:5], *command[6:]) if name == "branch" else command
    before = shop.git("for-each-ref", "--format=%(objectname) %(refname)")
    remote = shop.git("ls-remote", "origin")
    git = KillingGit(tmp_path / "bin", os.environ["PATH"])
    calls = git.count(lambda variables: shop.fairway(*command, **variables))
    wanted = trees(shop, branches)
    assert calls >= 2
    for number in range(1, calls + 1):
        for moment in ("before", "after"):
            restore(shop, before, remote)
            killed = shop.fairway(*command, **git.variables(**{moment: number}))
            assert killed.status == -signal.SIGKILL, (moment, number, killed)
            again = shop.fairway(*command)
            assert again.status == 0, (moment, number, again)
            assert trees(shop, branches) == wanted, (moment, number)
            for branch in branches:
                pushed = shop.git("ls-remote", "origin", f"refs/heads/{branch}").split()[0]
                assert pushed == shop.git("rev-parse", branch).strip(), (moment, number)
            assert shop.git("worktree", "list").count("\n") == 1
            assert shop.git("status", "--porcelain") == "", (moment, number)


def restore(shop, references, remote):
    """The branches here and there as they were in the beginning."""
    shop.git("switch", "--quiet", "--detach")
    known = {line.split()[1]: line.split()[0] for line in references.splitlines()}
    for line in shop.git("for-each-ref", "--format=%(refname)").splitlines():
        if line not in known:
            shop.git("update-ref", "-d", line)
    for name, commit in known.items():
        shop.git("update-ref", name, commit)
    shop.git("switch", "--quiet", "main")
    there = {line.split()[1] for line in remote.splitlines()}
    for line in shop.git("ls-remote", "origin").splitlines():
        name = line.split()[1]
        if name.startswith("refs/heads/"):
            wanted = f"+{known[name]}:{name}" if name in there else f":{name}"
            shop.git("push", "--quiet", "origin", wanted)
