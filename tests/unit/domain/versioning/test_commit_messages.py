"""What a commit message says, as the written policy has it."""

import pytest

from fairway.domain.versioning.message import parse_message


def told(text):
    return [(one.type, one.scope, one.description, one.breaking) for one in parse_message(text).changes]


@pytest.mark.parametrize(
    ("text", "type_", "scope", "description", "breaking"),
    [
        ("feat: one", "feat", "", "one", False),
        ("feat(api): one", "feat", "api", "one", False),
        ("feat(api)!: one", "feat", "api", "one", True),
        ("Fix: one", "fix", "", "one", False),
        ("build-deps(a b): one", "build-deps", "a b", "one", False),
        ("\ufefffix: one\r\n", "fix", "", "one", False),
        ("\n\n  fix: one", "fix", "", "one", False),
        ("fix:\tone (#12)", "fix", "", "one", False),
        ("fix: one (pull request #12)", "fix", "", "one", False),
        ("fix(deps): Revert “build(deps): x”", "fix", "deps", "Revert “build(deps): x”", False),
    ],
)
def test_a_header_is_taken_apart(text, type_, scope, description, breaking):
    assert told(text) == [(type_, scope, description, breaking)]


@pytest.mark.parametrize(
    "text",
    ["fix:no blank", "fix one", "fixes #12 for good", ": one", "fix(a(b)): one", "12: one", "fix :one", "fix: ", ""],
)
def test_what_is_no_header_is_a_plain_message(text):
    assert not parse_message(text).is_conventional
    assert told(text)[0][0] == ""


@pytest.mark.parametrize(
    "text",
    [
        "chore: x\n\nBREAKING CHANGE: gone",
        "chore: x\n\nBREAKING-CHANGE: gone",
        "a plain one\n\nBREAKING CHANGE: gone",
        "chore: x\n\ntext\n\nCloses: #3\nBREAKING CHANGE: gone\nSigned-off-by: A <a@b>",
        "chore: x\r\n\r\nBREAKING CHANGE: gone\r\n",
        "chore: x\n\n- BREAKING CHANGE: gone",
        "BREAKING CHANGE: gone",
    ],
)
def test_a_breaking_change_is_seen_wherever_it_is_written(text):
    change = parse_message(text).changes[0]
    assert (change.breaking, change.notes) == (True, ("gone",))


@pytest.mark.parametrize(
    "text",
    [
        "chore: x\n\nbreaking change: no",
        "chore: x\n\nthis is no BREAKING CHANGE: it says so",
        "chore: x\n\nBREAKING: no",
    ],
)
def test_what_only_sounds_like_a_breaking_change_is_none(text):
    assert not parse_message(text).changes[0].breaking


def test_the_words_of_a_breaking_change_go_on_in_further_lines():
    said = parse_message("feat: x\n\nBREAKING CHANGE: first\n  second line\nCloses: #4\n")
    assert said.changes[0].notes == ("first\n  second line",)
    assert said.references.issues == ("#4",)


def test_footers_and_body_are_told_apart():
    said = parse_message("fix: x\n\nwhy: because\nit was so\n\nmore text\n\nRefs #7\nReviewed-by: A\n and B")
    assert said.body == "why: because\nit was so\n\nmore text"
    assert said.footers == (("Refs", "#7"), ("Reviewed-by", "A\n and B"))


@pytest.mark.parametrize(
    ("text", "requests", "issues"),
    [
        ("fix: x (#12)", ("#12",), ()),
        ("fix: x (!12)", ("!12",), ()),
        ("Merge pull request #2 from a/b\n\nfix: x", ("#2",), ()),
        ("Merge branch 'a' into 'main'\n\nfix\n\nSee merge request group/shop!34", ("!34",), ()),
        ("Merged PR 7: fix: x", ("#7",), ()),
        ("Merged in a/b (pull request #9)\n\nfix: something else", ("#9",), ()),
        ("fix: x\n\nCloses #1, #2 and #3", (), ("#1", "#2", "#3")),
        ("fix: x (#5)\n\nfixes: other/repo#4\nResolves ABC-7", ("#5",), ("other/repo#4", "ABC-7")),
        ("fix: x, closes #8", (), ("#8",)),
        ("fix: colour #123 of the page", (), ()),
        ("fix: x\n\nas said in #9", (), ()),
    ],
)
def test_pull_requests_and_issues_are_found(text, requests, issues):
    references = parse_message(text).references
    assert (references.requests, references.issues) == (requests, issues)


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("feat: a (#3)\n\n* feat: a\n\n* fix: two words", [("fix", "two words")]),
        (
            "a title (#3)\n\n* feat!: big thing\n* fix: small thing\n  with more\n* no header",
            [("feat", "big thing"), ("fix", "small thing")],
        ),
        (
            "Merged in x (pull request #10)\n\nfeat(a): this thing\n\nfix: that thing",
            [("feat", "this thing"), ("fix", "that thing")],
        ),
        ("fix: x\n\nfeat: a paragraph of a plain commit", []),
        ("fix: x\n\n- feat: a list of people", []),
        ("fix: x (#3)\n\n* fix: #12", []),
        ("fix: x (#3)\n\n* Signed-off-by: A Person", []),
    ],
)
def test_squashed_messages_are_split(text, others):
    assert [(one.type, one.description) for one in parse_message(text).changes[1:]] == others


@pytest.mark.parametrize(
    ("text", "commits", "subject", "restores"),
    [
        ('Revert "feat: x"\n\nThis reverts commit abcdef1234567.', ("abcdef1234567",), "feat: x", False),
        ('Revert "Revert "feat: x""\n\nThis reverts commit abcdef1.', ("abcdef1",), 'Revert "feat: x"', True),
        ('Reapply "feat: x"\n\nThis reverts commit abcdef1.', ("abcdef1",), 'Revert "feat: x"', True),
        ("revert: feat: x (#2)\n\nRefs: abcdef1, 1234567", ("abcdef1", "1234567"), "feat: x", False),
    ],
)
def test_a_revert_names_what_it_takes_back(text, commits, subject, restores):
    revert = parse_message(text).revert
    assert revert is not None
    assert (revert.commits, revert.subject, revert.restores) == (commits, subject, restores)


def test_a_header_that_only_speaks_of_reverting_is_no_revert():
    assert parse_message("fix: revert the order of rows").revert is None


def test_a_footer_asks_for_a_version():
    assert parse_message("chore: x\n\nRelease-As: v2.0.0").release_as == "2.0.0"
    assert parse_message("chore: x\n\nrelease-as: 2.0.0-rc.1\n").release_as == "2.0.0-rc.1"
    assert parse_message("chore: Release-As: 2.0.0").release_as == ""
