"""HTTP connections with one time limit from the connection to the last byte."""

import http.client
import io
import socket
import ssl
import time
from typing import Any


class DeadlineConnection(http.client.HTTPConnection):
    """A connection on which everything ends with TimeoutError once its time is up.

    The time limit of the standard library holds for each wait by itself, so that a server that drips keeps its caller
    for ever. Only the look-up of a name cannot be cut short: the time that it takes counts when it is over.

    Args:
        host: name or address.
        port: its port.
        secure: speak TLS, with the certificates that this machine trusts.
        timeout: seconds from now on.
    """

    def __init__(self, host: str, port: int, *, secure: bool, timeout: float) -> None:
        super().__init__(host, port)
        self.default_port = 443 if secure else 80
        self._secure = secure
        self._deadline = time.monotonic() + timeout

    def connect(self) -> None:
        """Tries the addresses one after the other; called by the base class."""
        problem: OSError | None = None
        for family, kind, protocol, _, address in socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM):
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(self.left())
                connection.connect(address)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.sock = self._wrap(connection)
                self.sock.settimeout(self.left())
            except OSError as error:
                connection.close()
                problem = error
            else:
                return
        raise problem or OSError(f"{self.host} has no address")

    def send(self, data: Any) -> None:
        """Sends within the time that is left; called by the base class."""
        if self.sock is not None:
            self.sock.settimeout(self.left())
        super().send(data)

    def getresponse(self) -> http.client.HTTPResponse:
        """The answer's head; its body is read under the same limit."""
        if self.sock is None:
            raise http.client.NotConnected
        response = http.client.HTTPResponse(_Source(self.sock, self), method="GET")  # type: ignore[arg-type]
        response.begin()
        return response

    def left(self) -> float:
        """Seconds that are left.

        Raises:
            TimeoutError: none.
        """
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _wrap(self, connection: socket.socket) -> socket.socket:
        if not self._secure:
            return connection
        connection.settimeout(self.left())
        return ssl.create_default_context().wrap_socket(connection, server_hostname=self.host)


class _Source:
    """What `HTTPResponse` takes for a socket."""

    def __init__(self, connection: socket.socket, limit: DeadlineConnection) -> None:
        self._connection = connection
        self._limit = limit

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._connection, self._limit))


class _Reader(io.RawIOBase):
    def __init__(self, connection: socket.socket, limit: DeadlineConnection) -> None:
        self._connection = connection
        self._limit = limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(self._limit.left())
        return self._connection.recv_into(buffer)
