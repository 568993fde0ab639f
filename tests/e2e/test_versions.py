"""The next version, the changelog and the rest by the command line, as scripts and people use them."""

import json
import subprocess
from pathlib import Path

import pytest
from workshop import FAIRWAY, Answer

from git_history import History

CHANGELOG = """\
# Changelog

All notable changes to this project are documented in this file, in the format of
[Keep a Changelog](https://keepachangelog.com/en/1.1.0/).

## [Unreleased]

### Added

- **Breaking:** **api:** another way ([#4](https://forge.example/o/shop/pull/4))
  the old way is gone

### Fixed

- a fault ([#9](https://forge.example/o/shop/issues/9))

## [1.0.0] - 2024-01-01

### Added

- the beginning

[Unreleased]: https://forge.example/o/shop/compare/v1.0.0...HEAD
[1.0.0]: https://forge.example/o/shop/releases/tag/v1.0.0
"""
NOTES = """\
# 1.0.0 (2024-01-01)

### Added

- the beginning

### Contributors

A Tester
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> History:
    made = History(tmp_path_factory.mktemp("versions") / "shop")
    made.git("config", "user.name", "A Tester")
    _commit(made, "feat: the beginning", "2024-01-01T12:00:00Z")
    made.git("tag", "v1.0.0")
    _commit(made, "fix: a fault\n\nCloses #9", "2024-02-01T12:00:00Z")
    _commit(made, "feat(api)!: another way (#4)\n\nBREAKING CHANGE: the old way is gone", "2024-02-02T12:00:00Z")
    _commit(made, "docs: a word", "2024-02-03T12:00:00Z")
    made.git("remote", "add", "origin", "https://user:secret-word@forge.example/o/shop.git")
    return made


def _commit(history: History, message: str, when: str) -> None:
    history.git("commit", "--quiet", "--allow-empty", f"--date={when}", f"--message={message}")
    tree, parents = history.git("log", "-1", "--format=%T|%P").split("|")
    made = subprocess.run(
        ["git", "commit-tree", tree, *[part for one in parents.split() for part in ("-p", one)], "-m", message],
        cwd=history.folder,
        env={
            "PATH": "/usr/bin:/bin:/usr/local/bin",
            **{f"GIT_{who}_{what}": "A Tester" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
            **{f"GIT_{who}_DATE": when for who in ("AUTHOR", "COMMITTER")},
        },
        capture_output=True,
        text=True,
        check=True,
    )
    history.git("reset", "--quiet", "--soft", made.stdout.strip())


def fairway(folder: Path, *arguments: str, stdin: str = "", **variables: str) -> Answer:
    environment = {"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(folder.parent), **variables}
    done = subprocess.run(
        [FAIRWAY, *arguments],
        cwd=folder,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def test_the_next_version_is_said_alone_and_the_reasons_beside_it(shop):
    answer = fairway(shop.folder, "next")
    assert (answer.status, answer.out) == (0, "2.0.0\n")
    assert "major because of" in answer.err
    assert "“feat(api)!: another way (#4)” (breaking change (feat))" in answer.err
    assert "docs: a word  (type docs makes no release)" in answer.err


def test_programs_get_the_reasons_as_data(shop):
    told = fairway(shop.folder, "next", "--json").json
    assert told["version"] == "2.0.0"
    assert told["tag"] == "v2.0.0"
    assert told["previous"] == "1.0.0"
    assert told["bump"] == "major"
    assert [(one["subject"], one["bump"], one["decides"]) for one in told["reasons"]] == [
        ("docs: a word", None, False),
        ("feat(api)!: another way (#4)", "major", True),
        ("fix: a fault", "patch", False),
    ]
    assert told["reasons"][0]["rule"] == "type docs makes no release"


@pytest.mark.parametrize(
    "spelling", [["--pre=rc", "--json"], ["--json", "--pre", "rc"], ["--pre", "rc", "--json", "--zero", "major"]]
)
def test_a_plain_line_and_one_for_the_parser_have_the_same_answer(shop, spelling):
    told = fairway(shop.folder, "next", *spelling).json
    assert (told["version"], told["prerelease"], told["channel"]) == ("2.0.0-rc.1", "rc", "rc")


def test_nothing_to_release_is_an_answer_and_no_failure(shop):
    answer = fairway(shop.folder, "next", "--revision", "v1.0.0")
    assert (answer.status, answer.out) == (0, "")
    assert "there is no commit since v1.0.0" in answer.err
    told = fairway(shop.folder, "next", "--revision", "v1.0.0", "--json").json
    assert (told["version"], told["tag"], told["bump"]) == (None, None, None)


def test_a_version_that_may_not_be_made_is_a_no(shop):
    answer = fairway(shop.folder, "next", "--branch", "1.x", "--json")
    assert answer.status == 1
    assert answer.json["version"] is None
    assert answer.json["error"]["code"] == "out-of-range"
    assert "--bump" in answer.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("next", "--revision", "nowhere"), "unknown-release"),
        (("next", "--pre", "a+b"), "pre-token"),
        (("next", "--tag", "shop"), "tag-format"),
        (("next", "--package", "core"), "unknown-package"),
        (("next", "--release-as", "0.9.0"), "version-goes-back"),
        (("next", "--initial", "one"), "not-a-version"),
        (("changelog", "9.9.9"), "unknown-release"),
        (("versions", "bump", "one"), "not-a-version"),
        (("versions", "compare", "1.0.0"), "two-versions"),
        (("versions", "bump", "1.0.0", "--calver", "shop"), "calver-format"),
    ],
)
def test_wrong_input_is_refused_in_words(shop, arguments, code):
    answer = fairway(shop.folder, *arguments, "--json")
    assert answer.status == 2, answer.err
    assert answer.json["error"]["code"] == code
    assert "Traceback" not in answer.err


def test_a_shallow_clone_is_refused_with_the_command_that_deepens_it(shop, tmp_path):
    subprocess.run(
        ["git", "clone", "--quiet", "--depth", "1", f"file://{shop.folder}", "clone"], cwd=tmp_path, check=True
    )
    for command in ("next", "changelog"):
        answer = fairway(tmp_path / "clone", command, "--json")
        assert answer.status == 3
        assert answer.json["error"]["code"] == "shallow-repository"
        assert "fetch --unshallow --tags" in answer.json["error"]["hint"]


def test_outside_of_a_repository_nothing_is_made_up(tmp_path):
    answer = fairway(tmp_path, "next", "--json")
    assert (answer.status, answer.json["error"]["code"]) == (3, "no-repository")


def test_the_changelog_is_kept_as_people_keep_it(shop, tmp_path):
    answer = fairway(shop.folder, "changelog")
    assert (answer.status, answer.out) == (0, CHANGELOG)
    place = tmp_path / "CHANGELOG.md"
    place.write_text("what was there")
    assert fairway(shop.folder, "changelog", "--output", str(place)).out == ""
    assert place.read_text() == CHANGELOG
    assert [one.name for one in tmp_path.iterdir()] == ["CHANGELOG.md"]


def test_nobodys_password_gets_into_a_changelog(shop):
    for arguments in ((), ("--json",), ("--unreleased",)):
        assert "secret-word" not in fairway(shop.folder, "changelog", *arguments).out


def test_the_notes_of_one_release_list_its_pull_requests_and_issues(shop):
    assert fairway(shop.folder, "changelog", "v1.0.0").out == NOTES
    notes = fairway(shop.folder, "changelog", "--unreleased", "--release-as", "2.0.0").out
    assert notes.startswith("# 2.0.0 (")
    assert "## Breaking changes\n\n- **api:** the old way is gone\n" in notes
    assert "### Pull requests\n\n- [#4](https://forge.example/o/shop/pull/4)\n" in notes
    assert "### Issues\n\n- [#9](https://forge.example/o/shop/issues/9)\n" in notes
    assert "[All changes](https://forge.example/o/shop/compare/v1.0.0...v2.0.0)" in notes


def test_the_model_behind_the_changelog_is_data(shop):
    told = fairway(shop.folder, "changelog", "--json").json["releases"]
    assert [one["version"] for one in told] == [None, "1.0.0"]
    assert [section["title"] for section in told[0]["sections"]] == ["Added", "Fixed"]
    entry = told[0]["sections"][0]["entries"][0]
    assert (entry["scope"], entry["is_breaking"], entry["breaking"]) == ("api", True, ["the old way is gone"])
    assert told[0]["requests"] == ["#4"]
    assert len(told[0]["commits"]) == 3


def test_a_template_of_the_users_own_makes_the_text(shop, tmp_path):
    template = tmp_path / "news.j2"
    template.write_text(
        "{% for release in releases %}\n{{ release.version or 'next' }}: "
        "{{ release.sections | map(attribute='title') | join(', ') }} {{ release.requests | join(' ') }}\n"
        "{% endfor %}\n"
    )
    assert (
        fairway(shop.folder, "changelog", "--template", str(template)).out == "next: Added, Fixed #4\n1.0.0: Added \n"
    )
    template.write_text("{{ releases[0].nothing }}")
    answer = fairway(shop.folder, "changelog", "--template", str(template), "--json")
    assert answer.status == 0, "the data needs no template"
    answer = fairway(shop.folder, "changelog", "--template", str(template))
    assert answer.status == 2
    assert "nothing" in answer.err
    missing = fairway(shop.folder, "changelog", "--template", str(tmp_path / "missing.j2"))
    assert missing.status == 2
    assert f'there is no template "{tmp_path / "missing.j2"}"' in missing.err


def test_a_template_cannot_run_programs(shop, tmp_path):
    template = tmp_path / "news.j2"
    template.write_text("{{ releases.__class__.__mro__[1].__subclasses__() }}")
    answer = fairway(shop.folder, "changelog", "--template", str(template))
    assert (answer.status, answer.out) == (2, "")


@pytest.mark.parametrize("damage", [b"", b"fairway commits 0 0\nnonsense", None])
def test_what_is_kept_of_commits_is_made_anew_when_it_is_damaged(shop, damage):
    place = shop.folder / ".git/fairway/commits"
    assert fairway(shop.folder, "changelog").out == CHANGELOG
    whole = place.read_bytes()
    place.write_bytes(whole[:-40] + bytes(40) if damage is None else damage)
    assert fairway(shop.folder, "changelog").out == CHANGELOG
    assert place.read_bytes() == whole
    assert fairway(shop.folder, "changelog").out == CHANGELOG


def test_a_new_commit_is_added_to_what_is_kept(shop):
    assert fairway(shop.folder, "changelog").out == CHANGELOG
    _commit(shop, "fix: one more", "2024-03-01T12:00:00Z")
    try:
        assert "- one more\n" in fairway(shop.folder, "changelog").out
    finally:
        shop.git("reset", "--quiet", "--soft", "HEAD~1")
    assert fairway(shop.folder, "changelog").out == CHANGELOG


def test_the_build_machine_says_the_branch_of_a_bare_commit(shop, tmp_path):
    (tmp_path / "fairway.yaml").write_text(
        "service: shop\nversioning: {channels: [main, {branch: dev, pre: rc}], tag: 'v{version}'}\n"
    )
    subprocess.run(["git", "clone", "--quiet", str(shop.folder), "clone"], cwd=tmp_path, check=True)
    clone = tmp_path / "clone"
    subprocess.run(["git", "checkout", "--quiet", "--detach", "HEAD~1"], cwd=clone, check=True)
    rules = ("--config", str(tmp_path / "fairway.yaml"))
    assert fairway(clone, "next", *rules, "--json").json["error"]["code"] == "no-branch"
    told = fairway(clone, "next", *rules, "--json", GITHUB_REF_TYPE="branch", GITHUB_REF_NAME="dev").json
    assert told["version"] == "2.0.0-rc.1"
    assert fairway(clone, "next", *rules, "--json", CI_COMMIT_BRANCH="main").json["version"] == "2.0.0"


def test_a_package_has_versions_of_its_own(tmp_path):
    history = History(tmp_path / "many")
    (history.folder / "fairway.yaml").write_text(
        "service: many\n"
        "versioning:\n"
        "  initial: 1.0.0\n"
        "  packages:\n"
        '    core: {paths: [packages/core], scope: "core(-.*)?"}\n'
        "    edge: {paths: [packages/edge]}\n"
    )
    for name in ("core", "edge"):
        (history.folder / "packages" / name).mkdir(parents=True)
        (history.folder / "packages" / name / "a.txt").write_text("1")
    history.record(message="Initial commit", tag="core-v1.0.0")
    history.git("tag", "edge-v1.4.0")
    (history.folder / "packages/edge/a.txt").write_text("2")
    history.record(message="feat: in the folder of edge")
    (history.folder / "other.txt").write_text("3")
    history.record(message="fix(core-cli): elsewhere, by its scope")
    history.record(message="feat: nobody's")
    ask = {name: fairway(history.folder, "next", "--package", name, "--json").json for name in ("core", "edge")}
    assert (ask["core"]["version"], ask["core"]["tag"]) == ("1.0.1", "core-v1.0.1")
    assert (ask["edge"]["version"], ask["edge"]["tag"]) == ("1.5.0", "edge-v1.5.0")
    assert "touches no file of the package" in {one["rule"] for one in ask["edge"]["reasons"]}
    assert fairway(history.folder, "next", "--package", "nobody", "--json").json["error"]["code"] == "unknown-package"


def test_a_mistake_in_the_section_is_told_with_its_place(shop, tmp_path):
    (tmp_path / "fairway.yaml").write_text(
        "service: shop\nversioning:\n  scheme: semantic\n  tagg: x\n  initial: one\n"
    )
    answer = fairway(shop.folder, "next", "--config", str(tmp_path / "fairway.yaml"))
    assert answer.status == 2
    assert "fairway.yaml:3:11" in answer.err
    checked = fairway(tmp_path, "check")
    assert checked.status == 2
    for mistake in ("3:11", "4:3", "tagg"):
        assert mistake in checked.err + checked.out


def test_versions_are_read_compared_and_raised(tmp_path):
    told = fairway(tmp_path, "versions", "parse", "1.2.3-rc.1+b", "--json").json
    assert told["valid"]
    assert (told["prerelease"], told["build"], told["as"]["pep440"]) == (["rc", 1], ["b"], "1.2.3rc1+b")
    wrong = fairway(tmp_path, "versions", "parse", "1.2", "--json")
    assert (wrong.status, wrong.json["valid"]) == (1, False)
    assert fairway(tmp_path, "versions", "compare", "1.0.0-rc.1", "1.0.0", "--json").json["order"] == -1
    assert fairway(tmp_path, "versions", "compare", "1.0", "1.0.0", "--scheme", "pep440").out == "1.0 = 1.0.0\n"
    raised = ("versions", "bump", "1.2.3", "--bump", "minor", "--pre", "rc", "--pre-from", "1")
    assert fairway(tmp_path, *raised).out == "1.3.0-rc.1\n"
    dated = ("versions", "bump", "2024.09.01", "--scheme", "calver", "--bump", "patch", "--date", "2024-09-01")
    assert fairway(tmp_path, *dated).out == "2024.09.01.1\n"


def test_messages_come_in_apart_by_nul_and_go_out_line_by_line(tmp_path):
    answer = fairway(tmp_path, "commits", "parse", stdin="feat(a)!: one\0plain\0fix: x\n\nCloses #3\n\0")
    told = [json.loads(line) for line in answer.out.splitlines()]
    assert [(one["type"], one["scope"], one["breaking"], one["bump"]) for one in told] == [
        ("feat", "a", True, "major"),
        (None, None, False, None),
        ("fix", None, False, "patch"),
    ]
    assert told[2]["issues"] == ["#3"]
    assert fairway(tmp_path, "commits", "parse").out == ""
