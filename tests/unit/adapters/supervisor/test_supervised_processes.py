import contextlib
import os
import shutil
import signal
import subprocess

from fairway.adapters.supervisor.processes import (
    age,
    identify,
    is_alive,
    open_handle,
    session_members,
    signal_session,
)


@contextlib.contextmanager
def running(*command, **options):
    """The command in a session of its own, ended with the block."""
    with subprocess.Popen(command, start_new_session=True, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_process_is_told_by_number_start_and_boot():
    own = identify(os.getpid())
    assert is_alive(own)
    assert not is_alive(own._replace(start=own.start - 1))
    assert not is_alive(own._replace(boot="another"))
    assert open_handle(own._replace(start=own.start - 1)) is None
    assert 0 <= age(own) < 86_400


def test_an_ended_process_that_nobody_collected_is_not_alive():
    process = subprocess.Popen(["true"])
    identity = identify(process.pid)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert identify(process.pid) == identity
    assert not is_alive(identity)
    process.wait()
    assert identify(process.pid) is None


def test_a_name_with_spaces_and_parentheses_is_no_trap(tmp_path):
    program = tmp_path / "a) S 1 (b"
    shutil.copy(shutil.which("sleep"), program)
    with running(program, "1000") as process:
        identity = identify(process.pid)
        assert is_alive(identity)
        assert session_members(identity) == [process.pid]


def test_signals_reach_the_session_with_its_other_groups_and_nobody_else():
    script = "set -m; sleep 999 & set +m; sleep 998 & echo up; wait; wait"  # -m: a group of its own
    with (
        running("bash", "-c", script, stdout=subprocess.PIPE) as ours,
        running("sleep", "997") as stranger,
    ):
        ours.stdout.readline()
        leader = identify(ours.pid)
        assert len(session_members(leader)) == 3
        assert len({os.getpgid(pid) for pid in session_members(leader)}) == 2
        signal_session(leader._replace(start=leader.start - 1), signal.SIGKILL)
        signal_session(leader._replace(boot="another"), signal.SIGKILL)
        assert len(session_members(leader)) == 3
        signal_session(leader, signal.SIGKILL)
        ours.wait()
        assert stranger.poll() is None


def test_what_an_ended_leader_left_is_still_ours_but_not_once_its_number_is_another_process():
    script = "sleep 999 & echo $!"
    with running("sh", "-c", script, stdout=subprocess.PIPE) as ours:
        leader = identify(ours.pid)
        child = int(ours.stdout.readline())
        ours.wait()
        assert session_members(leader) == [child]
        signal_session(leader, signal.SIGKILL)
    own = identify(os.getpid())
    assert session_members(own._replace(start=own.start - 1)) == []
