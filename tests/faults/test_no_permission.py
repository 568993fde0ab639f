"""What may not be read or written is told in one sentence, nothing is half done, and what runs serves on."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from deprived import deprived, run_deprived
from services import ask, corner, release
from workshop import Answer, Workshop

pytestmark = pytest.mark.timeout(240)

#: What each part of the state folder is needed for; each is made unreadable, and then unwritable.
PARTS = ("", "journal.db", "project", "artifacts", "targets", "supervisor", "supervisor/units", "routers", "commands")
COMMANDS = {
    "status": ("status",),
    "history": ("history", "--env", "production"),
    "plan": ("plan", "1.1.0", "--env", "production"),
    "deploy": ("deploy", "1.1.0", "--env", "production", "--timeout", "20s"),
    "validate": ("validate", "--env", "production"),
    "logs": ("logs", "--env", "production"),
    "up": ("up",),
    "doctor": ("doctor",),
    "bench list": ("bench", "list"),
    "release status": ("release", "status"),
}


@contextmanager
def mode(path: Path, bits: int) -> Iterator[None]:
    before = path.stat().st_mode & 0o7777
    path.chmod(bits)
    try:
        yield
    finally:
        path.chmod(before)


@pytest.fixture(scope="module")
def place(shared_shop: Workshop) -> tuple[Workshop, int]:
    """1.0.0 is live, and 1.1.0 could be."""
    port = corner(shared_shop, "{kind: rolling, bake: 0s}", instances=1, observe="0s")
    assert shared_shop.deploy("1.0.0", "production", "--timeout", "60s").status == 0
    release(shared_shop, "1.1.0")
    return shared_shop, port


def test_permissions_hold_for_the_commands_of_these_tests(tmp_path: Path) -> None:
    (tmp_path / "closed").write_text("x")
    (tmp_path / "closed").chmod(0)
    done = subprocess.run(deprived("cat", str(tmp_path / "closed")), capture_output=True, check=False)
    assert done.returncode != 0


def in_one_sentence(answer: Answer) -> None:
    """A refusal in our words: never a trace, never a yes to what was not done."""
    assert "Traceback" not in answer.err, answer.err
    if answer.status == 0:
        return
    assert answer.status in (1, 2, 3), answer
    body = json.loads(answer.out)
    error = body.get("error")
    if error is not None:
        assert error["code"] != "fault", error
        assert 0 < len(error["message"]) < 600, error
        assert error["message"].isprintable(), error


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part or "the whole folder")
@pytest.mark.parametrize("bits", [0o000, 0o500], ids=["closed", "read-only"])
def test_a_part_of_the_state_folder_without_permission(place: tuple[Workshop, int], part: str, bits: int) -> None:
    shop, port = place
    path = shop.folder / ".fairway" / part
    if not path.exists():
        path = path.parent
    with mode(path, bits & (0o777 if path.is_dir() else 0o400)):
        for name, words in COMMANDS.items():
            answer = run_deprived(shop.folder, *words, "--json")
            in_one_sentence(answer)
            if part == "" and bits == 0:
                assert answer.status != 0, (name, answer)
                assert ".fairway" in answer.out, (name, answer)
        assert ask(port).text in ("1.0.0", "1.1.0")
    # Nothing was half done: with the permission back, it goes on as if nothing had been.
    assert shop.fairway("up", "--json").status == 0
    status = shop.await_status("production", lambda status: status["finished"] is not None)
    assert ask(port).text == status["live"]["release"]
    if status["live"]["release"] == "1.1.0":
        assert shop.deploy("1.0.0", "production", "--timeout", "60s").status == 0


def test_a_state_folder_of_another_account_is_refused_with_its_name(tmp_path: Path) -> None:
    """Of an account that is not ours, as when somebody deployed with sudo before."""
    made = Workshop(tmp_path / "repository")
    corner(made, "{kind: rolling, bake: 0s}")
    (made.folder / ".fairway").mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(made.folder / ".fairway", 65534, 65534)
    else:
        (made.folder / ".fairway").chmod(0)
    for words in (("deploy", "1.0.0", "--env", "production"), ("status",), ("up",), ("release", "--dry-run")):
        answer = run_deprived(made.folder, *words, "--json")
        assert answer.status == 3, (words, answer)
        error = answer.json["error"]
        assert ".fairway" in error["message"], error
        assert "ermission denied" in error["message"], error
    found = run_deprived(made.folder, "doctor", "--json").json["findings"]
    assert [one["status"] for one in found if one["name"] == "state folder"] == ["failed"]
    (made.folder / ".fairway").chmod(0o700)
    assert not list((made.folder / ".fairway").iterdir())


@pytest.mark.parametrize("file", ["fairway.yaml", ".git"])
def test_a_repository_that_may_not_be_read_is_refused(tmp_path: Path, file: str) -> None:
    made = Workshop(tmp_path / "repository")
    corner(made, "{kind: rolling, bake: 0s}")
    with mode(made.folder / file, 0):
        answer = run_deprived(made.folder, "deploy", "1.0.0", "--env", "production", "--json")
        in_one_sentence(answer)
        assert answer.status in (2, 3)
        assert not (made.folder / ".fairway/supervisor").exists()


def test_a_folder_that_turns_read_only_for_all_of_us_stops_releases_and_never_the_service(tmp_path: Path) -> None:
    """Supervisor, controller and proxy may not write there either."""
    script = Path(__file__).with_name("read_only_folder.py")
    tests = script.parents[1]
    done = subprocess.run(
        deprived(sys.executable, str(script), str(tmp_path)),
        env=os.environ | {"PYTHONPATH": f"{tests}:{tests / 'e2e'}"},
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    *refused, after = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(refused) == 6
    for one in refused:
        assert not one["trace"], one
        assert one["serves"] == "1.0.0", one
        if one["command"] in ("deploy", "up", "rollback"):
            assert one["status"] in (1, 3), one
            assert ".fairway" in one["said"], one
    assert after == {"failed": 0, "serves": "1.1.0", "phase": "completed"}
