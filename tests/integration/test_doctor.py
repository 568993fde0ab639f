"""`fairway doctor` on a real machine; only what cannot be brought about is pretended."""

import dataclasses
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from fairway.adapters.machine import LocalMachine, local
from fairway.adapters.routers.envoy import binary
from fairway.adapters.routers.envoy.binary import find_envoy
from fairway.bootstrap import this_machine
from fairway.domain.errors import PermanentError
from fairway.domain.rollout.revision import RunSpec
from fairway.domain.rollout.spec import Adapter, EnvironmentSpec, ServiceSpec
from fairway.usecases.doctor import Finding, examine, worst

GIB = 1 << 30


@pytest.fixture
def machine():
    return LocalMachine(find_envoy)


@pytest.fixture
def state(tmp_path) -> Path:
    folder = tmp_path / ".fairway"
    folder.mkdir(mode=0o700)
    return folder


def service(*listens: str, folder="/", **more) -> ServiceSpec:
    environments = tuple(
        EnvironmentSpec(f"env{number}", RunSpec("x"), Adapter("local"), Adapter("envoy", (("listen", listen),)))
        for number, listen in enumerate(listens)
    )
    return ServiceSpec("shop", folder, environments, **more)


def named(findings: tuple[Finding, ...], name: str) -> Finding:
    (found,) = [finding for finding in findings if finding.name == name]
    return found


class Pretended:
    """A machine that differs from this one in some observations."""

    def __init__(self, machine, **observations):
        self._machine = machine
        self._observations = observations

    def __getattr__(self, name):
        observe = getattr(self._machine, name)
        changes = self._observations.get(name)
        return observe if changes is None else lambda *given: dataclasses.replace(observe(*given), **changes)


def test_this_machine_can_deploy_and_is_told_so(machine, state):
    findings = examine(machine, state=str(state))
    assert [finding for finding in findings if finding.status == "failed"] == []
    assert [finding.name for finding in findings] == [
        *("python", "git", "envoy", "state folder", "file system", "disk", "sqlite", "open files", "clock")
    ]
    assert all(finding.hint for finding in findings if finding.status != "ok")


def test_the_real_envoy_is_started_and_leaves_no_file_behind(machine, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    proxy = machine.observe_proxy()
    assert proxy.problem is None
    assert proxy.version.startswith("1.")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_envoy_fails_with_its_reason(state):
    def nowhere() -> Path:
        raise PermanentError("envoy-missing", "the package is not installed")

    found = named(examine(LocalMachine(nowhere), state=str(state)), "envoy")
    assert found.status == "failed"
    assert "the package is not installed" in found.sentence


def test_an_envoy_that_is_too_old_fails_with_the_release_that_is_wanted(state, tmp_path, monkeypatch):
    program = tmp_path / "envoy"
    program.write_text("#!/bin/sh\necho 'envoy  version: 9e55/1.12.0/Clean/RELEASE/BoringSSL'\n")
    program.chmod(0o755)
    monkeypatch.setattr(binary, "find_envoy", lambda: program)
    found = named(examine(this_machine(), state=str(state)), "envoy")
    assert found.status == "failed"
    assert "is Envoy 1.12; 1.40 or later is wanted" in found.sentence


def test_an_envoy_that_refuses_the_configuration_fails(state, tmp_path):
    program = tmp_path / "envoy"
    program.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "v: x/1.2.3/y" && exit 0\necho no such extension >&2\nexit 1\n'
    )
    program.chmod(0o755)
    found = named(examine(LocalMachine(lambda: program), state=str(state)), "envoy")
    assert found.status == "failed"
    assert "ended with status 1: no such extension" in found.sentence


def test_a_program_that_cannot_be_started_fails(state, tmp_path):
    program = tmp_path / "envoy"
    program.write_text("neither a script nor a program")
    program.chmod(0o644)
    assert "Permission denied" in named(examine(LocalMachine(lambda: program), state=str(state)), "envoy").sentence


def test_a_missing_git_fails(machine, state, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = named(examine(machine, state=str(state)), "git")
    assert (found.status, found.hint) == ("failed", "install git")


def test_a_program_that_hangs_is_not_waited_for(machine, monkeypatch, tmp_path):
    git = tmp_path / "git"
    git.write_text("#!/bin/sh\nexec sleep 120\n")
    git.chmod(0o755)
    monkeypatch.setattr(local, "_PATIENCE", 0.2)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert machine.observe_git().problem == f"'{git}' gave no answer within 0.2 s"


def test_a_free_address_is_ok_and_a_taken_one_names_who_has_it(machine, state):
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as other:
        taken, freed = server.getsockname()[1], other.getsockname()[1]
        other.close()
        findings = examine(machine, state=str(state), service=service(f"127.0.0.1:{taken}", f"127.0.0.1:{freed}"))
    found = named(findings, "address env0")
    assert found.status == "failed"
    assert f"process {os.getpid()} (" in found.sentence
    assert named(findings, "address env1") == Finding("address env1", "ok", f"127.0.0.1:{freed} is free")


def test_an_address_held_by_a_process_that_works_in_the_state_folder_is_ours(machine, state):
    (state / "envoy").mkdir()
    program = """
import socket, sys
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=state / "envoy", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        listen = f"127.0.0.1:{process.stdout.readline().strip()}"
        found = named(examine(machine, state=str(state), service=service(listen)), "address env0")
        stranger = named(examine(machine, state=str(state) + "-other", service=service(listen)), "address env0")
        process.communicate()
    assert found == Finding("address env0", "ok", f"{listen} is served by Fairway's own proxy, process {process.pid}")
    assert stranger.status == "failed"


def test_an_address_of_another_machine_fails(machine, state):
    found = named(examine(machine, state=str(state), service=service("192.0.2.1:8000")), "address env0")
    assert found.status == "failed"
    assert "Cannot assign requested address" in found.sentence


def test_a_state_folder_that_others_may_read_is_a_warning(machine, state):
    state.chmod(0o755)
    found = named(examine(machine, state=str(state)), "state folder")
    assert (found.status, found.hint) == ("warning", f"chmod 700 {state}")
    assert "0755" in found.sentence


def test_a_state_folder_that_does_not_exist_is_not_made(machine, tmp_path):
    found = named(examine(machine, state=str(tmp_path / "a" / ".fairway")), "state folder")
    assert found.status == "ok"
    assert "does not exist yet" in found.sentence
    assert list(tmp_path.iterdir()) == []


def test_a_state_folder_that_cannot_be_written_fails(machine):
    # Not even root can make a file there.
    found = named(examine(machine, state="/proc/self"), "state folder")
    assert found.status == "failed"
    assert "nothing can be written" in found.sentence


def test_a_file_in_place_of_the_state_folder_fails(machine, tmp_path):
    (tmp_path / ".fairway").write_text("")
    assert "is not a folder" in named(examine(machine, state=str(tmp_path / ".fairway")), "state folder").sentence


def test_examining_leaves_the_state_folder_as_it_was(machine, state):
    (state / "kept").write_text("x")
    examine(machine, state=str(state))
    assert [entry.name for entry in state.iterdir()] == ["kept"]


def test_shared_memory_is_recognised_as_a_file_system_that_forgets(machine):
    assert machine.observe_folder("/dev/shm").file_system == "tmpfs"


@pytest.mark.parametrize(
    ("kind", "status"), [("nfs4", "failed"), ("cifs", "failed"), ("tmpfs", "warning"), ("ext4", "ok")]
)
def test_the_file_system_must_be_local_and_lasting(machine, state, kind, status):
    pretended = Pretended(machine, observe_folder={"file_system": kind})
    assert named(examine(pretended, state=str(state)), "file system").status == status


@pytest.mark.parametrize(
    ("free", "share", "status"),
    [
        (50 << 20, 0.5, "failed"),
        (GIB // 2, 0.5, "warning"),
        (5 * GIB, 0.01, "warning"),
        (50 * GIB, 0.01, "ok"),
        (5 * GIB, 0.5, "ok"),
    ],
)
def test_disk_space_is_judged_by_what_is_left(machine, state, free, share, status):
    pretended = Pretended(machine, observe_folder={"free_bytes": free, "free_share": share})
    assert named(examine(pretended, state=str(state)), "disk").status == status


def test_the_disk_is_measured(machine, state):
    seen, real = machine.observe_folder(str(state)), os.statvfs(state)
    assert seen.free_bytes == pytest.approx(real.f_bavail * real.f_frsize, rel=0.05)


@pytest.mark.parametrize(
    ("version", "status"), [((3, 40, 1), "warning"), ((3, 51, 2), "warning"), ((3, 51, 3), "ok"), ((3, 53, 0), "ok")]
)
def test_a_sqlite_with_the_fault_in_its_log_is_a_warning(machine, state, version, status):
    pretended = Pretended(machine, observe_runtime={"sqlite": version})
    assert named(examine(pretended, state=str(state)), "sqlite").status == status


def test_the_version_of_sqlite_does_not_matter_where_the_journal_is_in_postgresql(machine, state):
    pretended = Pretended(machine, observe_runtime={"sqlite": (3, 40, 1)})
    spec = service(database="postgresql://localhost/x")
    assert named(examine(pretended, state=str(state), service=spec), "sqlite").status == "ok"


@pytest.mark.parametrize(
    ("soft", "hard", "status", "hint"),
    [
        (1024, None, "warning", "ulimit"),
        (1024, 2048, "warning", "limits.conf"),
        (4096, 4096, "ok", ""),
        (None, None, "ok", ""),
    ],
)
def test_few_open_files_are_a_warning_with_the_way_to_more(machine, state, soft, hard, status, hint):
    pretended = Pretended(machine, observe_runtime={"open_files": soft, "open_files_most": hard})
    found = named(examine(pretended, state=str(state)), "open files")
    assert found.status == status
    assert hint in found.hint


def test_the_limit_of_open_files_is_this_process_s_own(machine):
    limit = subprocess.run(["sh", "-c", "ulimit -n"], capture_output=True, text=True, check=True).stdout.strip()
    assert machine.observe_runtime().open_files == (None if limit == "unlimited" else int(limit))


def test_a_clock_behind_the_files_is_a_warning(machine, state):
    (state / "journal").write_text("x")
    assert named(examine(machine, state=str(state)), "clock").status == "ok"
    os.utime(state / "journal", (time.time() + 3600,) * 2)
    found = named(examine(machine, state=str(state)), "clock")
    assert found.status == "warning"
    assert "s behind" in found.sentence


def test_an_old_python_fails_and_an_old_git_is_a_warning(machine, state):
    pretended = Pretended(machine, observe_runtime={"python": (3, 10, 9)}, observe_git={"version": "2.17.1"})
    findings = examine(pretended, state=str(state))
    assert named(findings, "python").status == "failed"
    assert named(findings, "git").status == "warning"
    assert worst(findings) == "failed"


def test_processes_that_nobody_keeps_are_named_with_what_to_do(machine, state):
    assert not [one for one in examine(machine, state=str(state)) if one.name == "processes"]
    found = named(examine(machine, state=str(state), strays=("12 (i.a.b.c)", "34 (controller)")), "processes")
    assert found.status == "warning"
    assert "12 (i.a.b.c), 34 (controller)" in found.sentence
    assert "fairway up" in found.hint
