"""Real processes and servers for the tests of the router `envoy`: a supervisor, web applications, a strict client.

`python envoy_world.py REVISION PORT` serves one instance as a process of its own.
"""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from fairway.domain.rollout.revision import Endpoint
from fairway.ports.supervisor import Unit, UnitStatus
from free_ports import free_port

__all__ = ["Application", "Client", "DirectSupervisor", "free_port", "load", "wait_until"]

PATIENCE = 60.0


def wait_until(condition: Callable[[], object], what: str, *, patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"waited {patience:g} s in vain: {what}"
        time.sleep(0.005)


class DirectSupervisor:
    """Starts units from this process and starts them again when they end; `close` ends them all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._units: dict[str, Unit] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._starts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def ensure_unit(self, unit: Unit) -> UnitStatus:
        with self._lock:
            if self._units.get(unit.id) != unit:
                self._end(unit.id)
                self._units[unit.id] = unit
                self._start(unit)
        return self.observe()[unit.id]

    def ensure_removed(self, unit: str) -> None:
        with self._lock:
            self._units.pop(unit, None)
            self._end(unit)

    def observe(self) -> dict[str, UnitStatus]:
        return {name: self._status(name) for name in list(self._units)}

    def close(self) -> None:
        for unit in list(self._units):
            self.ensure_removed(unit)

    def _status(self, name: str) -> UnitStatus:
        process = self._processes[name]
        alive = process.poll() is None
        state = "running" if alive else "crash-loop"
        pid = process.pid if alive else None
        return UnitStatus(name, state, pid, 0.0, self._starts[name] - 1, "", str(self._folder / f"{name}.log"))

    def _start(self, unit: Unit) -> None:
        with (self._folder / f"{unit.id}.log").open("ab") as log:
            process = subprocess.Popen(
                unit.argv, cwd=unit.folder, env=dict(unit.variables), stdout=log, stderr=log, start_new_session=True
            )
        self._processes[unit.id] = process
        self._starts[unit.id] += 1
        threading.Thread(target=self._watch, args=(unit, process), daemon=True).start()

    def _watch(self, unit: Unit, process: subprocess.Popen[bytes]) -> None:
        started = time.monotonic()
        process.wait()
        time.sleep(max(0.0, 0.2 - (time.monotonic() - started)))
        with self._lock:
            if self._processes.get(unit.id) is process and self._units.get(unit.id) is unit:
                self._start(unit)

    def _end(self, name: str) -> None:
        process = self._processes.pop(name, None)
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class Application(ThreadingHTTPServer):
    """One instance of a revision, in a thread of this process.

    Attributes:
        failing: it answers 500, except for its readiness.
        breaking: it ends the connection in place of an answer, except for its readiness.
        seen: requests by method, without those for readiness.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, revision: str, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.revision = revision
        self.failing = False
        self.breaking = False
        self.ready = True
        self.seen: Counter[str] = Counter()
        self.headers: dict[str, str] = {}
        self.hold = threading.Event()
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def begin(self, instance: str) -> Endpoint:
        self._thread.start()
        return Endpoint(instance, "127.0.0.1", self.server_address[1])

    def process_request(self, request, client_address):
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self._open.discard(request)
        super().shutdown_request(request)

    def end(self) -> None:
        """Stops listening and cuts what is open."""
        self.hold.set()
        if self._thread.is_alive():
            self.shutdown()
        self.server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request, client_address):
        """Cut connections are part of these tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Head and body leave together: an answer that has begun cannot be given by somebody else.
    wbufsize = -1
    server: Application

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/ready":
            return self._send(200 if self.server.ready else 503, b"")
        self.server.seen[self.command] += 1
        self.server.headers = {name.lower(): value for name, value in self.headers.items()}
        if self.headers.get("upgrade", "").lower() == "websocket":
            return self._echo()
        if self.path == "/held":
            self.server.hold.wait(PATIENCE)
        if self.path == "/cut":
            return self._cut()
        if self.path == "/reset" or self.server.breaking:
            self.close_connection = True
            return self.connection.shutdown(socket.SHUT_RDWR)
        return self._send(500 if self.server.failing else 200, body or self.server.revision.encode())

    do_GET = do_HEAD = do_OPTIONS = do_POST = do_PUT = _answer  # noqa: N815 - the names that http.server calls

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _cut(self) -> None:
        """Promises more than it sends."""
        self.send_response(200)
        self.send_header("content-length", "1000")
        self.end_headers()
        self.wfile.write(b"half")
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _echo(self) -> None:
        """Agrees to switch protocols, sends back one message and closes."""
        self.send_response(101)
        self.send_header("upgrade", "websocket")
        self.send_header("connection", "Upgrade")
        self.end_headers()
        self.wfile.flush()
        self.wfile.write(self.connection.recv(100).upper())
        self.close_connection = True

    def log_message(self, *_):
        pass


class Client:
    """A user with one connection who never tries again; only the connection's orderly end is followed by a new one."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE)

    def request(self, method="GET", path="/", headers=None, body=None) -> tuple[int, str | None, bytes]:
        self._connection.request(method, path, body, headers or {})
        response = self._connection.getresponse()
        content = response.read()
        return response.status, response.getheader("x-fairway-revision"), content

    def close(self) -> None:
        self._connection.close()


@contextlib.contextmanager
def load(address: str, *, clients: int = 4, method: str = "GET") -> Iterator[Counter[object]]:
    """Users who ask without pause until the block ends; yields answers by status and revision, errors by their type."""
    outcomes: Counter[object] = Counter()
    stop = threading.Event()

    def use() -> None:
        client = Client(address)
        while not stop.is_set():
            try:
                outcomes[client.request(method)[:2]] += 1
            except (OSError, http.client.HTTPException) as error:
                outcomes[type(error).__name__] += 1
                client.close()
        client.close()

    threads = [threading.Thread(target=use, daemon=True) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield outcomes
    finally:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE)


if __name__ == "__main__":
    Application(sys.argv[1], int(sys.argv[2])).serve_forever()
