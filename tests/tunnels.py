"""A proxy on loopback through which servers of this machine are reached by names, as those of others are.

What is on this machine itself Fairway speaks to without TLS and without a proxy, so that a test of either needs a name.
"""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping

_PIECE = 65536


class Tunnels(socketserver.ThreadingTCPServer):
    """Connects `CONNECT name:443` to the port of this machine that has the name.

    Attributes:
        sent: bytes that went to servers so far.
        limit: bytes to servers after which `cut` is called once and all tunnels end; None: none.
    """

    daemon_threads = True

    def __init__(self, ports: Mapping[str, int]) -> None:
        self.ports = dict(ports)
        self.sent = 0
        self.limit: int | None = None
        self.cut: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def count(self, number: int) -> bool:
        """They may pass."""
        with self._lock:
            self.sent += number
            if self.limit is None or self.sent < self.limit:
                return True
            self.limit = None
            self.cut()
            return False


class _Tunnel(socketserver.StreamRequestHandler):
    server: Tunnels

    def handle(self) -> None:
        name = self.rfile.readline().split()[1].decode().rpartition(":")[0]
        while self.rfile.readline().strip():
            pass
        port = self.server.ports.get(name)
        with contextlib.suppress(OSError):
            if port is None:
                self.connection.sendall(b"HTTP/1.1 502 Unknown Host\r\nContent-Length: 0\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", port)) as server:
                self.connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(target=self._pass, args=(server, self.connection, lambda _: True), daemon=True)
                back.start()
                self._pass(self.connection, server, self.server.count)
                back.join()

    def _pass(self, source: socket.socket, target: socket.socket, may: Callable[[int], bool]) -> None:
        with contextlib.suppress(OSError):
            while (piece := source.recv(_PIECE)) and may(len(piece)):
                target.sendall(piece)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def tunnels(ports: Mapping[str, int]) -> Iterator[Tunnels]:
    """A running proxy for these names."""
    with Tunnels(ports) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
