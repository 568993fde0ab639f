"""Asks a unit once a second whether it is alive, without ever waiting for the answer."""

import contextlib
import select
import socket

INTERVAL = 1.0  # seconds from the end of one question to the next
PATIENCE = 2.0  # seconds for an answer
FAILURES = 3  # in a row, before a unit counts as dead
_ENOUGH = 12  # bytes up to the end of the status: "HTTP/1.1 200"


class LivenessProbe:
    """The questions to one process.

    Args:
        address: host, port and path; the host may be the path of a Unix socket, the port is 0 then.
        answered: it has answered well before.

    Attributes:
        answered: it has answered well once; before that a failure means nothing, it may still be starting.
        reason: why the last question failed, in words.
    """

    def __init__(self, address: tuple[str, int, str], *, answered: bool) -> None:
        self._host, self._port, self._path = address
        self._name = "localhost" if self._host.startswith("/") else f"{self._host}:{self._port}"
        self.answered = answered
        self.reason = ""
        self._failures = 0
        self._next = 0.0
        self._socket: socket.socket | None = None
        # The last question's connection: on a Unix socket, who still writes the rest of the answer to one that was
        # closed gets an error, and logs it every second.
        self._answering: socket.socket | None = None
        self._sent = False
        self._received = b""

    @property
    def failed(self) -> bool:
        """It answered once, and does not any more."""
        return self._failures >= FAILURES

    @property
    def interest(self) -> tuple[int, int] | None:
        """Descriptor and poll events that the question under way waits for; None between questions."""
        if self._socket is None:
            return None
        return self._socket.fileno(), select.POLLIN if self._sent else select.POLLOUT

    def advance(self, now: float) -> float:
        """Does what can be done without waiting; returns when to look again, on the clock of `now`."""
        if self._socket is None and now >= self._next:
            self._ask(now)
        elif self._socket is not None and self._is_ready():
            self._proceed(self._socket, now)
        if self._socket is not None and now >= self._next:
            self._conclude("no answer in time", now)
        return self._next

    def close(self) -> None:
        """Drops the question under way, and the connection of the last one."""
        for connection in (self._socket, self._answering):
            if connection is not None:
                connection.close()
        self._socket = self._answering = None

    def _ask(self, now: float) -> None:
        self.close()
        self._next, self._sent, self._received = now + PATIENCE, False, b""
        self._socket = socket.socket(self._family(), socket.SOCK_STREAM)
        self._socket.setblocking(False)
        with contextlib.suppress(OSError):  # shows again when the request is sent
            self._socket.connect_ex(self._host if self._host.startswith("/") else (self._host, self._port))

    def _family(self) -> socket.AddressFamily:
        if self._host.startswith("/"):
            return socket.AF_UNIX
        return socket.AF_INET6 if ":" in self._host else socket.AF_INET

    def _is_ready(self) -> bool:
        poller = select.poll()
        poller.register(*self.interest or ())
        return bool(poller.poll(0))

    def _proceed(self, connection: socket.socket, now: float) -> None:
        try:
            if not self._sent:
                request = f"GET {self._path} HTTP/1.1\r\nHost: {self._name}\r\nConnection: close\r\n\r\n"
                connection.send(request.encode())
                self._sent = True
                return
            received = connection.recv(4096)
        except BlockingIOError:
            return
        except OSError as problem:
            self._conclude(problem.strerror or "connection lost", now)
            return
        self._received += received
        if len(self._received) >= _ENOUGH:
            status = self._received[9:_ENOUGH].decode("ascii", "replace")
            self._conclude("" if status[0] in "23" else f"status {status}", now)
        elif not received:
            self._conclude("connection closed without an answer", now)

    def _conclude(self, reason: str, now: float) -> None:
        self._socket, self._answering = None, self._socket
        self._next = now + INTERVAL
        self.reason = reason
        if not reason:
            self.answered = True
            self._failures = 0
        elif self.answered:
            self._failures += 1
