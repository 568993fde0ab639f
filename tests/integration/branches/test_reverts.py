"""Reverts, and reverts of reverts, in real repositories."""

import pytest
from branch_repository import merged_revert, revert

from fairway.adapters.sources.git import GitSource
from fairway.domain.errors import UserError
from fairway.usecases.answers import Declined
from fairway.usecases.branching.carry_out import Moved
from fairway.usecases.branching.desk import Live


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
