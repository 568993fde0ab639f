"""One slot for a connection: opened for a request, kept for the next one, opened anew when the server closed it."""

import errno
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from fairway.adapters.load.answer import Answer
from fairway.adapters.load.plan import LoadPlan, Request

_KINDS = {
    errno.ECONNREFUSED: "refused",
    errno.ENOENT: "refused",  # a Unix socket that nobody made
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ETIMEDOUT: "timeout",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
}


def kind_of(error: OSError) -> str:
    """The word for an error of a connection; the system's own name for it where we have none."""
    if hasattr(error, "library"):  # what TLS raises
        return "tls"
    return _KINDS.get(error.errno or 0) or errno.errorcode.get(error.errno or 0, "unknown")


def resolve(plan: LoadPlan) -> tuple[int, Any]:
    """Address family and address, asked for once.

    Raises:
        OSError: the name has no address.
    """
    if plan.socket:
        return socket.AF_UNIX, plan.socket
    family, _, _, _, address = socket.getaddrinfo(plan.host, plan.port, type=socket.SOCK_STREAM)[0]
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
        shaking: connected, and TLS is being agreed on.
        answer: the answer as far as it came; None before its first byte and while it may come in one piece.
    """

    __slots__ = ("answer", "began", "connecting", "intended", "number", "request", "shaking", "socket", "unsent")

    def __init__(self) -> None:
        self.socket: Any = None  # a socket, or one within TLS
        self.number = -1
        self.request: Request | None = None
        self.intended = 0.0
        self.began = 0.0
        self.unsent = b""
        self.connecting = False
        self.shaking = False
        self.answer: Answer | None = None

    def open(self, family: int, address: Any) -> None:
        """Begins to connect.

        Raises:
            OSError: refused at once.
        """
        plain = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self.socket = plain
        self.number = plain.fileno()
        self.connecting = True
        if family != socket.AF_UNIX:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(BlockingIOError):
            plain.connect(address)

    def finish_connecting(self, tls: Callable[[Any], Any] | None) -> None:
        """Says how it went once the socket is ready; goes on agreeing on TLS.

        Args:
            tls: puts a connected socket within TLS; None: plain.

        Raises:
            OSError: it is not connected.
            BlockingIOError: TLS waits for the other side.
        """
        if self.connecting:
            number = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                raise OSError(number, os.strerror(number))
            self.connecting = False
            if tls is not None:
                self.socket = tls(self.socket)
                self.shaking = True
        if self.shaking:
            self.socket.shake()
            self.shaking = False

    def close(self) -> None:
        """Closes it; it can be opened again."""
        if self.socket is not None:
            self.socket.close()
        self.socket = None
        self.number = -1
        self.connecting = False
        self.shaking = False
        self.unsent = b""
        self.answer = None
