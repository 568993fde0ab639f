"""Hotfixes, reverts and release branches in real repositories: what they make, and that nothing else changes."""

import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from fairway.adapters.sources.git import GitSource
from fairway.adapters.sources.git_branches import GitBranches
from fairway.adapters.sources.git_history import GitHistory
from fairway.adapters.sources.git_work import GitWork
from fairway.domain.branching.policy import BranchPolicy
from fairway.domain.branching.ready import ready_rules
from fairway.domain.errors import PermanentError, TransientError, UserError
from fairway.domain.versioning.policy import Policy
from fairway.usecases.answers import Declined
from fairway.usecases.branching.carry_out import Moved, carry_out
from fairway.usecases.branching.desk import BranchDesk, Live
from fairway.usecases.branching.hotfix import Begin, Finish, plan_finish, plan_start
from fairway.usecases.branching.release_branch import Selection, plan_release_branch
from fairway.usecases.branching.revert import Wanted, plan_revert
from git_history import History


class Repository(History):
    """A repository with a history to be worked on."""

    def write(self, message, tag=None, **files):
        """Commits changes of some files; underscores of names stand for dots."""
        for name, text in files.items():
            (self.folder / name.replace("_", ".")).write_text(text)
        return self.record(tag=tag, message=message)

    def merge(self, branch, message):
        self.git("merge", "--quiet", "--no-ff", "-m", message, branch)
        return self.git("rev-parse", "HEAD")

    def desk(self, policy=None, live=(), scheme="semver"):
        source = GitSource(self.folder)
        return BranchDesk(
            policy,
            Policy(scheme=scheme),
            GitBranches(self.folder),
            GitHistory(self.folder),
            source.find_commit,
            lambda: tuple(live),
        )

    def do(self, plan, *, agree=lambda _: True, **of_desk):
        desk = self.desk(**of_desk)
        return carry_out(lambda: plan(desk), desk.branches, GitWork(self.folder), agree)

    def subjects(self, revision):
        return self.git("log", "--format=%s", revision).splitlines()

    def state(self):
        """Everything of a repository that a command could leave half done."""
        return (
            self.git("for-each-ref", "--format=%(refname) %(objectname)"),
            self.git("status", "--porcelain", "--branch"),
            self.git("worktree", "list", "--porcelain"),
            sorted(path.name for path in self.folder.glob("*")),
            sorted(path.name for path in (self.folder / ".git" / "fairway" / "work").glob("*") if path.is_dir()),
        )


def gitflow():
    rules = ready_rules("gitflow", main="main", develop="develop", environments=(), production=())
    return BranchPolicy("gitflow", rules, "main", "develop")


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Version 1.1.0 with a merged pull request 12 and a squashed one 13 on top of 1.0.0."""
    made = Repository(tmp_path_factory.mktemp("template") / "shop")
    made.write("feat: start", tag="v1.0.0", base="base\n", shared="one\ntwo\nthree\n")
    made.git("switch", "--quiet", "--create", "search")
    made.write("feat: search", search="search\n")
    made.write("fix: typo in search", search="search!\n")
    made.git("switch", "--quiet", "main")
    made.merge("search", "Merge pull request #12 from ann/search")
    made.write("feat: cart (#13)", tag="v1.1.0", cart="cart\n")
    return made.folder


@pytest.fixture
def shop(template, tmp_path):
    """A copy of its own of that repository."""
    made = Repository.__new__(Repository)
    made.folder = Path(shutil.copytree(template, tmp_path / "shop"))
    return made


def revert(*commits, **others):
    return lambda desk: plan_revert(desk, Wanted(commits, **others))


def test_a_merged_and_a_squashed_request_are_taken_back_on_a_branch_of_their_own(shop):
    before = shop.git("rev-parse", "main")
    answer = shop.do(revert(requests=("12", "13")))
    assert isinstance(answer, Moved)
    assert shop.git("rev-parse", "main") == before
    assert shop.subjects("main..revert/12-13") == [
        'Revert "Merge pull request #12 from ann/search"',
        'Revert "feat: cart (#13)"',
    ]
    assert shop.git("diff", "--name-only", "v1.0.0", "revert/12-13") == ""


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


def test_a_conflict_names_commit_files_and_later_commits_and_leaves_nothing(shop):
    target = shop.write("feat: louder", shared="ONE\ntwo\nthree\n")
    shop.write("feat: louder still", shared="ONE!\ntwo\nthree\n")
    before = shop.state()
    answer = shop.do(revert(target))
    assert isinstance(answer, Declined)
    assert answer.code == "conflict"
    assert f"revert of {target[:12]} (feat: louder) conflicts in shared; nothing was done" in answer.sentence
    assert "feat: louder still" in answer.hint
    assert shop.state() == before


def test_a_conflict_in_the_second_of_two_leaves_nothing_of_the_first(shop):
    early = shop.write("feat: louder", shared="ONE\ntwo\nthree\n")
    shop.write("feat: louder still", shared="ONE!\ntwo\nthree\n")
    late = shop.write("feat: help", help="help\n")
    before = shop.state()
    assert shop.do(revert(late, early)).code == "conflict"
    assert shop.state() == before


def test_what_is_taken_back_already_is_not_taken_back_twice(shop):
    shop.do(revert(requests=("13",)))
    shop.git("merge", "--quiet", "--no-ff", "-m", "Merge pull request #14 from ann/revert", "revert/13")
    answer = shop.do(revert(requests=("13",), branch="again"))
    assert answer.code == "reverted-already"
    assert "--restore" in answer.hint


def test_a_revert_that_was_taken_out_by_hand_has_no_effect(shop):
    commit = shop.git("rev-parse", "main")
    shop.git("rm", "--quiet", "cart")
    shop.git("commit", "--quiet", "--message", "chore: no cart")
    assert shop.do(revert(commit)).code == "no-effect"


def restored(shop, live, **others):
    return shop.do(revert(requests=("12",), restore=True, **others), live=live)


def merged_revert(shop):
    shop.do(revert(requests=("12",)))
    return shop.merge("revert/12", "Merge pull request #15 from ann/revert")


def test_the_revert_of_a_revert_waits_until_production_runs_without_it(shop):
    old = shop.git("rev-parse", "v1.1.0")
    merged_revert(shop)
    shop.git("tag", "v1.1.1")
    answer = restored(shop, [Live("production", "1.1.0", old)])
    assert answer.code == "revert-not-live"
    assert "production runs 1.1.0" in answer.sentence
    new = shop.git("rev-parse", "v1.1.1")
    assert isinstance(restored(shop, [Live("production", "1.1.1", new)]), Moved)
    assert shop.git("diff", "--name-only", "v1.1.0", "restore/12") == ""


def test_the_revert_of_a_revert_need_not_wait_if_so_said(shop):
    old = shop.git("rev-parse", "v1.1.0")
    merged_revert(shop)
    assert isinstance(restored(shop, [Live("production", "1.1.0", old)], early=True), Moved)


def test_a_revert_that_was_squashed_when_it_was_merged_is_found(shop):
    shop.do(revert(requests=("13",)))
    message = shop.git("log", "-1", "--format=%B", "revert/13")
    shop.git("merge", "--quiet", "--squash", "revert/13")
    shop.git("commit", "--quiet", "--message", message.replace('"\n', '" (#16)\n', 1))
    answer = shop.do(revert(requests=("13",), restore=True))
    assert isinstance(answer, Moved)
    assert shop.git("show", "restore/13:cart") == "cart"


def test_what_was_never_reverted_cannot_come_back(shop):
    assert restored(shop, []).code == "not-reverted"


def test_a_commit_that_the_branch_does_not_hold_is_refused(shop):
    shop.git("switch", "--quiet", "--create", "other", "v1.0.0")
    elsewhere = shop.write("feat: elsewhere", elsewhere="x\n")
    with pytest.raises(UserError, match="main does not hold"):
        shop.do(revert(elsewhere))


def test_commits_are_named_by_steps_from_another_one_too(shop):
    shop.do(revert("HEAD~", "v1.1.0", branch="back"))
    assert shop.subjects("main..back") == [
        'Revert "Merge pull request #12 from ann/search"',
        'Revert "feat: cart (#13)"',
    ]
    assert GitSource(shop.folder).find_commit("main~1^2~1") == shop.git("rev-parse", "search~1")


@pytest.mark.parametrize("name", ["HEAD~9", "v1.0.0^2", "HEAD^0^9"])
def test_steps_that_lead_to_no_commit_are_refused(shop, name):
    with pytest.raises(UserError, match="names no commit"):
        shop.do(revert(name))


@pytest.mark.parametrize("name", ["HEAD^{tree}", "HEAD@{1}~1", "^main", "--all~1", "v1.0.0..main", ":/feat~1"])
def test_no_other_expression_names_a_commit(shop, name):
    with pytest.raises(UserError, match="cannot be the name"):
        shop.do(revert(name))


def test_an_unknown_request_is_refused(shop):
    with pytest.raises(UserError, match="no commit of main names the pull request 99"):
        shop.do(revert(requests=("99",)))


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


def test_hooks_of_the_user_are_not_run(shop):
    hook = shop.folder / ".git/hooks/post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {shop.folder}/hooked\n")
    hook.chmod(0o755)
    assert isinstance(shop.do(revert(requests=("12",))), Moved)
    assert not (shop.folder / "hooked").exists()


def test_a_hotfix_begins_on_what_production_runs(shop):
    old = shop.git("rev-parse", "v1.0.0")
    shop.do(lambda desk: plan_start(desk, Begin()), live=[Live("production", "1.0.0", old)])
    assert shop.git("rev-parse", "hotfix/1.0.1") == old


def test_a_hotfix_begins_on_the_latest_release_where_nothing_runs(shop):
    shop.do(lambda desk: plan_start(desk, Begin()))
    assert shop.git("rev-parse", "hotfix/1.1.1") == shop.git("rev-parse", "v1.1.0")


def test_a_hotfix_of_a_release_that_was_repaired_already_is_refused(shop):
    shop.git("tag", "v1.0.1", "v1.0.0")
    answer = shop.do(lambda desk: plan_start(desk, Begin(release="1.0.0")))
    assert answer.code == "released"
    assert "--from v1.0.1" in answer.hint


def repaired(shop, release="1.0.0"):
    """A hotfix of 1.0.0 with one commit, and `main` checked out again."""
    shop.do(lambda desk: plan_start(desk, Begin(release=release)))
    shop.git("switch", "--quiet", "hotfix/1.0.1")
    shop.write("fix: the base", base="better\n")
    shop.git("switch", "--quiet", "main")


def finish(branch=None, push=None):
    return lambda desk: plan_finish(desk, Finish(branch, push))


def test_a_finished_hotfix_is_part_of_the_branch_that_is_checked_out(shop):
    repaired(shop)
    before = shop.git("rev-parse", "main")
    assert isinstance(shop.do(finish()), Moved)
    assert shop.git("rev-list", "--parents", "-1", "main").split()[1:] == [
        before,
        shop.git("rev-parse", "hotfix/1.0.1"),
    ]
    assert (shop.folder / "base").read_text() == "better\n"
    assert shop.git("status", "--porcelain") == ""


def test_a_hotfix_is_not_merged_into_a_dirty_work_tree(shop):
    repaired(shop)
    (shop.folder / "cart").write_text("half a thought\n")
    before = shop.state()
    answer = shop.do(finish())
    assert answer.code == "work-tree-dirty"
    assert shop.state() == before


def test_in_gitflow_a_hotfix_goes_to_main_develop_and_open_release_branches(shop):
    for name in ("develop", "release/1.2.0"):
        shop.git("switch", "--quiet", "--create", name)
        shop.write(f"feat: on {name}", **{name.partition("/")[0]: "x\n"})
    shop.git("branch", "release/1.1.0", "v1.1.0")
    shop.git("switch", "--quiet", "main")
    repaired(shop)
    moved = shop.do(finish("1.0.1"), policy=gitflow())
    assert [name for name, _ in moved.branches] == ["main", "develop", "release/1.2.0"]
    for name, _ in moved.branches:
        assert shop.git("show", f"{name}:base") == "better"
        assert shop.subjects(name)[0] == f"Merge branch 'hotfix/1.0.1' into {name}"
    assert shop.do(finish("1.0.1"), policy=gitflow()) == Moved(())


def test_a_hotfix_that_conflicts_with_one_branch_goes_to_none(shop):
    shop.git("switch", "--quiet", "--create", "develop")
    shop.write("feat: another base", base="other\n")
    shop.git("switch", "--quiet", "main")
    repaired(shop)
    before = shop.state()
    answer = shop.do(finish(), policy=gitflow())
    assert answer.code == "conflict"
    assert "conflicts in base" in answer.sentence
    assert shop.state() == before


def gitflow_shop(shop):
    """A hotfix that is to go to main, develop and a release branch."""
    shop.git("branch", "develop")
    shop.git("switch", "--quiet", "--create", "release/1.2.0")
    shop.write("feat: to come", release="x\n")
    shop.git("switch", "--quiet", "main")
    repaired(shop)


class Interrupted(GitWork):
    """Somebody moves a branch when everything is made."""

    def __init__(self, shop, branch):
        super().__init__(shop.folder)
        self.shop, self.branch = shop, branch

    def make(self, start, changes):
        made = super().make(start, changes)
        self.shop.git("update-ref", f"refs/heads/{self.branch}", "v1.0.0")
        return made


@pytest.mark.parametrize("checked_out", ["main", "develop", "v1.0.0"])
def test_a_hotfix_goes_to_no_branch_where_one_has_moved_meanwhile(shop, checked_out):
    gitflow_shop(shop)
    shop.git("switch", "--quiet", "--detach", "v1.0.0")
    if checked_out != "v1.0.0":
        shop.git("switch", "--quiet", checked_out)
    before = [shop.git("rev-parse", name) for name in ("main", "develop")]
    desk = shop.desk(policy=gitflow())
    with pytest.raises(TransientError, match=r"'release/1\.2\.0' has moved meanwhile"):
        carry_out(
            lambda: plan_finish(desk, Finish()), desk.branches, Interrupted(shop, "release/1.2.0"), lambda _: True
        )
    assert [shop.git("rev-parse", name) for name in ("main", "develop")] == before
    assert list((shop.folder / ".git").glob("refs/**/*.lock")) == []
    assert shop.git("status", "--porcelain") == ""


def test_a_hotfix_goes_to_no_branch_where_a_file_of_the_users_is_in_the_way(shop):
    gitflow_shop(shop)
    shop.git("switch", "--quiet", "hotfix/1.0.1")
    shop.write("fix: more", more="more\n")
    shop.git("switch", "--quiet", "develop")
    (shop.folder / "more").write_text("mine\n")
    before = shop.state()
    with pytest.raises(PermanentError, match="git does not move branch 'develop'"):
        shop.do(finish(), policy=gitflow())
    assert shop.state() == before
    (shop.folder / "more").unlink()
    assert isinstance(shop.do(finish(), policy=gitflow()), Moved)


def test_a_release_branch_holds_a_release_without_some_of_it(shop):
    selection = Selection("v1.1.0", without=("#12",))
    shop.do(lambda desk: plan_release_branch(desk, selection))
    assert shop.git("ls-tree", "--name-only", "release/1.1.1").split() == ["base", "cart", "shared"]
    assert shop.git("merge-base", "release/1.1.1", "v1.1.0") == shop.git("rev-parse", "v1.1.0")


def test_a_release_branch_of_a_pre_release_leads_to_its_release(shop):
    shop.git("tag", "v1.2.0-rc.1")
    shop.do(lambda desk: plan_release_branch(desk, Selection("v1.2.0-rc.1")))
    assert shop.git("rev-parse", "release/1.2.0") == shop.git("rev-parse", "main")


def test_a_release_branch_of_something_without_a_version_needs_a_name(shop):
    with pytest.raises(UserError, match="no version to be called by"):
        shop.do(lambda desk: plan_release_branch(desk, Selection("search")))


def test_what_is_not_in_a_release_cannot_be_left_out(shop):
    with pytest.raises(UserError, match="does not hold"):
        shop.do(lambda desk: plan_release_branch(desk, Selection("v1.0.0", without=("v1.1.0",))))


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
