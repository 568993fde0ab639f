"""What becomes of errors that no command foresaw."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fairway.cli import parser
from fairway.cli.app import run
from fairway.cli.output import Exit

#: As it is by default: what is printed is written in the end.
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Lets every command end with an error."""

    def fail(error: Exception) -> None:
        def call(*_: object) -> None:
            raise error

        monkeypatch.setattr(parser, "call", call)

    return fail


def test_what_the_system_refuses_could_not_be_done_and_is_told_in_a_sentence(failing, capsys):
    failing(OSError(errno.ENOSPC, "No space left on device", "/shop/.fairway/previews.lock"))
    assert run(["status", "--json"]) == Exit.UNKNOWN
    said = capsys.readouterr()
    assert json.loads(said.out)["error"]["message"] == "/shop/.fairway/previews.lock: No space left on device"
    assert "Traceback" not in said.err


def test_a_fault_of_our_own_is_no_answer(failing, capsys):
    failing(KeyError("listener"))
    assert run(["status"]) == Exit.UNKNOWN
    assert "fairway: KeyError: 'listener'" in capsys.readouterr().err


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A command that asks for the status of a project in which nothing was deployed."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "fairway.yaml").write_text(
        "service: shop\nrun: {command: serve}\nenvironments:\n"
        "  production: {router: {kind: envoy, listen: 127.0.0.1:8000}}\n"
    )
    return [sys.executable, "-m", "fairway", "status", "--config", str(folder)]


def test_closed_streams_end_it_quietly_with_the_usual_status(shop: list[str], tmp_path: Path):
    told = tmp_path / "told"
    done = subprocess.run(["sh", "-c", '"$@" >&- 2>"$0"', str(told), *shop], timeout=180, check=False)
    assert (done.returncode, told.read_text()) == (Exit.YES, "")
    done = subprocess.run(["sh", "-c", '"$@" <&- >&- 2>&-', "sh", *shop], timeout=180, check=False)
    assert done.returncode == Exit.YES
    assert Path(shop[-1], ".fairway/journal.db").read_bytes().startswith(b"SQLite format 3")


def test_a_reader_that_is_gone_changes_nothing_about_the_status(shop: list[str]):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(shop, stdout=writer, stderr=subprocess.PIPE, env=BUFFERED, timeout=180, check=False)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (Exit.YES, b"")


@pytest.mark.parametrize("more", [[], ["--env", "nowhere", "--json"]])
def test_an_answer_that_cannot_be_written_is_no_answer(shop: list[str], more: list[str]):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*shop, *more], stdout=full, stderr=subprocess.PIPE, text=True, timeout=180, check=False)
    assert done.returncode == (Exit.WRONG_INPUT if more else Exit.UNKNOWN)
    assert done.stderr.startswith("fairway: ")
    assert "Traceback" not in done.stderr
