"""Commands of real processes, and what becomes of them when those around them are killed."""

import itertools
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from fairway.adapters.commands import LocalCommands
from fairway.adapters.commands.client import name_of
from fairway.adapters.commands.execution import execute
from fairway.adapters.commands.output import LIMIT
from fairway.adapters.commands.place import Place
from fairway.domain.errors import PermanentError, TransientError
from fairway.ports.checks import Command, CommandResult

# Runs only alone, counts its executions and prints a result.
COUNTED = """
import fcntl, os, sys, time
guard = open("guard", "a")
fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
with open("count", "a") as count:
    print(os.getpid(), file=count, flush=True)
deadline = time.monotonic() + 60
while os.path.exists("hold") and time.monotonic() < deadline:
    time.sleep(0.01)
print("migrated")
"""

# Fails if another one of it is alive; takes long enough for that to be noticed.
QUICK = "flock --nonblock guard sh -c 'echo $$ >> count; sleep 0.2; echo migrated'"

STUBBORN = """#!/bin/sh
trap '' TERM
sleep 60 & echo $! >> pids
(sleep 61 & echo $! >> pids)
echo $$ >> pids
echo waiting
wait
"""


class Runner:
    """Commands in a folder of their own."""

    def __init__(self, folder):
        self.folder = folder
        self.store = folder / "commands"
        (folder / "counted.py").write_text(COUNTED)

    def command(self, line, key="one", *, timeout=20.0, variables=()):
        return Command(key, line, str(self.folder), tuple(variables), timeout)

    def counted(self, key="one"):
        return self.command(f"{sys.executable} -S counted.py", key)

    def quick(self):
        return self.command(QUICK)

    def finish(self, command, *, patience=60.0):
        return waited(lambda: LocalCommands(self.store).ensure_run(command), f"the end of {command.line}", patience)

    def place(self, key="one"):
        return Place(self.store / name_of(key))

    def executions(self):
        found = self.folder / "count"
        return [int(pid) for pid in found.read_text().split()] if found.exists() else []

    def watcher(self, key="one"):
        """The process that watches the command: the parent of what `process.json` names."""
        leader = waited(lambda: self.place(key).process.exists() and self.place(key).process.read_text(), "a start")
        stat = Path(f"/proc/{json.loads(leader)['pid']}/stat").read_text()
        return int(stat.rpartition(")")[2].split()[1])


@pytest.fixture
def runner(tmp_path):
    runner = Runner(tmp_path)
    yield runner
    # Nothing of a test goes on: every watcher that was started has given up its lock.
    for place in (Place(folder) for folder in runner.store.glob("*") if folder.is_dir()):
        os.close(waited(place.take_lock, f"the end of what runs in {place.folder}"))


def waited(find, what, patience=60.0):
    deadline = time.monotonic() + patience
    while not (found := find()):
        assert time.monotonic() < deadline, f"waited {patience:g} s in vain for {what}"
        time.sleep(0.01)
    return found


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


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


def fork(work):
    """The pid of a fork of this process that does that work and ends with status 0."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return pid


def end_of(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


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


def test_the_time_limit_ends_all_that_the_command_started_also_what_ignores_sigterm(runner):
    script = runner.folder / "stubborn.sh"
    script.write_text(STUBBORN)
    script.chmod(0o755)
    result = runner.finish(runner.command("./stubborn.sh", timeout=0.3))
    assert result == CommandResult(None, "waiting")
    pids = [int(pid) for pid in (runner.folder / "pids").read_text().split()]
    assert len(pids) == 3
    assert [pid for pid in pids if is_alive(pid)] == []


def test_what_a_command_leaves_in_the_background_is_ended_with_it(runner):
    result = runner.finish(runner.command("sh -c 'sleep 60 & echo $! > pid; echo done'"))
    assert result == CommandResult(0, "done")
    assert not is_alive(int((runner.folder / "pid").read_text()))


def test_a_flood_of_output_is_bounded_and_its_end_is_kept(runner):
    result = runner.finish(runner.command("sh -c 'yes flood | head -c 40000000; echo; echo the end'"))
    assert result.status == 0
    assert result.tail.endswith("flood\n\nthe end") or result.tail.endswith("the end")
    assert len(result.tail) <= 4096
    output = runner.place().output
    kept = [output, output.with_name("output.log.1")]
    assert LIMIT // 2 <= sum(path.stat().st_size for path in kept) <= LIMIT
    assert output.read_bytes().endswith(b"the end\n")


def test_of_a_progress_bar_the_last_state_is_told(runner):
    result = runner.finish(runner.command(r"printf 'copying 1%%\rcopying 50%%\rcopying 100%%\ndone\377\n'"))
    assert result.tail == "copying 100%\ndone\N{REPLACEMENT CHARACTER}"


def test_a_signal_is_a_negative_status(runner):
    assert runner.finish(runner.command("sh -c 'kill -9 $$'")).status == -9


def test_a_command_sees_path_home_lang_tz_and_its_variables_only(runner, monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Zurich")
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("FAIRWAY_SECRET_OF_THE_CONTROLLER", "x")
    variables = (("SHOP", "Zürich = 'schön'"), ("LANG", "de_CH"))
    result = runner.finish(runner.command("env -0", variables=variables))
    seen = dict(pair.split("=", 1) for pair in result.tail.split("\0") if pair)
    assert seen == {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "TZ": "Europe/Zurich",
        "LANG": "de_CH",
        "SHOP": "Zürich = 'schön'",
    }


def test_variables_stand_on_no_command_line_and_in_no_file(runner):
    (runner.folder / "hold").touch()
    command = runner.counted()
    command = Command(command.key, command.line, command.folder, (("TOKEN", "hush-4711"),), 20.0)
    LocalCommands(runner.store).ensure_run(command)
    waited(runner.executions, "the start")
    assert b"hush-4711" in Path(f"/proc/{runner.executions()[0]}/environ").read_bytes()
    lines = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in (runner.executions()[0], runner.watcher())]
    (runner.folder / "hold").unlink()
    runner.finish(command)
    files = [path for path in runner.store.rglob("*") if path.is_file()]
    assert not [text for text in [*lines, *(path.read_bytes() for path in files)] if b"hush-4711" in text]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (runner.store, runner.place().folder)} == {0o700}


def test_a_command_has_no_input_and_no_foreign_descriptors(runner):
    script = runner.folder / "look.py"
    script.write_text(
        "import os, sys\nprint(repr(sys.stdin.read()), sorted(os.listdir('/proc/self/fd'), key=int)[:-1])\n"
    )
    result = runner.finish(runner.command(f"{sys.executable} -S look.py"))
    assert result.tail == "'' ['0', '1', '2']"


def test_a_module_in_the_working_folder_takes_nobodys_place(runner, monkeypatch):
    (runner.folder / "json.py").write_text("raise SystemExit('not me')")
    (runner.folder / "fairway").mkdir()
    monkeypatch.chdir(runner.folder)
    assert runner.finish(runner.counted()) == CommandResult(0, "migrated")


@pytest.mark.parametrize(
    ("line", "content", "code"),
    [
        ("no-such-program-anywhere --now", None, "program-missing"),
        ("./tool", None, "program-missing"),
        ("./tool", ("#!/bin/sh\necho fixed\n", 0o644), "program-not-executable"),
        ("./tool", ("#!/no/such/interpreter\n", 0o755), "program-refused"),
        ("./tool", ("echo no interpreter\n", 0o755), "program-refused"),
        ("echo 'open", None, "command-quotes"),
        ("  ", None, "command-empty"),
    ],
)
def test_what_cannot_run_is_refused_in_a_sentence_and_may_be_tried_again(runner, line, content, code):
    tool = runner.folder / "tool"
    if content:
        tool.write_text(content[0])
        tool.chmod(content[1])
    for _ in range(2):
        with pytest.raises(PermanentError) as caught:
            LocalCommands(runner.store).ensure_run(runner.command(line))
        assert caught.value.code == code
        assert repr(line) in caught.value.message
        assert caught.value.message.endswith(".")
    tool.write_text("#!/bin/sh\necho fixed\n")
    tool.chmod(0o755)
    assert runner.finish(runner.command("./tool")) == CommandResult(0, "fixed")


def test_a_missing_folder_is_refused(runner):
    command = Command("one", "true", str(runner.folder / "gone"), (), 1.0)
    with pytest.raises(PermanentError, match=r"/gone' of the command 'true' does not exist"):
        LocalCommands(runner.store).ensure_run(command)


def test_a_folder_that_cannot_be_used_is_an_error_that_passes(runner):
    runner.store.write_text("a file where a folder should be")
    with pytest.raises(TransientError, match="Not a directory"):
        LocalCommands(runner.store).ensure_run(runner.counted())


def test_different_keys_never_share_a_folder():
    keys = ["a/b", "a-b", "a b", "a:b", "..", "", "ä", "ö", "x" * 300, "x" * 301]
    names = {name_of(key) for key in keys}
    assert len(names) == len(keys)
    assert all(len(name) < 100 and "/" not in name and not name.startswith(".") for name in names)


def test_prune_forgets_what_ended_long_ago_and_nothing_else(runner):
    (runner.folder / "hold").touch()
    LocalCommands(runner.store).ensure_run(runner.counted("running"))
    waited(runner.executions, "the start")
    runner.finish(runner.command("true", "ended"))
    assert LocalCommands(runner.store).prune(older_than=3600.0) == 0
    assert LocalCommands(runner.store, clock=lambda: time.time() + 3601.0).prune(older_than=3600.0) == 1
    assert [path.name for path in runner.store.iterdir()] == [name_of("running")]
    (runner.folder / "hold").unlink()
    assert runner.finish(runner.counted("running")).status == 0
    assert len(runner.executions()) == 1
