"""A real docker for tests: Debian's daemon and client, with all that they keep in a folder. It needs root."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from debian_programs import unpacked

_PACKAGES = ("docker.io", "containerd", "runc", "libdevmapper1.02.1")


@contextlib.contextmanager
def docker_daemon() -> Iterator[dict[str, str]]:
    """A running daemon that makes no network; gives the variables by which its client finds it, and the client."""
    assert os.geteuid() == 0, "docker's daemon needs root"
    place = unpacked("docker", *_PACKAGES)
    libraries = ":".join(str(path) for path in place.glob("usr/lib/*-linux-gnu"))
    # A short name: those of sockets may have 107 characters only.
    folder = Path(tempfile.mkdtemp(prefix="fairway-docker-", dir="/tmp"))
    variables = {
        "PATH": f"{place}/usr/bin:{place}/usr/sbin:{os.environ['PATH']}",
        "LD_LIBRARY_PATH": libraries,
        "DOCKER_HOST": f"unix://{folder}/socket",
    }
    options = ["--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs"]
    options += ["--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid"]
    with (folder / "log").open("wb") as log:
        daemon = subprocess.Popen(
            [f"{place}/usr/sbin/dockerd", *options, "--host", variables["DOCKER_HOST"]],
            env={**os.environ, **variables, "HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _await_answer(daemon, variables, folder / "log")
        yield variables
    finally:
        daemon.terminate()
        daemon.wait(timeout=120)
        shutil.rmtree(folder, ignore_errors=True)


def _await_answer(daemon: "subprocess.Popen[bytes]", variables: dict[str, str], log: Path) -> None:
    deadline = time.monotonic() + 180
    known = {**os.environ, **variables, "HOME": str(log.parent)}
    while daemon.poll() is None and time.monotonic() < deadline:
        asked = subprocess.run(["docker", "version"], env=known, capture_output=True, timeout=120, check=False)
        if asked.returncode == 0:
            return
        time.sleep(0.2)
    raise AssertionError(f"docker's daemon does not answer: {log.read_text()[-2000:]}")
