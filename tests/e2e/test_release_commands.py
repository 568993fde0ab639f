"""What `fairway release` says and does, by the command line."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import time

import pytest
from release_project import Project, await_true
from workshop import FAIRWAY

CONFIGURATION = """\
service: lib
release:
  build:
    wheel:
      run: sh -c 'while [ -e {gate} ]; do sleep 0.05; done; echo built > out'
      outputs: out
  test:
    unit: {{run: [echo one, sh -c 'test ! -e {bad}']}}
"""


@pytest.fixture
def lib(tmp_path):
    text = CONFIGURATION.format(gate=tmp_path / "gate", bad=tmp_path / "bad")
    project = Project(tmp_path, text, {})
    project.gate, project.bad = tmp_path / "gate", tmp_path / "bad"
    yield project
    project.close()


def test_the_plan_is_printed_and_nothing_is_changed(lib):
    said = lib.run("release", "1.0.0", "--dry-run")
    assert said.returncode == 0
    assert [line.split()[:2] for line in said.stdout.splitlines()[3:7]] == [
        ["queue", "turn"],
        ["build", "wheel"],
        ["test", "unit"],
        ["publish", "tag"],
    ]
    plan = json.loads(lib.run("release", "1.0.0", "--dry-run", "--json").stdout)
    assert [task["needs"] for task in plan["tasks"]] == [[], ["turn"], ["turn", "wheel"], ["turn", "wheel", "unit"]]
    assert lib.git("tag") == ""
    assert not (lib.folder / ".fairway/releases").exists()


def test_a_failure_says_which_step_and_what_to_do_and_the_release_goes_on_from_there(lib):
    lib.bad.touch()
    failed = lib.run("release", "1.0.0")
    assert failed.returncode == 1
    lines = failed.stderr.splitlines()
    assert "unit | one" in lines
    assert any(" build wheel: done" in line for line in lines)
    assert any("fairway release resume" in line for line in lines)
    assert "step 2 of 2" in failed.stdout
    # Once more for the same version it is pointed to, not begun anew, until it is given up.
    again = lib.run("release", "1.0.0", "--json")
    assert (again.returncode, json.loads(again.stdout)["error"]["code"]) == (1, "release-begun")
    lib.bad.unlink()
    done = lib.run("release", "resume", "--json")
    assert done.returncode == 0, done.stderr
    release = json.loads(done.stdout)
    assert {task["task"]: task["tries"] for task in release["tasks"]} == {"turn": 2, "wheel": 1, "unit": 2, "tag": 1}
    assert lib.run("release", "logs", release["release"], "unit").stdout.splitlines()[:2] == ["$ echo one", "one"]
    assert json.loads(lib.run("release", "1.0.0", "--json").stdout)["error"]["code"] == "released"


def test_without_a_version_the_history_says_which_one(lib):
    done = lib.run("release", "--json")
    assert done.returncode == 0, done.stderr
    first = json.loads(done.stdout)["version"]
    assert lib.git("tag") == f"v{first}"
    nothing = lib.run("release", "--json")
    assert (nothing.returncode, json.loads(nothing.stdout)["error"]["code"]) == (1, "nothing-to-release")


def test_two_releases_at_once_queue_and_both_are_made(lib):
    lib.gate.touch()
    first = lib.begin("release", "1.0.0", "--json")
    await_true(lambda: lib.run("release", "status").stdout.count("running") == 1)
    second = lib.begin("release", "1.1.0", "--json")
    assert "waits for release rel-" in _line_of(second, "waits for release")
    lib.gate.unlink()
    assert first.wait(60) == 0
    assert second.wait(60) == 0
    assert lib.git("tag").split() == ["v1.0.0", "v1.1.0"]


def test_a_release_that_is_interrupted_stops_its_commands_and_can_be_resumed(lib):
    lib.gate.touch()
    process = lib.begin("release", "1.0.0")
    _line_of(process, "wheel: started")
    _line_of(process, "wheel | $")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 3
    assert "fairway release resume rel-" in process.stderr.read()
    assert not subprocess.run(["pgrep", "-f", str(lib.gate)], capture_output=True, check=False).stdout
    lib.gate.unlink()
    assert lib.run("release", "resume").returncode == 0


def test_a_terminal_shows_all_tasks_and_the_output_as_it_comes(lib):
    controller, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"}
    process = subprocess.Popen(
        [FAIRWAY, "release", "1.0.0"], cwd=lib.folder, env=environment, stdin=terminal, stdout=terminal, stderr=terminal
    )
    os.close(terminal)
    shown = _read_all(controller)
    os.close(controller)
    assert process.wait(60) == 0
    plain = " ".join(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).split())
    assert "unit │ one" in plain
    assert "build ✓ wheel" in plain
    assert "lib 1.0.0: completed" in shown


def _line_of(process, words):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        line = process.stderr.readline()
        if words in line:
            return line
        assert line or process.poll() is None, "ended"
    raise AssertionError(f"never said: {words}")


def _read_all(controller):
    """What a terminal got until its other end was closed."""
    shown = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if select.select([controller], [], [], 0.5)[0]:
            try:
                chunk = os.read(controller, 65536)
            except OSError:
                break
            if not chunk:
                break
            shown += chunk
    return shown.decode()
