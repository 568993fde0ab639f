"""Builds on a real disk, and what ends them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fairway.adapters.artifacts.local.store import LocalArtifacts
from fairway.domain.errors import PermanentError, UserError


def wait_for(condition, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class TestBuilding:
    def test_a_virtual_environment_works_where_it_was_built(self, world):
        artifact = world.build("python3 -m venv --without-pip .venv", ".venv/bin/python -c 'print(\"inside\")'")
        assert "inside" in world.lines
        python = Path(artifact.location) / ".venv/bin/python"
        found = subprocess.run(
            [python, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=True
        )
        assert found.stdout.strip() == f"{artifact.location}/.venv"
        assert world.store.verify(artifact.digest) is None

    def test_steps_see_little_of_the_environment_and_nothing_of_fairways_own(self, world, monkeypatch):
        monkeypatch.setenv("DATABASE_PASSWORD", "secret")
        monkeypatch.setenv("VIRTUAL_ENV", "/some/venv")
        monkeypatch.setenv("PATH", f"/some/venv/bin:{Path(sys.prefix) / 'bin'}:{os.environ['PATH']}")
        monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
        world.build("env")
        seen = dict(line.split("=", 1) for line in world.lines if "=" in line)
        assert "secret" not in seen.values()
        assert "VIRTUAL_ENV" not in seen
        assert not {"/some/venv/bin", str(Path(sys.prefix) / "bin")} & set(seen["PATH"].split(":"))
        assert seen["HOME"] == os.environ["HOME"]
        assert seen["HTTPS_PROXY"] == "http://proxy:3128"

    def test_steps_know_their_commit_and_take_no_other_one_from_a_repository_around_the_store(self, world):
        store = LocalArtifacts(world.history.folder / "inside", "shop", world.source)
        commit = world.source.resolve("1.0.0")
        step = "sh -c 'echo $FAIRWAY_VERSION of $FAIRWAY_COMMIT; git rev-parse HEAD || echo no repository'"
        store.build(commit, (step,), timeout=120, log=world.lines.append)
        assert f"1.0.0 of {commit.id}" in world.lines
        assert "no repository" in world.lines
        store.prune(keep=())

    def test_no_shell_runs_unless_it_is_asked_for(self, world):
        world.build("echo $HOME * ; true", "sh -c 'echo $((1+1))'")
        assert "$HOME * ; true" in world.lines
        assert "2" in world.lines

    def test_those_who_serve_users_come_before_a_build(self, world):
        world.build("sh -c 'until [ $(nice) = 10 ]; do :; done; nice'", timeout=60)
        assert "10" in world.lines
        if Path("/proc/self/autogroup").exists():
            world.build("sh -c 'until grep -q \"nice 10\" /proc/self/autogroup; do :; done; echo behind'", timeout=60)
            assert "behind" in world.lines

    def test_a_question_gets_no_answer_and_ends(self, world):
        ours, silent = os.dup(0), os.pipe()
        os.dup2(silent[0], 0)
        try:
            world.build("cat", "sh -c 'test -t 0 || echo no terminal'", timeout=60)
        finally:
            os.dup2(ours, 0)
            for descriptor in (ours, *silent):
                os.close(descriptor)
        assert "no terminal" in world.lines

    @pytest.mark.parametrize("step", ["echo 'open", "", "   "])
    def test_a_step_that_cannot_be_split_is_wrong_input(self, world, step):
        with pytest.raises(UserError, match="build step"):
            world.build(step)

    def test_a_program_that_is_not_there_is_named(self, world):
        with pytest.raises(PermanentError, match="no-such-program"):
            world.build("no-such-program --help")
        assert world.contents() == []

    def test_a_failure_says_how_it_ended_and_where_the_output_is(self, world):
        with pytest.raises(PermanentError) as failure:
            world.build("sh -c 'seq 1 100; echo to stderr >&2; exit 7'")
        assert "exit status 7" in failure.value.message
        assert "to stderr" in failure.value.message
        assert "\n  82\n" in failure.value.message
        assert "\n  81\n" not in failure.value.message
        log = Path(failure.value.hint.split('"')[1])
        assert log.read_text().splitlines()[1] == "1"
        assert world.contents() == []

    def test_a_step_ended_by_a_signal_says_which(self, world):
        with pytest.raises(PermanentError, match="SIGSEGV"):
            world.build("sh -c 'kill -SEGV $$'")

    def test_a_step_that_hangs_is_ended_with_all_its_children(self, world):
        pids = world.folder / "pids"
        with pytest.raises(PermanentError, match="still running"):
            world.build(
                f"sh -c 'trap \"\" TERM; sleep 1000 & setsid sleep 1000 & echo $$ $! > {pids}; wait'", timeout=0.5
            )
        assert not any(is_alive(int(pid)) for pid in pids.read_text().split())

    def test_what_a_step_leaves_in_the_background_cannot_write_later(self, world):
        pid = world.folder / "pid"
        started = time.monotonic()
        world.build(f"sh -c 'setsid sleep 1000 & echo $! > {pid}'")
        assert time.monotonic() - started < 60
        assert not is_alive(int(pid.read_text()))

    def test_a_flood_of_output_is_bounded(self, world):
        world.build("sh -c 'yes a line of some length | head -c 300000000; echo; echo the end'")
        log = world.store.list_artifacts()[0].log
        assert Path(log).stat().st_size < 60 << 20
        assert Path(log).read_text().endswith("the end\n")
        assert "bytes left out" in Path(log).read_text()[-70_000:]
        assert len(world.lines) < 300_000

    def test_a_line_without_end_is_passed_on_in_pieces(self, world):
        world.build("sh -c 'head -c 1000000 /dev/zero | tr \"\\0\" x'")
        pieces = [line for line in world.lines if line.startswith("xx")]
        assert sum(len(piece) for piece in pieces) == 1_000_000
        assert max(len(piece) for piece in pieces) <= 8192

    def test_of_a_progress_bar_the_last_state_is_passed_on(self, world):
        world.build(r"printf '10%%\r50%%\r100%%\r\n'")
        assert "100%" in world.lines

    def test_a_build_whose_controller_was_killed_begins_again(self, world):
        started, go = world.folder / "started", world.folder / "go"
        begin_and_hang = f"touch half; echo $$ > {started}; exec sleep 1000"
        look_and_finish = f"readlink /proc/$(cat {started})/cwd && touch met-a-stranger; touch whole"
        step = f"sh -c 'if test -e {go}; then {look_and_finish}; else {begin_and_hang}; fi'"
        script = (
            "import sys; from pathlib import Path\n"
            "from fairway.adapters.artifacts.local.store import LocalArtifacts\n"
            "from fairway.adapters.sources.git import GitSource\n"
            f"source = GitSource(Path({str(world.history.folder)!r}))\n"
            f"store = LocalArtifacts(Path({str(world.folder / 'artifacts')!r}), 'shop', source)\n"
            f"store.build(source.resolve('1.0.0'), ({step!r},), timeout=120, log=print)\n"
        )
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.DEVNULL) as controller:
            wait_for(lambda: started.exists() and started.read_text().endswith("\n"))
            controller.send_signal(signal.SIGKILL)
        orphan = int(started.read_text())
        assert is_alive(orphan)
        go.touch()
        artifact = world.build(step)
        assert not is_alive(orphan)
        assert {path.name for path in Path(artifact.location).iterdir()} == {"app.py", "lib", "whole"}

    def test_a_failing_receiver_of_lines_ends_the_build_cleanly(self, world):
        def receive(line):
            if line == "stop":
                raise RuntimeError("receiver")

        with pytest.raises(RuntimeError, match="receiver"):
            world.store.build(
                world.source.resolve("1.0.0"), ("sh -c 'echo stop; sleep 1000'",), timeout=120, log=receive
            )
        assert world.contents() == []

    def test_a_real_version_replaces_the_twelve_digits(self, world):
        commit = world.history.commit({"app.py": "2"})
        first = world.build(release=commit)
        assert first.version == commit[:12]
        world.history.git("tag", "v2.0.0")
        assert world.build(release="2.0.0").version == "2.0.0"
        assert world.build(release=commit).version == "2.0.0"
        assert world.store.find(first.digest).version == "2.0.0"
