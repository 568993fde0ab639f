"""A network that behaves badly: a TCP proxy of our own that delays, cuts, resets, or falls silent."""

import contextlib
import random
import selectors
import socket
import struct
import threading
import time
from collections.abc import Iterator

_CHUNK = 65536


class FaultyProxy:
    """Forwards connections to a TCP address or a Unix socket.

    Attributes:
        port: where it listens on 127.0.0.1.
        delay: seconds by which each piece is late.
        loss: share of the pieces, from 0 to 1, that are lost and sent again: they, and what comes behind them on the
            same connection, are late by the 200 ms after which TCP does that, and by twice as much each further time.
        mode: `pass`; `silent`: connections are accepted, and nothing is forwarded any more in either direction;
            `reset`: new connections, and those that say something, are reset.
        cut_after: bytes from the client after which its connection is reset; None: never.
        connections: how many were accepted.
    """

    def __init__(self, target: tuple[str, int] | str) -> None:
        self._target = target
        self._server = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._server.getsockname()[1]
        self.delay = self.loss = 0.0
        self._chance = random.Random(1)
        self.mode = "pass"
        self.cut_after: int | None = None
        self.connections = 0
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Ends everything."""
        for one in (self._server, *list(self._open)):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def break_all(self) -> None:
        """Resets every connection that is open."""
        for one in list(self._open):
            _reset(one)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        if self.mode == "reset":
            _reset(client)
            return
        family = socket.AF_UNIX if isinstance(self._target, str) else socket.AF_INET
        server = socket.socket(family)
        try:
            server.connect(self._target)
        except OSError:
            _reset(client)
            return
        self._open |= {client, server}
        try:
            self._forward(client, server)
        except (OSError, ValueError):
            _reset(client)
        finally:
            self._open -= {client, server}
            for one in (client, server):
                one.close()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        said = 0
        with selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in ready.select(0.05):
                    source, other = key.fileobj, key.data
                    assert isinstance(source, socket.socket)
                    if self.mode == "silent":
                        time.sleep(0.01)
                        continue
                    piece = source.recv(_CHUNK)
                    if not piece:
                        return
                    if source is client:
                        said += len(piece)
                    cut = self.cut_after is not None and said > self.cut_after
                    if self.mode == "reset" or cut:
                        _reset(client)
                        return
                    time.sleep(self.delay + self._lateness())
                    other.sendall(piece)

    def _lateness(self) -> float:
        late, again = 0.0, 0.2
        while self._chance.random() < self.loss:
            late, again = late + again, again * 2
        return late


def _reset(one: socket.socket) -> None:
    """Closes with RST in place of FIN."""
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.close()


@contextlib.contextmanager
def faulty(target: tuple[str, int] | str) -> Iterator[FaultyProxy]:
    """A proxy that is gone afterwards."""
    proxy = FaultyProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
