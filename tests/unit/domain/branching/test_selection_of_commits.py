"""Which commits a name means, and which are taken back already."""

from typing import NamedTuple

from fairway.domain.branching.selection import Log
from fairway.domain.versioning.message import Message, parse_message


class Told(NamedTuple):
    """As much of a commit as the selection looks at."""

    id: str
    parents: tuple[str, ...]
    committed: int
    message: Message

    @property
    def is_merge(self):
        return len(self.parents) > 1


def commit(letter, text, *parents):
    return Told(letter * 40, tuple(one * 40 for one in parents), ord(letter), parse_message(text))


def log(*commits):
    return Log.of({one.id: one for one in commits})


def subjects(commits):
    return [one.message.subject for one in commits]


def test_a_squashed_request_is_one_commit():
    found = log(commit("a", "feat: start"), commit("b", "feat: search (#12)", "a")).of_request("12")
    assert subjects(found) == ["feat: search (#12)"]


def test_a_merged_request_is_its_merge_and_not_what_it_merged():
    merge = commit("d", "Merge pull request #12 from ann/search", "a", "c")
    found = log(commit("a", "feat: start"), commit("c", "feat: search (#12)", "a"), merge).of_request("#12")
    assert subjects(found) == ["Merge pull request #12 from ann/search"]


def test_a_request_of_several_commits_is_all_of_them_the_newest_first():
    found = log(commit("a", "feat: one (#12)"), commit("b", "fix: two (#12)", "a"), commit("c", "x (#13)", "b"))
    assert subjects(found.of_request("12")) == ["fix: two (#12)", "feat: one (#12)"]


def test_the_revert_of_a_request_is_another_request():
    told = 'Revert "feat: search (#12)" (#15)\n\nThis reverts commit ' + "b" * 40 + "."
    found = log(commit("b", "feat: search (#12)"), commit("c", told, "b"))
    assert subjects(found.of_request("12")) == ["feat: search (#12)"]
    assert found.taken_back("b" * 40) == "c" * 40


def test_what_came_back_is_not_taken_back():
    first = 'Revert "feat: search"\n\nThis reverts commit ' + "b" * 40 + "."
    second = 'Revert "Revert "feat: search""\n\nThis reverts commit ' + "c" * 40 + "."
    found = log(commit("b", "feat: search"), commit("c", first, "b"), commit("d", second, "c"))
    assert found.taken_back("b" * 40) is None
    assert found.taken_back("c" * 40) == "d" * 40
