"""What a dry run of branch commands foresees, in real repositories, and that nothing is left of it."""

import os

import pytest
from branch_repository import finish, gitflow, merged_revert, repaired, revert

from fairway.adapters.sources.git_rehearsal import GitRehearsal
from fairway.domain.errors import PermanentError
from fairway.usecases.answers import Declined
from fairway.usecases.branching.carry_out import Moved, rehearse
from fairway.usecases.branching.hotfix import Begin, plan_start
from fairway.usecases.branching.release_branch import Selection, plan_release_branch


def objects(shop):
    """Everything below the repository's own folder but the copy of what commits say, with its size."""
    files = (path for path in sorted((shop.folder / ".git").rglob("*")) if path.is_file())
    return {path: path.stat().st_size for path in files if path.name != "commits"}


def foresee(shop, plan, **of_desk):
    desk = shop.desk(**of_desk)
    return rehearse(plan(desk), desk.branches, GitRehearsal(shop.folder))


def selection(start, *without):
    return lambda desk: plan_release_branch(desk, Selection(start, without, name="release/x"))


def both(shop, plan, **of_desk):
    """What is foreseen, and what then happens; nothing is left of the first."""
    before = objects(shop)
    foreseen = foresee(shop, plan, **of_desk)
    assert objects(shop) == before
    return foreseen, shop.do(plan, **of_desk)


@pytest.mark.parametrize("plan", [revert, lambda commit: selection("main", commit)], ids=["revert", "release-branch"])
def test_a_conflict_is_foreseen_in_the_words_in_which_it_is_met(shop, plan):
    target = shop.write("feat: louder", shared="ONE\ntwo\nthree\n")
    shop.write("feat: louder still", shared="ONE!\ntwo\nthree\n")
    foreseen, met = both(shop, plan(target))
    assert foreseen == met
    assert foreseen.code == "conflict"
    assert f"revert of {target[:12]} (feat: louder) conflicts in shared" in foreseen.sentence
    assert "feat: louder still" in foreseen.hint


def test_a_conflict_in_the_second_of_two_is_foreseen(shop):
    early = shop.write("feat: louder", shared="ONE\ntwo\nthree\n")
    shop.write("feat: louder still", shared="ONE!\ntwo\nthree\n")
    late = shop.write("feat: help", help="help\n")
    foreseen, met = both(shop, revert(late, early))
    assert foreseen == met
    assert early[:12] in foreseen.sentence


def test_changes_that_fit_onto_one_another_are_not_refused(shop):
    first = shop.write("feat: louder", shared="ONE\ntwo\nthree\n")
    second = shop.write("feat: louder still", shared="ONE!\ntwo\nthree\n")
    foreseen, met = both(shop, revert(second, first))
    assert foreseen is None
    assert isinstance(met, Moved)


def test_merges_and_the_first_commit_are_rehearsed_too(shop):
    assert foresee(shop, revert(requests=("12", "13"))) is None
    merged_revert(shop)
    assert foresee(shop, revert(requests=("12",), restore=True)) is None
    first = shop.git("rev-list", "--max-parents=0", "main")
    assert foresee(shop, revert(first)) is None


def test_a_revert_of_what_is_not_there_any_more_is_foreseen(shop):
    commit = shop.git("rev-parse", "main")
    shop.git("rm", "--quiet", "cart")
    shop.git("commit", "--quiet", "--message", "chore: no cart")
    foreseen, met = both(shop, revert(commit))
    assert foreseen == met
    assert foreseen.code == "no-effect"


def test_a_file_that_was_taken_away_meanwhile_is_a_conflict_by_its_name(shop):
    target = shop.write("feat: more", shared="one\ntwo\nthree\nfour\n")
    shop.git("rm", "--quiet", "shared")
    shop.git("commit", "--quiet", "--message", "chore: nothing shared")
    foreseen, met = both(shop, revert(target))
    assert foreseen == met
    assert "conflicts in shared" in foreseen.sentence


def test_a_hotfix_that_conflicts_with_one_of_its_branches_is_foreseen(shop):
    shop.git("switch", "--quiet", "--create", "develop")
    shop.write("feat: another base", base="other\n")
    shop.git("switch", "--quiet", "main")
    repaired(shop)
    foreseen, met = both(shop, finish(), policy=gitflow())
    assert foreseen == met
    assert "into develop) conflicts in base" in foreseen.sentence


def test_a_repository_whose_path_holds_what_separates_paths_is_rehearsed(shop):
    strange = shop.folder.with_name('a:b "c" \\d')
    shop.folder.rename(strange)
    shop.folder = strange
    target = shop.write("feat: louder", shared="ONE\ntwo\nthree\n")
    assert foresee(shop, revert(target)) is None


def test_objects_of_another_repository_are_found(shop, tmp_path):
    shop.git("clone", "--quiet", "--shared", str(shop.folder), str(tmp_path / "borrower"))
    shop.folder = tmp_path / "borrower"
    assert foresee(shop, revert("HEAD")) is None


def test_a_git_that_cannot_say_is_no_consent(shop, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    git = tmp_path / "bin/git"
    real = shop.git("--exec-path")
    git.write_text(f'#!/bin/sh\ncase "$*" in *--write-tree*) exit 129;; esac\nexec {real}/git "$@"\n')
    git.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    with pytest.raises(PermanentError, match="cannot say beforehand"):
        foresee(shop, revert("HEAD"))


@pytest.mark.parametrize("named", [None, "sum"])
def test_a_hotfix_without_a_commit_has_nothing_to_finish(shop, named):
    shop.do(lambda desk: plan_start(desk, Begin(named)))
    answer = shop.do(finish())
    assert isinstance(answer, Declined)
    assert answer.code == "nothing-to-finish"
    branch = f"hotfix/{named or '1.1.1'}"
    assert answer.sentence == f"{branch} has no commit of its own on top of v1.1.0: there is nothing to finish"
    assert f"git switch {branch}" in answer.hint
    assert f"git branch -d {branch}" in answer.hint


def test_an_empty_hotfix_of_a_release_that_the_main_branch_does_not_hold_has_nothing_to_finish(shop):
    shop.git("switch", "--quiet", "--create", "side", "v1.0.0")
    shop.write("fix: the side", tag="v1.0.1", side="side\n")
    shop.git("switch", "--quiet", "main")
    shop.do(lambda desk: plan_start(desk, Begin(release="1.0.1")))
    assert shop.do(finish()).code == "nothing-to-finish"


@pytest.mark.parametrize("tag", [None, "v1.0.1"])
def test_a_hotfix_that_is_finished_already_is_no_empty_one(shop, tag):
    repaired(shop)
    if tag:
        shop.git("tag", tag, "hotfix/1.0.1")
    assert isinstance(shop.do(finish()), Moved)
    assert shop.do(finish()) == Moved(())


def test_a_hotfix_of_a_word_that_was_released_and_finished_is_no_empty_one(shop):
    shop.do(lambda desk: plan_start(desk, Begin("sum")))
    shop.git("switch", "--quiet", "hotfix/sum")
    shop.write("fix: the sum", tag="v1.1.1", cart="better\n")
    shop.git("switch", "--quiet", "main")
    assert isinstance(shop.do(finish()), Moved)
    assert shop.do(finish()) == Moved(())
