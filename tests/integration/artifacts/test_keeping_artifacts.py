"""Artifacts that were built elsewhere, and which ones are kept."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from artifact_world import FILES

from fairway.domain.errors import PermanentError, UserError


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
