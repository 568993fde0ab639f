"""A repository with a service, handled through the command line only, as a user would."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ready_commands import ReadyCommands

from fairway.adapters.load.process import Load
from fairway.bootstrap import CONFIG_NAME, open_reader
from fairway.usecases.status import Question
from free_ports import free_port

__all__ = ["FAIRWAY", "READY", "Answer", "Workshop", "await_load", "free_port", "run_fairway", "workshop"]

FAIRWAY = str(Path(sys.executable).with_name("fairway"))
READY = ReadyCommands()
_GIT = ("git", "-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The object on stdout."""
        return json.loads(self.out)


def run_fairway(arguments: Sequence[str], folder: Path, variables: Mapping[str, str], timeout: float = 300) -> Answer:
    """One command to its end, with further environment variables."""
    whole = os.environ | variables
    try:
        if READY.can_run(variables):
            done = READY.run([*arguments], folder=folder, variables=whole, timeout=timeout)
        else:
            command = [FAIRWAY, *arguments]
            done = subprocess.run(
                command, cwd=folder, env=whole, capture_output=True, text=True, timeout=timeout, check=False
            )
    except subprocess.TimeoutExpired as late:
        raise AssertionError(f"{late}; so far: {late.stderr!r}") from None
    return Answer(done.returncode, done.stdout, done.stderr)


class Workshop:
    """One repository; `close` leaves nothing running."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._started: list[subprocess.Popen[str]] = []
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        (folder / ".gitignore").write_text(".fairway/\n")

    def git(self, *arguments: str) -> str:
        done = subprocess.run([*_GIT, *arguments], cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout

    def release(self, version: str, files: dict[str, str]) -> None:
        """Commits the files and tags them."""
        for name, text in files.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(text)
        self.git("add", ".")
        self.git("commit", "--quiet", "--allow-empty", "--message", f"feat: {version}")
        self.git("tag", f"v{version}")

    def fairway(self, *arguments: str, timeout: float = 300, **variables: str) -> Answer:
        """One command to its end, with further environment variables."""
        return run_fairway(arguments, self.folder, variables, timeout)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """A command that goes on while the test does something else."""
        command = subprocess.Popen(
            [FAIRWAY, *arguments], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._started.append(command)
        return command

    def finish(self, command: "subprocess.Popen[str]", seconds: float = 180) -> Answer:
        """Waits for a command that was started."""
        out, err = command.communicate(timeout=seconds)
        return Answer(command.returncode, out, err)

    def steer(self, what: str, run: str, *more: str, **variables: str) -> Answer:
        """A hand on a run: pause, resume, promote, approve, abort, watch."""
        return self.fairway(what, run, "--json", *more, **variables)

    def deploy(self, release: str, env: str, *more: str) -> Answer:
        return self.fairway("deploy", release, "--env", env, "--json", *more)

    def status(self, env: str) -> dict[str, Any]:
        return self.fairway("status", "--env", env, "--json").json

    def await_status(self, env: str, holds: Callable[[dict[str, Any]], bool], seconds: float = 180) -> dict[str, Any]:
        """Waits until the status is as wanted; asks the journal as `status` does, without a process each time."""
        deadline = time.monotonic() + seconds
        service, store = open_reader(self.folder / CONFIG_NAME)
        try:
            while not holds(status := Question(service, store).ask(env)):
                assert time.monotonic() < deadline, f"never came: {status}"
                time.sleep(0.05)
        finally:
            store.close()
        return status

    def now(self, env: str) -> dict[str, Any]:
        """What `status` would say at present, without a process for it."""
        return self.await_status(env, lambda _: True)

    def units(self) -> dict[str, int]:
        """Processes that the supervisor keeps, by unit."""
        found = {}
        for path in (self.folder / ".fairway/supervisor/status").glob("*.json"):
            # A unit may end between the listing and the look.
            with suppress(FileNotFoundError):
                if process := json.loads(path.read_text()).get("process"):
                    found[path.name.removesuffix(".json")] = process[0]
        return found

    def close(self) -> None:
        for command in self._started:
            if command.poll() is None:
                command.kill()
            command.communicate()
        self.fairway("down")
        left = [line for line in _processes() if str(self.folder) in line and "adapters.supervisor" not in line]
        assert not left, left
        for line in _processes():
            if str(self.folder) in line:
                os.kill(int(line.split()[0]), signal.SIGTERM)


def _processes() -> list[str]:
    lines = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            lines.append(f"{entry.name} {line}")
    return lines


@contextmanager
def workshop(folder: Path) -> Iterator[Workshop]:
    made = Workshop(folder)
    try:
        yield made
    finally:
        made.close()


def await_load(users: Load, holds: Callable[[Mapping[str, Any]], bool], seconds: float = 180) -> None:
    """Waits until the users have seen what is wanted."""
    deadline = time.monotonic() + seconds
    while not (users.live() and holds(users.live())):
        assert time.monotonic() < deadline, f"never came: {users.live()}"
        time.sleep(0.05)
