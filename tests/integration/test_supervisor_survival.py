import json
import os
import shutil
import signal
import subprocess
import threading
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from supervised import kill_supervisor, supervisor, wait_until

from fairway.adapters.supervisor.client import SupervisorClient
from fairway.adapters.supervisor.files import Layout
from fairway.adapters.supervisor.loop import find_supervisor
from fairway.adapters.supervisor.processes import identify, is_alive
from fairway.ports.supervisor import Unit

__all__ = ["supervisor"]
PATH = (("PATH", os.environ["PATH"]),)
SLEEPER = Unit("sleeper", ("sleep", "1000"), "/", PATH, grace=1.0)


def kill(pid):
    """kill -9, and returns when it has ended."""
    process = identify(pid)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(process))


def test_units_live_on_without_their_supervisor_and_are_found_again(supervisor, tmp_path):
    first = supervisor.ensure_unit(SLEEPER)
    kill_supervisor(tmp_path / "supervisor")
    assert supervisor.observe()["sleeper"] == first
    assert supervisor.ensure_unit(SLEEPER) == first
    assert find_supervisor(Layout(tmp_path / "supervisor"))
    os.kill(first.pid, signal.SIGKILL)
    wait_until(lambda: supervisor.observe()["sleeper"].pid not in {None, first.pid})
    again = supervisor.observe()["sleeper"]
    assert (again.restarts, again.last_exit) == (1, "ended (status unknown)")


def test_a_death_that_nobody_saw_is_made_good(supervisor, tmp_path):
    first = supervisor.ensure_unit(SLEEPER)
    kill_supervisor(tmp_path / "supervisor")
    kill(first.pid)
    alone = supervisor.observe()["sleeper"]
    assert (alone.state, alone.pid) == ("stopped", None)
    again = supervisor.ensure_unit(SLEEPER)
    assert again.state == "running"
    assert (again.restarts, again.last_exit) == (1, "ended (status unknown)")


def test_what_a_dead_leader_left_behind_is_ended_by_the_next_supervisor(supervisor, tmp_path):
    script = f"sleep 999 & echo $! > {tmp_path}/child; exec sleep 1000"
    first = supervisor.ensure_unit(Unit("parent", ("sh", "-c", script), "/", PATH))
    wait_until(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text())
    child = identify(int((tmp_path / "child").read_text()))
    kill_supervisor(tmp_path / "supervisor")
    kill(first.pid)
    assert is_alive(child)
    supervisor.ensure_removed("parent")
    assert not is_alive(child)


@pytest.mark.parametrize("alike", ["the number", "the number and the tick of another boot"])
def test_a_stranger_with_the_number_of_a_unit_is_never_signalled(supervisor, tmp_path, alike):
    first = supervisor.ensure_unit(SLEEPER)
    kill_supervisor(tmp_path / "supervisor")
    kill(first.pid)
    with subprocess.Popen(["sleep", "1000"], start_new_session=True) as stranger:
        try:
            path = tmp_path / "supervisor/status/sleeper.json"
            status = json.loads(path.read_text())
            same_tick_of_another_boot = [stranger.pid, identify(stranger.pid).start, "another boot"]
            process = [stranger.pid, *status["process"][1:]] if alike == "the number" else same_tick_of_another_boot
            path.write_text(json.dumps({**status, "process": process}))
            assert supervisor.observe()["sleeper"].pid is None
            mine = supervisor.ensure_unit(SLEEPER)
            assert mine.pid != stranger.pid
            kill_supervisor(tmp_path / "supervisor")
            kill(mine.pid)
            path.write_text(json.dumps({**status, "process": process}))
            supervisor.ensure_removed("sleeper")
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_after_a_reboot_what_ran_comes_back(supervisor, tmp_path):
    units = [Unit(name, ("sleep", "1000"), "/", PATH) for name in ("one", "two", "down")]
    pids = [supervisor.ensure_unit(unit).pid for unit in units]
    supervisor.stop_all({"down"})
    folder = tmp_path / "supervisor"
    kill_supervisor(folder)
    for pid in pids[:2]:
        kill(pid)
    for path in (*folder.glob("status/*.json"), folder / "supervisor.json"):
        path.write_text(path.read_text().replace(identify(os.getpid()).boot, "the boot before"))
    (folder / "status/two.json").write_text("")  # written as the power went
    supervisor.ensure_running()
    wait_until(lambda: all(supervisor.observe()[unit].state == "running" for unit in ("one", "two")))
    assert supervisor.observe()["down"].state == "stopped"


def test_whoever_removes_the_whole_folder_ends_everything_in_it(tmp_path):
    folder = tmp_path / "supervisor"
    client = SupervisorClient(folder, linger=0.0)
    unit = identify(client.ensure_unit(SLEEPER).pid)
    process = find_supervisor(Layout(folder))
    shutil.rmtree(folder)
    wait_until(lambda: not is_alive(unit))
    wait_until(lambda: not is_alive(process))


def test_a_supervisor_whose_folder_was_moved_away_leaves_the_new_one_to_its_successor(supervisor, tmp_path):
    folder = tmp_path / "supervisor"
    supervisor.ensure_unit(SLEEPER)
    supervisor.stop_all()
    former = find_supervisor(Layout(folder))
    folder.rename(tmp_path / "elsewhere")
    supervisor.ensure_unit(SLEEPER)
    assert find_supervisor(Layout(folder)) != former
    wait_until(lambda: not is_alive(former))


@pytest.fixture
def lost(supervisor, tmp_path):
    """Ends the supervisor and moves its folder away; what runs goes on and nobody knows of it."""

    def lose():
        kill_supervisor(tmp_path / "supervisor")
        (tmp_path / "supervisor").rename(tmp_path / f"lost-{uuid.uuid4().hex}")

    return lose


def test_what_runs_while_the_folder_is_lost_is_taken_over_as_it_is(supervisor, lost):
    first = supervisor.ensure_unit(SLEEPER)
    lost()
    assert supervisor.observe() == {}
    assert [(one.unit, one.process.pid) for one in supervisor.list_orphans()] == [("sleeper", first.pid)]
    again = supervisor.ensure_unit(SLEEPER)
    assert (again.pid, again.restarts, supervisor.list_orphans()) == (first.pid, 0, ())
    assert abs(again.since - first.since) < 2
    kill(first.pid)
    wait_until(lambda: supervisor.observe()["sleeper"].pid not in {None, first.pid})
    assert supervisor.observe()["sleeper"].restarts == 1


def test_what_was_taken_over_and_is_wanted_otherwise_by_now_is_started_again(supervisor, lost):
    first = identify(supervisor.ensure_unit(SLEEPER).pid)
    lost()
    changed = replace(SLEEPER, argv=("sleep", "2000"))
    again = supervisor.ensure_unit(changed)
    assert not is_alive(first)
    wait_until(lambda: content(Path(f"/proc/{again.pid}/cmdline")) == b"sleep\x002000\x00")


def test_what_a_dead_leader_left_behind_while_the_folder_was_lost_is_ended_first(supervisor, lost, tmp_path):
    script = f"sleep 999 & echo $! > {tmp_path}/child; exec sleep 1000"
    unit = Unit("parent", ("sh", "-c", script), "/", PATH)
    first = supervisor.ensure_unit(unit)
    wait_until(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text())
    child = identify(int((tmp_path / "child").read_text()))
    kill_supervisor(tmp_path / "supervisor")
    kill(first.pid)
    lost()
    supervisor.ensure_unit(unit)
    assert not is_alive(child)
    wait_until(lambda: supervisor.observe()["parent"].state == "running")


def test_what_nobody_keeps_is_stopped_with_everything_else_and_by_its_name(supervisor, lost):
    processes = [identify(supervisor.ensure_unit(replace(SLEEPER, id=name)).pid) for name in ("one", "two")]
    lost()
    supervisor.ensure_removed("one")
    assert [is_alive(process) for process in processes] == [False, True]
    supervisor.stop_all()
    assert not is_alive(processes[1])
    assert supervisor.observe() == {}


def test_what_another_supervisor_keeps_is_nobodys_orphan(supervisor, lost, tmp_path):
    other = SupervisorClient(tmp_path / "other/supervisor")
    try:
        kept = other.ensure_unit(SLEEPER)
        lost_one = supervisor.ensure_unit(SLEEPER)
        lost()
        assert [one.process.pid for one in supervisor.list_orphans()] == [lost_one.pid]
        supervisor.stop_all()
        assert other.observe()["sleeper"] == kept
        assert other.list_orphans() == ()
    finally:
        other.ensure_removed("sleeper")
        kill_supervisor(tmp_path / "other/supervisor")


def test_a_child_in_a_session_of_its_own_is_left_alone(supervisor, lost, tmp_path):
    script = f"setsid sleep 999 & echo $! > {tmp_path}/child; exec sleep 1000"
    supervisor.ensure_unit(Unit("parent", ("sh", "-c", script), "/", PATH))
    wait_until(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text())
    child = identify(int((tmp_path / "child").read_text()))
    try:
        wait_until(lambda: os.getsid(child.pid) == child.pid)
        lost()
        supervisor.stop_all()
        assert is_alive(child)
        assert supervisor.list_orphans() == ()
    finally:
        os.kill(child.pid, signal.SIGKILL)


def test_no_kill_of_the_supervisor_makes_a_second_process(supervisor, tmp_path):
    folder = tmp_path / "supervisor"
    mark = f"0.{uuid.uuid4().int}"  # sleep adds its arguments up
    unit = Unit("one", ("sleep", "1000", mark), "/", PATH, grace=1.0)
    supervisor.ensure_unit(unit)
    for _ in range(12):
        leaders = marked(mark)
        assert len(leaders) <= 1
        if leaders:
            os.kill(leaders[0], signal.SIGKILL)  # so that the supervisor is about to start it, wherever it is killed
        kill_supervisor(folder)
        supervisor.ensure_running()
    wait_until(lambda: len(marked(mark)) == 1)
    supervisor.ensure_removed("one")
    assert marked(mark) == []


def marked(mark):
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes() == f"sleep\x001000\x00{mark}\x00".encode():
                found.append(int(path.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def test_many_who_ask_at_once_get_one_supervisor_and_one_process(supervisor, tmp_path):
    statuses = []
    threads = [
        threading.Thread(target=lambda: statuses.append(SupervisorClient(tmp_path / "supervisor").ensure_unit(SLEEPER)))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({status.pid for status in statuses}) == 1
    folder = f"{tmp_path}/supervisor".encode()
    supervisors = [path for path in Path("/proc").glob("[0-9]*/cmdline") if folder in content(path)]
    wait_until(lambda: len([path for path in supervisors if path.exists()]) == 1)


def content(path):
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
