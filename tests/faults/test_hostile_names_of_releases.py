"""Whatever is typed in place of the name of a release, branch, key or image: one short answer, and nothing begins."""

import json
from pathlib import Path

import pytest
from services import configure, environment, release
from test_hostile_names import HOSTILE
from workshop import Workshop

from fairway.cli import run

COMMANDS = {
    "changelog of": ("changelog", "NAME"),
    "changelog as": ("changelog", "--release-as", "NAME"),
    "next of": ("next", "--package", "NAME"),
    "next from": ("next", "--initial", "NAME"),
    "compare": ("versions", "compare", "NAME", "1.0.0"),
    "release": ("release", "NAME", "--dry-run"),
    "release commit": ("release", "1.1.0", "--commit", "NAME", "--dry-run"),
    "release pre": ("release", "--pre", "NAME", "--dry-run"),
    "release to": ("release", "1.1.0", "--to", "NAME", "--dry-run"),
    "release resume": ("release", "resume", "NAME"),
    "release abandon": ("release", "abandon", "NAME", "--reason", "r"),
    "release status": ("release", "status", "NAME"),
    "release logs": ("release", "logs", "NAME", "test"),
    "hotfix": ("hotfix", "start", "NAME", "--dry-run"),
    "hotfix from": ("hotfix", "start", "1.0.1", "--from", "NAME", "--dry-run"),
    "hotfix finish": ("hotfix", "finish", "NAME", "--dry-run"),
    "revert": ("revert", "NAME", "--dry-run"),
    "revert onto": ("revert", "HEAD", "--onto", "NAME", "--dry-run"),
    "revert branch": ("revert", "HEAD", "--branch", "NAME", "--dry-run"),
    "release branch": ("release-branch", "NAME", "--from", "1.0.0", "--dry-run"),
    "release branch from": ("release-branch", "release/1", "--from", "NAME", "--dry-run"),
    "train": ("train", "NAME"),
    "key": ("keys", "create", "NAME"),
    "verify": ("verify", "NAME"),
    "bench stored": ("bench", "compare", "NAME", "NAME", "--stored"),
    "image": ("image", "show", "NAME"),
}
#: What is as good as not typed at all where it is empty.
OPTIONS = {"changelog as", "next from", "next of", "release pre", "release commit", "release to"}
OPTIONS |= {
    "revert onto",
    "revert branch",
    "release",
    "changelog of",
    "train",
    "hotfix",
    "hotfix from",
    "hotfix finish",
    "revert",
    "release branch",
}
#: Names that git takes, of branches that would be made.
BRANCHES = {"hotfix", "revert branch", "release branch"}
GOOD_BRANCHES = {"quotes", "unicode", "placeholder", "statement"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one release."""
    made = Workshop(tmp_path_factory.mktemp("hostile") / "repository")
    release(made, "1.0.0", **{"fairway.yaml": configure(environment("production", 1, "{kind: rolling, bake: 0s}"))})
    return made.folder


def refs(place: Path) -> set[str]:
    return {str(path.relative_to(place / ".git")) for path in (place / ".git/refs").rglob("*") if path.is_file()}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_hostile_name_is_answered_shortly_and_nothing_begins(
    place: Path, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("HOME", str(place))
    before = refs(place)
    for kind, name in HOSTILE.items():
        status = run([*(name if word == "NAME" else word for word in COMMANDS[command]), "--json"])
        said = capsys.readouterr()
        assert "Traceback" not in said.err, (kind, said.err)
        if status == 0:
            # Only said what it would do.
            taken = kind in GOOD_BRANCHES if command in BRANCHES and name else not name and command in OPTIONS
            assert taken, (kind, said)
            continue
        assert status in (1, 2, 3), (kind, status, said)
        answer = json.loads(said.out)
        error = answer.get("error", answer)
        for text in (error.get("message", ""), error.get("hint", ""), error.get("reason", "")):
            assert len(text or "") < 600, (kind, text)
            assert (text or "").isprintable(), (kind, text)
    assert refs(place) == before
    assert not (place / ".fairway/supervisor").exists()
