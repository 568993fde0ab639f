"""This machine, observed by trying."""

import json
import os
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from fairway.adapters.machine.addresses import observe_address
from fairway.adapters.machine.folders import observe_folder
from fairway.domain.errors import FairwayError
from fairway.ports.machine import Address, FolderState, Program, Runtime

_PATIENCE = 5.0  # seconds for a program that only says its version

# Enough for Envoy to load its libraries and to read and check a configuration. It binds nothing.
_SMALLEST_BOOTSTRAP = {
    "admin": {"address": {"pipe": {"path": "admin.sock"}}},
    "static_resources": {"listeners": [], "clusters": []},
}


class LocalMachine:
    """The machine that Fairway runs on.

    Args:
        find_proxy: the path of the Envoy program; raises a `FairwayError` if there is none.
    """

    def __init__(self, find_proxy: Callable[[], Path]) -> None:
        self._find_proxy = find_proxy

    def observe_runtime(self) -> Runtime:
        """What Fairway itself runs on."""
        soft, hard = (_limit(value) for value in resource.getrlimit(resource.RLIMIT_NOFILE))
        version = sys.version_info
        sqlite = sqlite3.sqlite_version_info
        return Runtime((version.major, version.minor, version.micro), sqlite, soft, hard, time.time())

    def observe_git(self) -> Program:
        """Whether git runs."""
        path = shutil.which("git")
        if path is None:
            return Program("", "", f"not found on the PATH ({os.environ.get('PATH', '')})")
        output, problem = _try([path, "--version"])
        version = re.search(r"\d+(\.\d+)+", output)
        return Program(path, version[0] if version else "", problem)

    def observe_proxy(self) -> Program:
        """Whether the proxy runs and accepts a small configuration."""
        try:
            path = str(self._find_proxy())
        except FairwayError as error:
            return Program("", "", error.message)
        output, problem = _try([path, "--version"])
        version = re.search(r"/(\d+\.\d+\.\d+[^/]*)/", output)
        if problem is None:
            problem = _validate(path)
        return Program(path, version[1] if version else "", problem)

    def observe_address(self, host: str, port: int) -> Address:
        """Whether one can listen there, and who does."""
        return observe_address(host, port)

    def observe_folder(self, folder: str) -> FolderState:
        """The folder, after trying to write a file there."""
        return observe_folder(Path(folder))


def _validate(envoy: str) -> str | None:
    with tempfile.TemporaryDirectory(prefix="fairway-doctor-") as folder:
        Path(folder, "bootstrap.json").write_text(json.dumps(_SMALLEST_BOOTSTRAP))
        # Without hot restart no shared memory is left behind.
        arguments = ["--mode", "validate", "-c", "bootstrap.json", "--disable-hot-restart", "-l", "error"]
        return _try([envoy, *arguments], folder=folder)[1]


def _try(words: list[str], folder: str | None = None) -> tuple[str, str | None]:
    """What the program wrote, and what went wrong; None if nothing did."""
    try:
        done = subprocess.run(
            words,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "", f"{words[0]!r} gave no answer within {_PATIENCE:g} s"
    except OSError as error:
        return "", f"{words[0]!r} cannot be started: {error.strerror}"
    if done.returncode == 0:
        return done.stdout, None
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return done.stdout, f"{words[0]!r} ended with status {done.returncode}" + (f": {said[-1][:300]}" if said else "")


def _limit(value: int) -> int | None:
    return None if value == resource.RLIM_INFINITY else value
