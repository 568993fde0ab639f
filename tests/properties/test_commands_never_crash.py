"""Whatever is typed, a command ends with one of our statuses, in our words; the commands are those that there are.

FUZZ_EXAMPLES says how many command lines are tried; `make test-faults` tries many.
"""

import io
import json
import os
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclopts import App
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairway.cli import run
from fairway.cli.app import COMMANDS
from fairway.cli.parser import app

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "25"))
FUZZ = settings(
    max_examples=EXAMPLES * 3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

CONFIGURATION = """\
service: shop
build: {steps: []}
run: {command: "sleep 1000"}
versioning: {tag: "v{version}"}
branches: trunk
cadence: {trains: {weekly: {cron: "0 0 29 2 *"}}}
release:
  build: {wheel: {run: touch out, outputs: out}}
  artifact: false
environments:
  production:
    router: {kind: envoy, listen: "127.0.0.1:9"}
"""


def leaves(node: App, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command that can be called, with the words that call it."""
    for name in node:
        if not name.startswith("-"):
            yield from leaves(node[name], (*words, name))
    if words and node.default_command is not None:
        yield words


def options_of(words: tuple[str, ...]) -> tuple[str, ...]:
    """The options that a command knows."""
    node = app
    for word in words:
        node = node[word]
    return tuple(name for one in node.assemble_argument_collection() for name in one.names if name.startswith("-"))


LEAVES = tuple(leaves(app))
#: They do not end by themselves, or begin something that they are right to begin.
LASTING = {("demo",), ("serve",), ("up",)}
#: They write into whatever folder they are given.
WRITING = {("init",)}
#: What is added so that nothing begins that would be right to begin.
HARMLESS = {
    ("release",): ("--dry-run",),
    ("hotfix", "start"): ("--dry-run",),
    ("hotfix", "finish"): ("--dry-run",),
    ("revert",): ("--dry-run",),
    ("release-branch",): ("--dry-run",),
}
OPTIONS = {words: options_of(words) for words in LEAVES}

texts = st.text(alphabet=st.sampled_from(string.printable + "äß☃\u202e\udcff"), max_size=40) | st.text(max_size=20)
PLAIN = (
    *("production", "weekly", "wheel", "shop", "rel-222222", "r-222222", "canary", "rc", "feature/x", "5m", "0"),
    *("-1", "1e999", "9.9.9", "v9", "9.9.9-rc.1", "main..", "HEAD~9", "--", "=", "/dev/null", ".", "a b"),
    *(
        "127.0.0.1:1/shop:1",
        "sha256:" + "0" * 64,
        "x" * 10_240,
        "../..",
        "'",
        '"',
        "$HOME",
        "%s",
        "{port}",
        "",
        "CONFIRM",
    ),
)
values = st.sampled_from(PLAIN)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository in which nothing was ever released or deployed."""
    folder = tmp_path_factory.mktemp("commands") / "repository"
    folder.mkdir()
    (folder / "fairway.yaml").write_text(CONFIGURATION)
    (folder / ".gitignore").write_text(".fairway/\n")
    git = ("git", "-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")
    for words in (("init", "--quiet", "--initial-branch=main"), ("add", "."), ("commit", "--quiet", "-m", "feat: one")):
        subprocess.run([*git, *words], cwd=folder, check=True)
    return folder


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A folder with nothing in it."""
    return tmp_path


def ask(words: list[str], folder: Path, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> int:
    """The status of a command that was typed in a folder; what it said is looked at."""
    patch.chdir(folder)
    patch.setenv("HOME", str(folder))
    patch.setenv("TIMEOUT_SECS", "1")
    patch.setattr(sys, "stdin", io.StringIO())
    status = run(words)
    said = capsys.readouterr()
    assert status in range(5), (words, status)
    assert "Traceback" not in said.err, (words, said.err)
    assert '"fault"' not in said.out, (words, said.out)
    if "--json" in words and status == 2:
        error = json.loads(said.out).get("error")
        for text in (error["message"], error["hint"]) if error else ():
            assert len(text) < 1000, words
            assert text.isprintable(), (words, text)
    return status


def test_the_commands_are_all_there() -> None:
    named = {tuple(name.split()) for name, _, _ in COMMANDS}
    assert {words[: len(one)] for words in LEAVES for one in named if words[: len(one)] == one} == named
    assert ("release", "resume") in LEAVES
    assert all("--json" in options for options in OPTIONS.values()), "every command can speak to programs"


@pytest.mark.parametrize("words", [one for one in LEAVES if one not in LASTING], ids=" ".join)
def test_where_there_is_nothing_every_command_answers_and_makes_nothing(
    words: tuple[str, ...], empty: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for more in (["--json"], ["--no-such-option", "--json"], ["a", "b", "c", "d", "e", "--json"], ["--env", "--json"]):
        ask([*words, *more], empty, monkeypatch, capsys)
    assert words in WRITING or not list(empty.iterdir())


@FUZZ
@given(st.data())
def test_any_command_line_ends_with_one_of_our_statuses_and_begins_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], data: st.DataObject
) -> None:
    words = data.draw(st.sampled_from([one for one in LEAVES if one not in LASTING | WRITING]))
    known = st.sampled_from(OPTIONS[words])
    more = data.draw(st.lists(st.one_of(known, values, texts), max_size=6))
    # Addresses are what some commands are there to ask, and files what some are there to write.
    typed = [word.replace("\0", "") for word in more if word in PLAIN or "/" not in word]
    ask([*words, *HARMLESS.get(words, ()), *typed], place, monkeypatch, capsys)
    assert not (place / ".fairway/supervisor").exists(), typed
    assert not (place / ".fairway/releases").exists(), typed
    assert not (place / ".git/refs/tags").is_dir() or not list((place / ".git/refs/tags").iterdir()), typed
