"""Artifacts on a real disk, and every kind of alteration."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

from fairway.domain.errors import PermanentError


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
