"""Branches that hold a release, or part of one."""

import pytest

from fairway.domain.errors import UserError
from fairway.usecases.branching.release_branch import Selection, plan_release_branch


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
