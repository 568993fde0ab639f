"""What becomes of commands when those around them are killed."""

import itertools
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

from command_runner import QUICK, Runner, end_of, fork, is_alive, waited

from fairway.adapters.commands import LocalCommands
from fairway.adapters.commands.execution import execute
from fairway.ports.checks import CommandResult


def die_at(line, files):
    """Lets this process die like under kill -9 before that line of those files, counted as they are executed."""
    left, owner = line, os.getpid()

    def trace(frame, event, _):
        nonlocal left
        if frame.f_code.co_filename not in files:
            return None
        if event == "line":
            if left == 0 and os.getpid() == owner:
                os.kill(owner, signal.SIGKILL)
            left -= 1
        return trace

    sys.settrace(trace)


def killed_at(line, files, prepare, runner):
    work = prepare(runner)
    die_at(line, files)
    work()


def killed_at_lines(tmp_path, modules, prepare, *, step=1):
    """Forks that call what `prepare(runner)` returns and are killed at line 0, `step`, … of the modules.

    Yields:
        Line, runner and result, until the forks come to their end. Some at a time, because most of it is waiting.
    """
    files = {source(module) for module in modules}
    for first in itertools.count(0, 8 * step):
        batch = []
        for line in range(first, first + 8 * step, step):
            (tmp_path / str(line)).mkdir()
            batch.append((line, Runner(tmp_path / str(line))))
        forks = [fork(partial(killed_at, line, files, prepare, runner)) for line, runner in batch]
        ends = [end_of(pid) for pid in forks]
        assert set(ends) <= {0, -signal.SIGKILL}
        for _, runner in batch:
            LocalCommands(runner.store).ensure_run(runner.quick())
        for line, runner in batch:
            yield line, runner, runner.finish(runner.quick())
        if 0 in ends:
            return


def source(module):
    return sys.modules[module].__file__


CALLER = ("fairway.adapters.commands.client", "fairway.adapters.commands.place")
WATCHER = ("fairway.adapters.commands.execution", "fairway.adapters.commands.child", "fairway.adapters.commands.place")


def test_a_caller_killed_at_any_line_costs_no_execution_and_causes_no_second_one(tmp_path):
    def call(runner):
        return partial(LocalCommands(runner.store).ensure_run, runner.quick())

    for line, runner, result in killed_at_lines(tmp_path, CALLER, call):
        assert result == CommandResult(0, "migrated"), f"killed at line {line}"
        assert len(runner.executions()) == 1, f"killed at line {line}"
    assert line > 40


def test_a_caller_killed_while_it_starts_the_watcher_causes_no_second_execution(tmp_path):
    """One in twenty of the lines of the standard library between the fork of the watcher and its first word."""

    def call(runner):
        return partial(LocalCommands(runner.store).ensure_run, runner.quick())

    for line, runner, result in killed_at_lines(tmp_path, ["subprocess"], call, step=20):
        assert result == CommandResult(0, "migrated"), f"killed at line {line}"
        assert len(runner.executions()) == 1, f"killed at line {line}"
    assert line > 100


def test_a_watcher_killed_at_any_second_line_leaves_a_command_that_is_run_again_but_never_beside_itself(tmp_path):
    def watch(runner):
        place = runner.place()
        place.take_lock()
        words = shlex.split(QUICK)
        definition = {"program": shutil.which(words[0]), "argv": words, "folder": str(runner.folder)}
        return partial(execute, place, definition | {"variables": [], "timeout": 20.0}, lambda word: None)

    for line, runner, result in killed_at_lines(tmp_path, WATCHER, watch, step=2):
        # Another execution at the same time would fail for the guard.
        assert result == CommandResult(0, "migrated"), f"killed at line {line}"
        assert 1 <= len(runner.executions()) <= 2, f"killed at line {line}"
    assert line > 60


def test_what_a_killed_watcher_left_running_is_ended_before_it_runs_again(runner):
    (runner.folder / "hold").touch()
    assert LocalCommands(runner.store).ensure_run(runner.counted()) is None
    first = waited(runner.executions, "the first execution")[0]
    os.kill(runner.watcher(), signal.SIGKILL)
    waited(lambda: LocalCommands(runner.store).ensure_run(runner.counted()) or len(runner.executions()) == 2, "another")
    assert not is_alive(first)
    (runner.folder / "hold").unlink()
    assert runner.finish(runner.counted()) == CommandResult(0, "migrated")
    assert len(runner.executions()) == 2


def test_a_command_outlives_the_session_of_its_caller(runner):
    (runner.folder / "hold").touch()

    def call():
        os.setsid()
        LocalCommands(runner.store).ensure_run(runner.counted())
        waited(runner.executions, "the start")
        os.killpg(0, signal.SIGKILL)

    assert end_of(fork(call)) == -signal.SIGKILL
    (runner.folder / "hold").unlink()
    assert runner.finish(runner.counted()) == CommandResult(0, "migrated")
    assert len(runner.executions()) == 1


def test_after_a_reboot_no_stranger_is_taken_for_the_command(runner):
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as stranger:
        try:
            os.close(runner.place().take_lock())
            start = int(Path(f"/proc/{stranger.pid}/stat").read_text().rpartition(")")[2].split()[19])
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
            for leader in ({"start": start, "boot": "another"}, {"start": start - 1, "boot": boot}):
                runner.place().process.write_text(json.dumps({"pid": stranger.pid} | leader))
                runner.place().result.unlink(missing_ok=True)
                assert runner.finish(runner.counted()).status == 0
            assert stranger.poll() is None
        finally:
            stranger.kill()
