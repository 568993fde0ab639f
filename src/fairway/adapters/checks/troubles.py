"""What exceptions of the network mean, in words."""

import socket
import ssl
import zlib

import httpcore2
from h2.events import ConnectionTerminated, StreamReset

from fairway.adapters.checks.encoding import TooLarge
from fairway.adapters.checks.network import DeadlineBackend
from fairway.domain.validation.exchange import TroubleCode

_CUT = "the server closed the connection before its answer was complete"
_WRONG = "what came from {place} is not HTTP as it should be: {why}"
_LATE = "not answered completely within {timeout:g} s"

#: The most telling first. The client keeps the exception of the system as the cause of its own.
_TROUBLES: tuple[tuple[type[BaseException], TroubleCode, str], ...] = (
    (TooLarge, "too-large", "the body is longer than {why}"),
    (zlib.error, "not-http", "the body is not encoded as its Content-Encoding says: {why}"),
    (ssl.SSLCertVerificationError, "tls", "the certificate is not valid: {why}"),
    (ssl.SSLError, "tls", "no TLS connection with {place}: {why}"),
    (TimeoutError, "timeout", _LATE),
    (httpcore2.TimeoutException, "timeout", _LATE),
    (socket.gaierror, "unresolved", "the name in {place} has no address: {why}"),
    (ConnectionRefusedError, "refused", "nobody listens on {place}"),
    (ConnectionResetError, "reset", _CUT),
    (BrokenPipeError, "reset", _CUT),
    (httpcore2.ConnectError, "unreachable", "no connection to {place}: {why}"),
    (httpcore2.NetworkError, "reset", "the connection to {place} broke: {why}"),
    (httpcore2.UnsupportedProtocol, "bad-url", "{place} is not the address of an HTTP server"),
    (OSError, "unreachable", "no connection to {place}: {why}"),
)


def explain(error: BaseException, place: str, timeout: float, limit: DeadlineBackend) -> tuple[TroubleCode, str] | None:
    """Code and sentence of an exception; None: it is none of the network's.

    Args:
        error: as it came from the client.
        place: host and port of the request.
        timeout: seconds that the request had.
        limit: the connection's limit, which saw what came.
    """
    seen = _chain(error)
    for kind, code, sentence in _TROUBLES:
        found = next((one for one in seen if isinstance(one, kind)), None)
        if found is not None:
            return code, sentence.format(place=place, timeout=timeout, why=_reason(found))
    if any(isinstance(one, httpcore2.ProtocolError) for one in seen):
        return _protocol(error, place, limit)
    return None


def _protocol(error: BaseException, place: str, limit: DeadlineBackend) -> tuple[TroubleCode, str]:
    event = error.args[0] if error.args else None
    if isinstance(event, (StreamReset, ConnectionTerminated)):
        return "reset", f"the server reset the HTTP/2 stream with error code {int(event.error_code or 0)}"
    if limit.ended and not limit.received:
        return "reset", f"{_CUT}: 0 bytes came"
    if limit.ended and limit.beginning == b"HTTP/":
        return "incomplete", f"{_CUT}: {limit.received} bytes came"
    return "not-http", _WRONG.format(place=place, why=_reason(error))


def _chain(error: BaseException) -> list[BaseException]:
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen:
        seen.append(cause)
        cause = cause.__cause__ or cause.__context__
    return seen


def _reason(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).replace("_", " ").lower()
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)[:160] or type(error).__name__
