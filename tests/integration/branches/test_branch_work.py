"""What all work on branches keeps to: it is shown, agreed to and done as a whole, and nothing else changes."""

import subprocess
import threading

import pytest
from branch_repository import Repository, repaired, revert

from fairway.adapters.sources.git_work import GitWork
from fairway.domain.errors import TransientError, UserError
from fairway.usecases.branching.carry_out import Moved
from fairway.usecases.branching.hotfix import Finish, plan_finish


def test_the_commands_that_are_shown_are_those_that_would_do_it_by_hand(shop):
    shown = []
    shop.do(revert(requests=("12",)), agree=lambda plan: shown.append(plan.lines) and False)
    work = shop.folder.parent / "by-hand"
    for line in shown[0]:
        words = line.partition("  #")[0].replace("WORK", str(work)).split()[1:]
        if words[0] == "branch":
            assert words[:3] == ["branch", "--no-track", "revert/12"]
            continue
        if words[:2] == ["worktree", "remove"]:
            by_hand = shop.git("-C", str(work), "rev-parse", "HEAD^{tree}")
        shop.git(*words)
    shop.do(revert(requests=("12",)))
    assert shop.git("rev-parse", "revert/12^{tree}") == by_hand


def test_nothing_is_done_that_nobody_agreed_to(shop):
    before = shop.state()
    assert shop.do(revert(requests=("12",)), agree=lambda _: False) is None
    assert shop.state() == before


def test_a_dirty_work_tree_stays_as_it_is(shop):
    (shop.folder / "cart").write_text("half a thought\n")
    (shop.folder / "new").write_text("not yet known to git\n")
    shop.git("add", "cart")
    (shop.folder / "cart").write_text("another half\n")
    before = (shop.git("status", "--porcelain"), shop.git("diff"), shop.git("diff", "--cached"))
    assert isinstance(shop.do(revert(requests=("13",))), Moved)
    assert (shop.git("status", "--porcelain"), shop.git("diff"), shop.git("diff", "--cached")) == before


def test_the_same_again_changes_nothing(shop):
    shop.do(revert(requests=("12",)))
    before = shop.state()
    assert shop.do(revert(requests=("12",))) == Moved(())
    assert shop.state() == before


def test_a_branch_of_that_name_with_other_content_is_left_alone(shop):
    shop.git("branch", "revert/12", "v1.0.0")
    assert shop.do(revert(requests=("12",))).code == "branch-exists"
    assert shop.git("rev-parse", "revert/12") == shop.git("rev-parse", "v1.0.0")


@pytest.mark.parametrize("name", ["--force", "a..b", "a b", "-", "x.lock", "a\x07"])
def test_what_cannot_be_the_name_of_a_branch_is_refused(shop, name):
    before = shop.state()
    with pytest.raises(UserError, match="no branch can be called"):
        shop.do(revert(requests=("12",), branch=name))
    assert shop.state() == before


def test_hooks_of_the_user_are_not_run(shop):
    hook = shop.folder / ".git/hooks/post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {shop.folder}/hooked\n")
    hook.chmod(0o755)
    assert isinstance(shop.do(revert(requests=("12",))), Moved)
    assert not (shop.folder / "hooked").exists()


def test_a_branch_that_moves_meanwhile_is_not_moved_back(shop):
    repaired(shop)
    shop.git("switch", "--quiet", "--detach")
    writer = GitWork(shop.folder)
    desk = shop.desk()
    work = plan_finish(desk, Finish()).works[0]
    with writer.exclusively():
        made = writer.make(work.start, work.changes)
        shop.git("update-ref", "refs/heads/main", "v1.0.0")
        with pytest.raises(TransientError, match="has moved meanwhile"):
            writer.put([(work, made)])
    assert shop.git("rev-parse", "main") == shop.git("rev-parse", "v1.0.0")


def test_a_plan_that_is_outdated_when_somebody_agrees_is_not_carried_out(shop):
    def agree(plan):
        shop.write("feat: meanwhile", meanwhile="x\n")
        return True

    assert shop.do(revert(requests=("12",)), agree=agree).code == "plan-outdated"
    assert shop.git("branch", "--list", "revert/*") == ""


def test_of_two_who_do_the_same_at_once_one_does_it(shop):
    begin, answers = threading.Barrier(2), []

    def agree(_):
        begin.wait(60)
        return True

    def work():
        answers.append(shop.do(revert(requests=("12",)), agree=agree))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(120)
    # The second finds nothing left to be done.
    assert sorted(len(one.branches) for one in answers) == [0, 1]
    assert shop.subjects("main..revert/12") == ['Revert "Merge pull request #12 from ann/search"']


def test_what_a_killed_process_left_is_removed(shop):
    left = shop.folder / ".git/fairway/work/0000dead"
    shop.git("worktree", "add", "--quiet", "--detach", str(left), "main")
    (left / "cart").write_text("half done\n")
    shop.do(revert(requests=("12",)))
    assert shop.state()[4] == []
    assert str(left) not in shop.git("worktree", "list")


def test_a_bare_repository_is_worked_on_as_well(shop, tmp_path):
    bare = Repository.__new__(Repository)
    bare.folder = tmp_path / "bare.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(shop.folder), str(bare.folder)], check=True)
    assert isinstance(bare.do(revert(requests=("12",))), Moved)
    assert bare.subjects("main..revert/12") == ['Revert "Merge pull request #12 from ann/search"']
