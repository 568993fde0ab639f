"""A server on loopback that misbehaves exactly as told: its answers are bytes, and it counts what it received."""

import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress


class Hangup(Exception):  # noqa: N818 - it is no error
    """Ends the connection: after the bytes given, by a reset if asked for."""

    def __init__(self, data: bytes = b"", *, reset: bool = False) -> None:
        super().__init__()
        self.data = data
        self.reset = reset


Respond = Callable[[int, str, str], bytes]


def answer(status: int = 200, body: bytes = b"ok", *, fields: str = "", version: str = "1.1") -> bytes:
    return f"HTTP/{version} {status} Word\r\nContent-Length: {len(body)}\r\n{fields}\r\n".encode() + body


class RawServer:
    """One thread a connection; `respond(number, method, path)` gives the bytes of each answer.

    Attributes:
        requests: how many of each (method, path) came in whole.
        bodies: bytes of request bodies together.
        connections: how many were made.
    """

    def __init__(self, respond: Respond = lambda number, method, path: answer(), *, idle: float = 30.0) -> None:
        self._respond = respond
        self._idle = idle
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.requests: Counter[tuple[str, str]] = Counter()
        self.bodies = 0
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def total(self) -> int:
        return self.requests.total()

    def __enter__(self) -> "RawServer":
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(60)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(connection)
                self.connections += 1
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(self._idle)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError), connection.makefile("rb") as reader:
            while line := reader.readline():
                method, path, _ = line.decode().split(" ")
                length = 0
                while (field := reader.readline()) not in {b"\r\n", b""}:
                    name, _, value = field.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                received = len(reader.read(length))
                with self._lock:
                    self.requests[method, path] += 1
                    self.bodies += received
                    number = self.total
                try:
                    connection.sendall(self._respond(number, method, path))
                except Hangup as end:
                    connection.sendall(end.data)
                    if end.reset:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    break
        with self._lock:
            self._open.discard(connection)
        connection.close()
