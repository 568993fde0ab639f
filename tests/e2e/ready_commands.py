"""Commands that need not load their code: a process that has loaded all of Fairway divides itself for each of them.

Loading takes most of the processor time of a command, and the end-to-end tests give a thousand of them. Here each is
still a process of its own, with its own folder, variables and streams, that runs the entry point of the installed
program to its end; only the interpreter's start is shared. How a command starts from nothing is tested by what does not
come through here: `Workshop.start`, the documentation, the demonstration and the terminal.

`python ready_commands.py` is that process; its end of a socket is its standard input.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from fairway import __main__ as program

#: A request: how many bytes follow.
_HEAD = 8
#: Programs and what they load; importing them runs them.
_NO_MODULES = ("__main__", ".migrations.env", ".application.shop")
#: Variables that Python reads when it starts.
_AT_START = ("PYTHON", "LC_", "LANG", "TZ")


class ReadyCommands:
    """Runs commands; the process behind it starts with the first one and ends with this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None

    @staticmethod
    def can_run(variables: Mapping[str, str]) -> bool:
        """Whether a command with these further variables would not differ from its start by itself."""
        return not any(name.startswith(_AT_START) for name in variables)

    def run(
        self, arguments: list[str], *, folder: Path, variables: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Runs one command to its end; any number at the same time.

        Raises:
            TimeoutExpired: it was killed after so many seconds.
        """
        outcome, far = socket.socketpair()
        pipes = [os.pipe(), os.pipe()]
        request = json.dumps({"arguments": arguments, "folder": str(folder), "variables": dict(variables)}).encode()
        try:
            with self._lock:
                control = self._started()
                descriptors = [writer for _, writer in pipes]
                socket.send_fds(control, [len(request).to_bytes(_HEAD)], [*descriptors, far.fileno()])
                control.sendall(request)
        finally:
            far.close()
            for _, writer in pipes:
                os.close(writer)
        with outcome:
            pid = int(outcome.recv(64))
            out, err, ended = _read_all([reader for reader, _ in pipes], timeout)
            if not ended:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(arguments, timeout, out, err)
            status = int(outcome.recv(64))
        return subprocess.CompletedProcess(arguments, status, out, err)

    def _started(self) -> socket.socket:
        if self._control is None:
            self._control, far = socket.socketpair()
            null = subprocess.DEVNULL
            with far:
                server = subprocess.Popen([sys.executable, __file__], stdin=far, stdout=null, stderr=null)
            atexit.register(_end, server, self._control)
        return self._control


def _end(server: "subprocess.Popen[bytes]", control: socket.socket) -> None:
    control.close()
    server.wait()


def _read_all(readers: list[int], timeout: float) -> tuple[str, str, bool]:
    """What came from both, and whether all writers had closed them in time."""
    deadline = time.monotonic() + timeout
    found = dict.fromkeys(readers, b"")
    with selectors.DefaultSelector() as selector, contextlib.ExitStack() as stack:
        for reader in readers:
            stack.callback(os.close, reader)
            selector.register(reader, selectors.EVENT_READ)
        while selector.get_map() and (ready := selector.select(max(0.0, deadline - time.monotonic()))):
            for key, _ in ready:
                chunk = os.read(key.fd, 65536)
                found[key.fd] += chunk
                if not chunk:
                    selector.unregister(key.fd)
        ended = not selector.get_map()
    out, err = (text.decode().replace("\r\n", "\n") for text in found.values())
    return out, err, ended


class _Server:
    """Divides itself for each request, and says how each command ended."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._running: dict[int, tuple[int, socket.socket]] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)

    def next_command(self) -> dict[str, Any] | None:
        """Returns in each process that is to be a command, and once, with None, when nobody asks any more."""
        while True:
            for key, _ in self._selector.select():
                if key.fd in self._running:
                    self._tell_end(key.fd)
                    continue
                head, descriptors, _, _ = socket.recv_fds(self._control, _HEAD, 3)
                if not head:
                    return None
                request = self._receive(int.from_bytes(head))
                if self._divide(descriptors):
                    return request

    def _receive(self, size: int) -> dict[str, Any]:
        text = b""
        while len(text) < size:
            text += self._control.recv(size - len(text))
        found: dict[str, Any] = json.loads(text)
        return found

    def _divide(self, descriptors: list[int]) -> bool:
        """True in the new process, whose streams are those that were sent."""
        out, err, outcome = descriptors
        pid = os.fork()
        if pid:
            watched = os.pidfd_open(pid)
            self._running[watched] = pid, socket.socket(fileno=outcome)
            self._running[watched][1].send(b"%d" % pid)
            self._selector.register(watched, selectors.EVENT_READ)
            os.close(out)
            os.close(err)
            return False
        self._selector.close()
        self._control.close()
        for watched, (_, other) in self._running.items():
            os.close(watched)
            other.close()
        null = os.open(os.devnull, os.O_RDONLY)
        for number, given in enumerate((null, out, err)):
            os.dup2(given, number)
            os.close(given)
        os.close(outcome)
        return True

    def _tell_end(self, watched: int) -> None:
        pid, outcome = self._running.pop(watched)
        self._selector.unregister(watched)
        os.close(watched)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        with outcome, contextlib.suppress(OSError):
            outcome.send(b"%d" % status)


def _load() -> None:
    """Loads whatever commands may use of Fairway."""
    fairway = importlib.import_module("fairway")
    for found in pkgutil.walk_packages(fairway.__path__, "fairway."):
        if not found.name.endswith(_NO_MODULES):
            importlib.import_module(found.name)
    gc.freeze()


def _become_a_command() -> NoReturn:
    """Runs the entry point and ends as Python does, but for taking apart all that was loaded."""
    status = 0
    try:
        program.main()
    except SystemExit as end:
        status = int(end.code or 0)
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(status)


def _serve() -> NoReturn:
    control = socket.socket(fileno=os.dup(0))
    _load()
    request = _Server(control).next_command()
    if request is None:
        sys.exit()
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["variables"])
    sys.argv[1:] = request["arguments"]
    _become_a_command()


if __name__ == "__main__":
    _serve()
