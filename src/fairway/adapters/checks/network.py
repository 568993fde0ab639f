"""Connections on which everything ends once the time of the whole request is up.

The HTTP client's time limits hold for each wait by itself, so that a server that drips keeps its caller for ever.
"""

import time
from collections.abc import Iterable
from typing import Any

import httpcore2
from httpcore2 import NetworkBackend, NetworkStream, SyncBackend

_BEGINNING = 5  # bytes


class DeadlineBackend(NetworkBackend):
    """Opens connections with one time limit from the connection to the last byte.

    Only the look-up of a name cannot be cut short: the time that it takes counts when it is over.

    Args:
        timeout: seconds from now on.

    Attributes:
        received: bytes that came, TLS taken off.
        beginning: the first of them.
        ended: the other side closed its direction.
    """

    def __init__(self, timeout: float) -> None:
        self.received = 0
        self.beginning = b""
        self.ended = False
        self._deadline = time.monotonic() + timeout
        self._backend = SyncBackend()

    def left(self) -> float:
        """Seconds that are left.

        Raises:
            ReadTimeout: none.
        """
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout
        return left

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 -- the time for all of it is what counts
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> NetworkStream:
        """See the base class."""
        stream = self._backend.connect_tcp(host, port, self.left(), local_address, socket_options)
        return _DeadlineStream(stream, self)


class _DeadlineStream(NetworkStream):
    def __init__(self, stream: NetworkStream, limit: DeadlineBackend) -> None:
        self._stream = stream
        self._limit = limit

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        data = self._stream.read(max_bytes, self._limit.left())
        self._limit.received += len(data)
        self._limit.beginning += data[: _BEGINNING - len(self._limit.beginning)]
        self._limit.ended = self._limit.ended or not data
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._stream.write(buffer, self._limit.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: Any,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> NetworkStream:
        return _DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, self._limit.left()), self._limit)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
