import itertools
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
from supervised import WEB_APP, supervisor, wait_until

from fairway.adapters.supervisor.processes import identify, is_alive
from fairway.domain.errors import InvariantError, PermanentError
from fairway.ports.supervisor import Unit

__all__ = ["supervisor"]
PATH = (("PATH", os.environ["PATH"]),)
SLEEPER = Unit("sleeper", ("sleep", "1000"), "/", PATH, grace=1.0)


def shell(unit, script, grace=1.0):
    return Unit(unit, ("sh", "-c", script), "/", PATH, grace=grace)


def has_other_pid(supervisor, unit, pid):
    return supervisor.observe()[unit].pid not in {None, pid}


def test_a_killed_process_is_back_at_once_and_counted(supervisor):
    first = supervisor.ensure_unit(SLEEPER)
    assert (first.state, first.restarts, first.last_exit) == ("running", 0, "")
    os.kill(first.pid, signal.SIGKILL)
    killed = time.monotonic()
    wait_until(lambda: has_other_pid(supervisor, "sleeper", first.pid))
    assert time.monotonic() - killed < 30  # that it waits for nothing is in the rules of pauses, which have a test
    second = supervisor.observe()["sleeper"]
    assert (second.state, second.restarts, second.last_exit) == ("running", 1, "signal SIGKILL")
    assert abs(second.since - time.time()) < 5


def test_a_crash_loop_shows_and_is_tried_again_with_growing_pauses(supervisor):
    supervisor.ensure_unit(shell("broken", "date +%s.%N; exit 4"))
    wait_until(lambda: supervisor.observe()["broken"].restarts >= 5)
    status = supervisor.observe()["broken"]
    assert status.state == "crash-loop"
    assert status.last_exit == "exit status 4"
    starts = [float(line) for line in read(status.log).splitlines()]
    pauses = [after - before for before, after in itertools.pairwise(starts)]
    assert pauses[0] < pauses[3]  # the first restart comes at once
    assert pauses[1] >= 0.09
    assert pauses[2] >= 0.19
    assert pauses[3] >= 0.39


def test_children_left_behind_are_ended_before_the_restart(supervisor, tmp_path):
    first = supervisor.ensure_unit(shell("parent", f"sleep 999 & echo $! >> {tmp_path}/child; exec sleep 1000"))
    wait_until(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text())
    child = identify(int((tmp_path / "child").read_text()))
    os.kill(first.pid, signal.SIGKILL)
    wait_until(lambda: has_other_pid(supervisor, "parent", first.pid))
    assert not is_alive(child)


def test_a_changed_definition_restarts_and_the_same_one_changes_nothing(supervisor):
    first = supervisor.ensure_unit(SLEEPER)
    process = identify(first.pid)
    assert supervisor.ensure_unit(SLEEPER) == first
    changed = supervisor.ensure_unit(replace(SLEEPER, argv=("sleep", "2000")))
    assert changed.pid != first.pid
    assert changed.restarts == 0
    assert not is_alive(process)
    wait_until(lambda: read(f"/proc/{changed.pid}/cmdline") == "sleep\x002000\x00")


def test_a_process_has_its_environment_folder_and_session_and_nothing_else(supervisor, tmp_path):
    variables = (("GREETING", "good morning"), *PATH)
    unit = Unit("plain", ("sh", "-c", "env; pwd; ls /proc/self/fd; exec sleep 1000"), str(tmp_path), variables)
    status = supervisor.ensure_unit(unit)
    wait_until(lambda: "\n3" in read(status.log))
    lines = read(status.log).splitlines()
    assert "GREETING=good morning" in lines
    assert str(tmp_path) in lines
    assert {line.partition("=")[0] for line in lines if "=" in line} <= {
        "FAIRWAY_UNIT",
        "GREETING",
        "PATH",
        "PWD",
        "SHLVL",
        "_",
        "OLDPWD",
    }
    assert lines[-4:] == ["0", "1", "2", "3"]  # 3 is the folder that ls reads
    assert os.getsid(status.pid) == os.getpgid(status.pid) == status.pid
    assert (tmp_path / "supervisor").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "supervisor/units/plain.json").stat().st_mode & 0o777 == 0o600


def read(path):
    return Path(path).read_text()


def test_a_program_that_cannot_run_is_refused_by_name(supervisor, tmp_path):
    (tmp_path / "data").write_text("no program")
    for argv, folder, code in [
        (("no-such-program",), "/", "program-missing"),
        (("./no-such-program",), "/", "program-missing"),
        ((str(tmp_path / "data"),), "/", "program-not-executable"),
        (("sleep", "1"), str(tmp_path / "nowhere"), "folder-missing"),
        ((), "/", "command-empty"),
    ]:
        with pytest.raises(PermanentError) as refusal:
            supervisor.ensure_unit(Unit("refused", argv, folder, PATH))
        assert refusal.value.code == code
    with pytest.raises(InvariantError):
        supervisor.ensure_unit(replace(SLEEPER, id="../escape"))
    assert supervisor.observe() == {}


def test_a_program_that_fails_to_start_after_all_says_why_in_its_log(supervisor, tmp_path):
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    status = supervisor.ensure_unit(Unit("script", (str(script),), "/", PATH))
    wait_until(lambda: supervisor.observe()["script"].state == "crash-loop")
    assert "No such file or directory" in read(status.log)


def test_a_process_that_answers_no_more_is_started_again(supervisor, tmp_path):
    port = 19_731
    argv = (sys.executable, "-S", str(WEB_APP), "--port", str(port))
    unit = Unit("web", argv, "/", PATH, grace=1.0, live=("127.0.0.1", port, "/health/live"))
    first = supervisor.ensure_unit(unit)
    wait_until(lambda: get(port, "/health/live"))
    # It must have answered the supervisor once; before that a failure means that it is still starting.
    wait_until(lambda: '"answered": true' in read(tmp_path / "supervisor/status/web.json"))
    get(port, "/freeze")
    wait_until(lambda: has_other_pid(supervisor, "web", first.pid))
    second = supervisor.observe()["web"]
    assert second.restarts == 1
    assert second.last_exit == "signal SIGTERM, after /health/live failed three times (status 500)"


def get(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.read().decode() or "ok"
    except urllib.error.URLError:
        return None
