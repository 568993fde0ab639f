"""Hotfixes in real repositories: where they begin, and where they go."""

import pytest
from branch_repository import finish, gitflow, repaired

from fairway.adapters.sources.git_work import GitWork
from fairway.domain.errors import PermanentError, TransientError
from fairway.usecases.branching.carry_out import Moved, carry_out
from fairway.usecases.branching.desk import Live
from fairway.usecases.branching.hotfix import Begin, Finish, plan_finish, plan_start


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
