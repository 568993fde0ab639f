import os
import signal
import time
from pathlib import Path

import pytest
from supervised import kill_supervisor, supervisor, wait_until

from fairway.adapters.supervisor.client import SupervisorClient
from fairway.adapters.supervisor.files import Layout
from fairway.adapters.supervisor.loop import find_supervisor
from fairway.adapters.supervisor.processes import identify, is_alive, session_members
from fairway.ports.supervisor import Unit

__all__ = ["supervisor"]
PATH = (("PATH", os.environ["PATH"]),)


def shell(unit, script, grace=1.0):
    return Unit(unit, ("sh", "-c", script), "/", PATH, grace=grace)


def sleeper(unit):
    return Unit(unit, ("sleep", "1000"), "/", PATH)


def says(status, text):
    return lambda: text in Path(status.log).read_text()


def test_a_polite_process_is_gone_long_before_its_grace_ends(supervisor):
    status = supervisor.ensure_unit(Unit("polite", ("sleep", "1000"), "/", PATH, grace=60.0))
    started = time.monotonic()
    supervisor.ensure_removed("polite")
    assert time.monotonic() - started < 60
    assert supervisor.observe() == {}
    assert identify(status.pid) is None
    supervisor.ensure_removed("polite")


def test_a_group_that_ignores_sigterm_is_killed_whole_after_the_grace(supervisor):
    script = "trap '' TERM; sleep 999 & (sleep 998 & sleep 997) & echo up; while :; do sleep 1; done"
    status = supervisor.ensure_unit(shell("stubborn", script, grace=0.5))
    leader = identify(status.pid)
    wait_until(says(status, "up"))
    wait_until(lambda: len(session_members(leader)) >= 4)
    started = time.monotonic()
    supervisor.ensure_removed("stubborn")
    assert 0.5 <= time.monotonic() - started < 30
    assert session_members(leader) == []


def test_children_get_their_grace_too_when_the_leader_goes_first(supervisor, tmp_path):
    child = f"trap 'sleep 0.3; echo done > {tmp_path}/done; exit' TERM; while :; do sleep 0.05; done"
    status = supervisor.ensure_unit(shell("family", f"({child}) & echo up; exec sleep 1000", grace=10.0))
    wait_until(says(status, "up"))
    wait_until(lambda: len(session_members(identify(status.pid))) >= 2)
    supervisor.ensure_removed("family")
    assert (tmp_path / "done").read_text() == "done\n"


def test_stopped_units_stay_stopped_until_they_are_resumed(supervisor, tmp_path):
    for unit in ("one", "two", "other"):
        supervisor.ensure_unit(sleeper(unit))
    pids = {unit: status.pid for unit, status in supervisor.observe().items()}
    supervisor.stop_all({"one", "two"})
    observed = supervisor.observe()
    assert [observed[unit].state for unit in ("one", "other", "two")] == ["stopped", "running", "stopped"]
    assert observed["other"].pid == pids["other"]
    assert identify(pids["one"]) is None
    kill_supervisor(tmp_path / "supervisor")
    supervisor.ensure_running()
    wait_until(lambda: find_supervisor(Layout(tmp_path / "supervisor")))
    assert supervisor.observe()["one"].state == "stopped"
    supervisor.resume_all()
    wait_until(lambda: all(status.state == "running" for status in supervisor.observe().values()))
    assert supervisor.observe()["one"].restarts == 0  # a stop that was wanted is no crash
    assert supervisor.observe()["other"].pid == pids["other"]


def test_asking_for_a_stopped_unit_runs_it_and_only_it(supervisor):
    supervisor.ensure_unit(sleeper("one"))
    supervisor.ensure_unit(sleeper("two"))
    supervisor.stop_all()
    assert supervisor.ensure_unit(sleeper("one")).state == "running"
    assert supervisor.observe()["two"].state == "stopped"


def test_a_supervisor_with_nothing_to_run_ends_and_stopped_units_do_not_wake_it(tmp_path):
    supervisor = SupervisorClient(tmp_path, linger=0.1)
    supervisor.ensure_unit(sleeper("one"))
    supervisor.stop_all()
    wait_until(lambda: find_supervisor(Layout(tmp_path)) is None)
    supervisor.ensure_running()
    assert find_supervisor(Layout(tmp_path)) is None
    supervisor.ensure_removed("one")
    wait_until(lambda: find_supervisor(Layout(tmp_path)) is None)
    assert supervisor.observe() == {}


@pytest.mark.parametrize("pause", [0.0, 0.02, 0.05])
def test_a_unit_that_comes_as_the_supervisor_ends_is_started_all_the_same(tmp_path, pause):
    supervisor = SupervisorClient(tmp_path, linger=0.03, patience=5.0)
    for _ in range(8):
        status = supervisor.ensure_unit(sleeper("late"))
        assert status.state == "running"
        supervisor.ensure_removed("late")
        resume = time.monotonic() + pause
        wait_until(lambda resume=resume: time.monotonic() >= resume)
    wait_until(lambda: find_supervisor(Layout(tmp_path)) is None)


def test_sigterm_ends_the_supervisor_and_leaves_its_units(supervisor, tmp_path):
    status = supervisor.ensure_unit(sleeper("one"))
    process = find_supervisor(Layout(tmp_path / "supervisor"))
    os.kill(process.pid, signal.SIGTERM)
    wait_until(lambda: not is_alive(process))
    assert supervisor.observe()["one"].pid == status.pid
