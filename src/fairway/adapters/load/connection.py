"""One slot for a connection: opened for a request, kept for the next one, opened anew when the server closed it."""

import errno
import os
import socket
from contextlib import suppress
from typing import Any

from fairway.adapters.load.answer import Answer
from fairway.adapters.load.plan import Request

_KINDS = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ETIMEDOUT: "timeout",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
}


def kind_of(number: int | None) -> str:
    """The word for an error of the operating system; its own name where we have none."""
    return _KINDS.get(number or 0) or errno.errorcode.get(number or 0, "unknown")


def resolve(host: str, port: int) -> tuple[int, Any]:
    """Address family and address, asked for once.

    Raises:
        OSError: the name has no address.
    """
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    return family, address


class Connection:
    """One connection, or the place for one.

    Attributes:
        socket: None while closed.
        number: its descriptor, -1 while closed.
        request: the request that it carries, None while idle.
        intended: when the request was to be sent; monotonic seconds, like all moments here.
        began: when it was begun.
        unsent: what the kernel has not taken yet; everything while the connection is being made.
        connecting: not connected yet.
        answer: the answer as far as it came; None before its first byte and while it may come in one piece.
    """

    __slots__ = ("answer", "began", "connecting", "intended", "number", "request", "socket", "unsent")

    def __init__(self) -> None:
        self.socket: socket.socket | None = None
        self.number = -1
        self.request: Request | None = None
        self.intended = 0.0
        self.began = 0.0
        self.unsent = b""
        self.connecting = False
        self.answer: Answer | None = None

    def open(self, family: int, address: Any) -> None:
        """Begins to connect.

        Raises:
            OSError: refused at once.
        """
        self.socket = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self.number = self.socket.fileno()
        self.connecting = True
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(BlockingIOError):
            self.socket.connect(address)

    def finish_connecting(self) -> None:
        """Says how it went once the socket is ready.

        Raises:
            OSError: it is not connected.
        """
        if self.connecting and self.socket is not None:
            number = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                raise OSError(number, os.strerror(number))
            self.connecting = False

    def close(self) -> None:
        """Closes it; it can be opened again."""
        if self.socket is not None:
            self.socket.close()
        self.socket = None
        self.number = -1
        self.connecting = False
        self.unsent = b""
        self.answer = None
