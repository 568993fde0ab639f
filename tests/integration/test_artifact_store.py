"""Artifacts on a real disk: builds, what ends them, and every kind of alteration."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fairway.adapters.artifacts.local.store import LocalArtifacts
from fairway.adapters.sources.git import GitSource
from fairway.domain.errors import PermanentError, UserError
from git_history import History

FILES = {"app.py": "print('hello')\n", "lib/code.py": "x = 1\n", "lib/data.bin": bytes(range(256)) * 40}


class World:
    """A repository with one release, and a store for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.history = History(folder / "repository")
        self.history.commit(FILES, tag="v1.0.0")
        self.source = GitSource(self.history.folder)
        self.store = LocalArtifacts(folder / "artifacts", "shop", self.source, clock=lambda: 1000.0)
        self.lines: list[str] = []

    def build(self, *steps: str, release: str = "1.0.0", timeout: float = 30.0):
        return self.store.build(self.source.resolve(release), steps, timeout=timeout, log=self.lines.append)

    def contents(self) -> list[Path]:
        """Folders of artifacts, finished or not."""
        return [path for path in (self.folder / "artifacts/shop").glob("*") if path.name != ".store"]


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.store.prune(keep=())
    assert world.contents() == []


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


def _content(folder, name="lib/code.py"):
    path = folder / name
    path.chmod(0o644)
    path.write_bytes(b"x = 2\n" if name.endswith("py") else b"")


def _content_with_time_put_back(folder):
    path = folder / "lib/code.py"
    before = path.stat()
    path.chmod(0o644)
    path.write_text("x = 2\n")
    path.chmod(before.st_mode)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def _replaced_by_link(folder):
    (folder / "lib").chmod(0o755)
    (folder / "lib/code.py").unlink()
    (folder / "lib/code.py").symlink_to("/etc/hostname")


def _other_link(folder):
    folder.chmod(0o755)
    (folder / "link").unlink()
    (folder / "link").symlink_to("lib")


def _added(folder, name):
    path = folder / name
    for parent in (folder, folder / "lib"):
        parent.chmod(0o755)
    path.parent.mkdir(exist_ok=True)
    path.write_text("")


def _removed(folder, name):
    for parent in (folder, folder / "lib"):
        parent.chmod(0o755)
    path = folder / name
    path.rmdir() if path.is_dir() else path.unlink()


ALTERATIONS = {
    "content": (_content, '"lib/code.py" was altered'),
    "content of the same size, time put back": (_content_with_time_put_back, '"lib/code.py" was altered'),
    "shorter": (lambda folder: _content(folder, "lib/data.bin"), "10240 bytes, now 0"),
    "executable bit": (lambda folder: (folder / "app.py").chmod(0o555), '"app.py" became executable'),
    "file replaced by a link": (_replaced_by_link, "was a file and is a link"),
    "link pointed elsewhere": (_other_link, 'pointed to "app.py" and points to "lib"'),
    "file added": (lambda folder: _added(folder, "lib/evil.py"), '"lib/evil.py" was added'),
    "compiled code added": (lambda folder: _added(folder, "lib/__pycache__/x.pyc"), '"lib/__pycache__" was added'),
    "file removed": (lambda folder: _removed(folder, "lib/code.py"), '"lib/code.py" is missing'),
    "empty folder removed": (lambda folder: _removed(folder, "empty"), '"empty" is missing'),
    "all removed": (lambda folder: (folder.chmod(0o755), shutil.move(folder, f"{folder}.aside")), "cannot be read"),
}


class TestSealing:
    def test_everything_is_read_only(self, world):
        folder = Path(world.build("mkdir empty").location)
        writable = [path for path in [folder, *folder.rglob("*")] if path.stat().st_mode & 0o222]
        assert writable == []

    @pytest.mark.parametrize("name", ALTERATIONS)
    @pytest.mark.parametrize("thorough", [False, True])
    def test_each_alteration_is_found_and_named(self, world, name, thorough):
        artifact = world.build("mkdir empty", "ln -s app.py link")
        assert world.store.verify(artifact.digest, thorough=thorough) is None
        alter, sentence = ALTERATIONS[name]
        alter(Path(artifact.location))
        problem = world.store.verify(artifact.digest, thorough=thorough)
        assert problem is not None
        assert sentence in problem
        assert "\n" not in problem

    def test_a_touched_file_is_read_again_once_and_found_unaltered(self, world):
        artifact = world.build()
        manifest = next((world.folder / "artifacts/shop/.store").glob("*.manifest"))
        sealed = manifest.read_text()
        os.utime(Path(artifact.location) / "app.py")
        assert world.store.verify(artifact.digest) is None
        refreshed = manifest.read_text()
        assert refreshed != sealed
        assert world.store.verify(artifact.digest) is None
        assert manifest.read_text() == refreshed

    def test_a_thorough_look_trusts_no_stamp(self, world):
        artifact = world.build()
        path = Path(artifact.location) / "lib/code.py"
        _content(Path(artifact.location))
        status = path.stat()
        manifest = next((world.folder / "artifacts/shop/.store").glob("*.manifest"))
        rows = [json.loads(line) for line in manifest.read_text().splitlines()]
        for row in rows:
            if row[0] == "lib/code.py":
                row[5] = [status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_mode, status.st_size]
        manifest.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        assert world.store.verify(artifact.digest) is None
        assert "lib/code.py" in world.store.verify(artifact.digest, thorough=True)

    @pytest.mark.parametrize("text", ["", "nonsense", "[]\n", '["a", "file", false, 1, "", null]\n'])
    def test_a_manifest_that_was_tampered_with_is_found(self, world, text):
        artifact = world.build()
        next((world.folder / "artifacts/shop/.store").glob("*.manifest")).write_text(text)
        assert world.store.verify(artifact.digest).endswith("its manifest was altered")

    def test_a_manifest_altered_together_with_the_content_is_found(self, world):
        artifact = world.build()
        path = Path(artifact.location) / "lib/code.py"
        before = hashlib.sha256(path.read_bytes()).hexdigest()
        _content(Path(artifact.location))
        manifest = next((world.folder / "artifacts/shop/.store").glob("*.manifest"))
        after = hashlib.sha256(path.read_bytes()).hexdigest()
        manifest.write_text(manifest.read_text().replace(before, after))
        assert world.store.verify(artifact.digest).endswith("its manifest was altered")

    def test_an_altered_artifact_can_be_discarded_and_is_built_anew(self, world):
        artifact = world.build()
        _content(Path(artifact.location))
        with pytest.raises(PermanentError, match=r'"lib/code\.py" was altered') as refusal:
            world.build()
        assert ".json" in refusal.value.hint
        assert world.store.discard(artifact.digest)
        assert not world.store.discard(artifact.digest)
        assert world.build().digest == artifact.digest

    def test_a_file_shared_with_a_cache_is_sealed_on_its_own(self, world):
        cached = world.folder / "cached"
        cached.write_text("good")
        cached.chmod(0o644)
        artifact = world.build(f"ln {cached} linked")
        assert cached.stat().st_mode & 0o777 == 0o644
        cached.write_text("evil")
        assert (Path(artifact.location) / "linked").read_text() == "good"
        assert world.store.verify(artifact.digest) is None

    def test_a_pipe_cannot_be_sealed(self, world):
        with pytest.raises(PermanentError, match='"pipe"'):
            world.build("mkfifo pipe")
        assert world.contents() == []

    def test_names_of_any_bytes_are_sealed(self, world):
        artifact = world.build(r"""sh -c 'touch "$(printf "\351\n\t")" "  "'""")
        assert world.store.verify(artifact.digest, thorough=True) is None
        strange = next(path for path in Path(artifact.location).iterdir() if "\udce9" in path.name)
        strange.chmod(0o755)
        assert "\\udce9" in world.store.verify(artifact.digest)


class TestAdopting:
    @pytest.fixture
    def elsewhere(self, tmp_path):
        folder = tmp_path / "elsewhere"
        (folder / "bin").mkdir(parents=True)
        (folder / "bin/run").write_text("#!/bin/sh\n")
        (folder / "bin/run").chmod(0o755)
        (folder / "link").symlink_to("./bin//run")
        (folder / "empty").mkdir()
        return folder

    def test_a_copy_is_kept_and_the_original_left_alone(self, world, elsewhere):
        artifact = world.store.adopt(str(elsewhere), version="3.0.0")
        kept = Path(artifact.location)
        assert (kept / "bin/run").stat().st_mode & 0o777 == 0o555
        assert os.readlink(kept / "link") == "./bin//run"  # noqa: PTH115 - exact text
        assert (kept / "empty").is_dir()
        assert (elsewhere / "bin/run").stat().st_mode & 0o777 == 0o755
        (elsewhere / "bin/run").write_text("changed")
        assert world.store.verify(artifact.digest, thorough=True) is None

    @pytest.mark.parametrize(
        "change",
        [
            lambda folder: (folder / "bin/run").chmod(0o644),
            lambda folder: (folder / "empty").rmdir(),
            lambda folder: (folder / "bin/run").rename(folder / "bin/ran"),
            lambda folder: (folder / "bin/run").write_text("#!/bin/sk\n"),
            lambda folder: ((folder / "link").unlink(), (folder / "link").symlink_to("./bin/run")),
            lambda folder: ((folder / "link").unlink(), (folder / "link").write_text("./bin//run")),
        ],
        ids=["executable", "empty folder", "name", "content", "link text", "link or file"],
    )
    def test_the_digest_depends_on_content_only_and_on_all_of_it(self, world, elsewhere, tmp_path, change):
        first = world.store.adopt(str(elsewhere), version="3.0.0").digest
        other = tmp_path / "other place"
        shutil.copytree(elsewhere, other, symlinks=True, copy_function=shutil.copy)
        os.utime(other / "bin/run", (1, 1))
        (other / "empty").chmod(0o700)
        assert world.store.adopt(str(other), version="3.0.0").digest == first
        change(other)
        assert world.store.adopt(str(other), version="3.0.0").digest != first

    def test_a_folder_that_holds_the_store_is_refused(self, world):
        world.build()
        with pytest.raises(UserError, match="holds the store"):
            world.store.adopt(str(world.folder), version="1.0.0")


class TestKeeping:
    def test_the_list_says_what_there_is(self, world):
        artifact = world.build()
        (kept,) = world.store.list_artifacts()
        assert (kept.artifact, kept.sealed, kept.files) == (artifact, 1000.0, 3)
        assert kept.size == sum(len(content) for content in FILES.values())

    def test_pruning_keeps_what_is_named_and_removes_what_interrupted_builds_left(self, world):
        keep, drop = world.build(), world.build("touch extra")
        half = world.folder / "artifacts/shop/0123456789ab-01234567"
        half.mkdir()
        (half / "file").write_text("")
        assert world.store.prune(keep={keep.digest}) == (drop.digest,)
        assert world.contents() == [Path(keep.location)]
        assert world.store.verify(keep.digest) is None
        assert world.store.find(drop.digest) is None

    def test_a_record_that_cannot_be_read_is_named(self, world):
        world.build()
        record = next((world.folder / "artifacts/shop/.store").glob("*.json"))
        text = record.read_text()
        record.write_text("{")
        with pytest.raises(PermanentError, match=record.name):
            world.build()
        record.write_text(text)

    def test_a_full_disk_is_no_verdict_and_leaves_nothing_half_done(self, world):
        small, elsewhere = world.folder / "small", world.folder / "elsewhere"
        for folder in (small, elsewhere):
            folder.mkdir()
        (elsewhere / "big").write_bytes(os.urandom(4 << 20))
        world.history.commit({"big": os.urandom(4 << 20)}, tag="big")
        world.history.commit({"app": "1"}, tag="small")
        script = Path(__file__).with_name("disk_full.py")
        command = [sys.executable, str(script), str(world.history.folder), str(small), str(elsewhere)]
        answers = _with_little_room(command, small)
        left = [answers.pop(f"{name} left") for name in ("export", "step", "adopt")]
        assert left == [[], [], []]
        assert answers.pop("small left") != []
        said = [answers.pop(f"{name} says") for name in ("export", "step", "adopt")]
        assert "build step 1 of 1 (dd " in said[1]
        # A step reports a full disk in its own words; the kind is ours to find out.
        assert answers.pop("step") == ("TransientError" if _can_mount(small) else "PermanentError")
        assert answers == {"export": "TransientError", "adopt": "TransientError", "small": "done"}


def _with_little_room(command: list[str], folder: Path) -> dict[str, object]:
    """Runs the command where the folder is a file system of 2 MB; files may have 2 MB where none can be mounted."""
    if _can_mount(folder):
        command = [*_MOUNTING, str(folder), *command]
    else:
        command = ["sh", "-c", 'ulimit -f 4096 && exec "$@"', "sh", *command]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


_MOUNTING = [
    *("unshare", "--user", "--map-root-user", "--mount"),
    *("sh", "-c", 'mount -t tmpfs -o size=2m tmpfs "$0" && exec "$@"'),
]


def _can_mount(folder: Path) -> bool:
    return subprocess.run([*_MOUNTING, str(folder), "true"], check=False, capture_output=True).returncode == 0
