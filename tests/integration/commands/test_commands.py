"""Commands of real processes: what they see, what is kept of them, and what is refused."""

import os
import sys
import time
from pathlib import Path

import pytest
from command_runner import is_alive, waited

from fairway.adapters.commands import LocalCommands
from fairway.adapters.commands.client import name_of
from fairway.adapters.commands.output import LIMIT
from fairway.domain.errors import PermanentError, TransientError
from fairway.ports.checks import Command, CommandResult

STUBBORN = """#!/bin/sh
trap '' TERM
sleep 60 & echo $! >> pids
(sleep 61 & echo $! >> pids)
echo $$ >> pids
echo waiting
wait
"""


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
