"""A socket within TLS that behaves like a plain one that does not block. Loaded only for https."""

import socket
import ssl
from collections.abc import Callable

from fairway.adapters.load.plan import LoadPlan

_WAITS = (ssl.SSLWantReadError, ssl.SSLWantWriteError)


class TlsSocket:
    """One connection; what would block raises BlockingIOError."""

    def __init__(self, inner: ssl.SSLSocket) -> None:
        self._inner = inner
        self.close = inner.close
        self.getsockopt = inner.getsockopt

    def shake(self) -> None:
        """Goes on agreeing on TLS."""
        try:
            self._inner.do_handshake()
        except _WAITS as error:
            raise BlockingIOError from error

    def send(self, data: bytes) -> int:
        """Sends what fits."""
        try:
            return self._inner.send(data)
        except _WAITS as error:
            raise BlockingIOError from error

    def recv(self, most: int) -> bytes:
        """What came, all of what was decrypted: the kernel does not know of it and would not wake anybody for it."""
        try:
            data = self._inner.recv(most)
            while self._inner.pending():
                data += self._inner.recv(most)
        except _WAITS as error:
            raise BlockingIOError from error
        except ssl.SSLEOFError:
            return b""
        return data


def tls_for(plan: LoadPlan) -> Callable[[socket.socket], TlsSocket]:
    """What puts a connected socket within TLS, with HTTP/1.1 and the name of the plan's host.

    Raises:
        OSError: the file of certificates cannot be read.
    """
    context = ssl.create_default_context(cafile=plan.authority or None)
    context.set_alpn_protocols(["http/1.1"])
    if plan.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE

    def wrap(plain: socket.socket) -> TlsSocket:
        # Takes the descriptor over from `plain`, which stays in the epoll set.
        return TlsSocket(context.wrap_socket(plain, server_hostname=plan.host, do_handshake_on_connect=False))

    return wrap
