import os
import signal
import time

import pytest

from fairway.adapters.supervisor.children import collect, describe_end, start
from fairway.adapters.supervisor.files import Layout, write_json
from fairway.adapters.supervisor.keeper import pause_after
from fairway.adapters.supervisor.loop import SupervisorLoop, find_supervisor, lock
from fairway.adapters.supervisor.processes import Identity, is_alive


def definition(script, folder="/"):
    return {
        "argv": ["sh", "-c", script],
        "folder": str(folder),
        "variables": [["PATH", os.environ["PATH"]]],
        "grace": 1.0,
        "fingerprint": script,
        "live": None,
    }


def ended(process):
    deadline = time.monotonic() + 60
    while is_alive(process):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return process


def test_the_first_restart_comes_at_once_then_the_pause_doubles_up_to_thirty_seconds():
    assert [pause_after(quick) for quick in range(6)] == [0.0, 0.0, 0.1, 0.2, 0.4, 0.8]
    assert pause_after(12) == 30.0
    assert pause_after(100_000) == 30.0


def test_a_program_never_runs_if_nobody_could_write_down_that_it_does(tmp_path):
    known = []

    def fail(process):
        known.append(process)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        start(definition(f"touch {tmp_path}/ran; sleep 1000"), str(tmp_path / "log"), fail)
    assert not is_alive(known[0])
    assert not (tmp_path / "ran").exists()


def test_a_program_never_runs_if_its_supervisor_dies_before_it_is_written_down(tmp_path):
    def die(process):
        (tmp_path / "pid").write_text("\n".join(map(str, process)))
        deadline = time.monotonic() + 0.3
        while time.monotonic() < deadline and not (tmp_path / "ran").exists():
            time.sleep(0.005)  # what has no gate runs by now
        os._exit(0)

    supervisor = os.fork()
    if supervisor == 0:
        start(definition(f"touch {tmp_path}/ran; sleep 1000"), str(tmp_path / "log"), die)
    os.waitpid(supervisor, 0)
    pid, ticks, boot = (tmp_path / "pid").read_text().split()
    ended(Identity(int(pid), int(ticks), boot))
    assert not (tmp_path / "ran").exists()


def test_how_a_process_ended_is_told_in_words(tmp_path):
    log = str(tmp_path / "log")
    for script, words in [
        ("exit 0", "exit status 0"),
        ("exit 7", "exit status 7"),
        ("kill -TERM $$", "signal SIGTERM"),
        ("kill -40 $$", "signal 40"),
    ]:
        process = ended(start(definition(script), log, lambda process: None))
        assert describe_end(process) == words
        collect(process)
        assert describe_end(process) == "ended (status unknown)"


def test_a_program_gets_back_the_signals_that_python_ignores(tmp_path):
    log = tmp_path / "log"
    process = ended(start(definition("grep SigIgn /proc/self/status"), str(log), lambda process: None))
    collect(process)
    ignored = int(log.read_text().split()[1], 16)
    python_ignores = [signal.SIGPIPE, signal.SIGXFSZ]
    assert [number for number in python_ignores if ignored >> (number - 1) & 1] == []


def test_a_supervisor_about_to_end_sees_what_came_in_the_last_moment(tmp_path):
    layout = Layout(tmp_path)
    layout.make()
    held = lock(layout, 1.0)
    loop = SupervisorLoop(layout, held, linger=0.0)
    loop.announce()
    write_json(layout.unit("late"), definition("exec sleep 1000"), durable=False)
    assert not loop._withdraw()
    assert find_supervisor(layout).pid == os.getpid()
    layout.unit("late").unlink()
    loop.run()
    assert find_supervisor(layout) is None
    assert layout.list_statuses() == []
    os.close(held)
    os.close(loop._doorbell)
