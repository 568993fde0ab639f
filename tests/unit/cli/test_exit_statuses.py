"""What becomes of errors that no command foresaw."""

import errno
import json
from collections.abc import Callable

import pytest

from fairway.cli import app
from fairway.cli.app import run
from fairway.cli.output import Exit


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Lets every command end with an error."""

    def fail(error: Exception) -> None:
        def call(*_: object) -> None:
            raise error

        monkeypatch.setattr(app, "call", call)

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
