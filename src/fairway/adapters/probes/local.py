"""The port `HttpProbe`, on the standard library: the controller loads it at its start."""

import http.client
import socket
from urllib.parse import SplitResult, quote, urlsplit

from fairway.adapters.probes.deadline import DeadlineConnection
from fairway.domain.errors import TransientError
from fairway.ports.checks import Answer

_BODY = 64 * 1024  # bytes
# What stands for itself in a path and a query (RFC 3986, section 3.3 and 3.4), and what is encoded already.
_PLAIN = "/?:@!$&'()*+,;=-._~%"


class LocalProbe:
    """Asks from this machine and without a proxy; safe to use from several threads at once."""

    def get(self, url: str, *, timeout: float) -> Answer:
        """Sends one GET; see the port.

        Args:
            url: beginning with http:// or https://.
            timeout: seconds for all of it, until the body is read.
        """
        parts, port = _split(url)
        target = quote(parts.path or "/", safe=_PLAIN) + (f"?{quote(parts.query, safe=_PLAIN)}" if parts.query else "")
        try:
            return _ask(parts, port, target, timeout)
        except (OSError, http.client.HTTPException, ValueError) as problem:
            code, what = _explain(problem, f"{parts.hostname}:{port}", timeout)
            raise TransientError(code, f"GET {url[:200]} {what}.") from problem


def _explain(problem: Exception, place: str, timeout: float) -> tuple[str, str]:  # noqa: PLR0911 -- one case a kind of problem
    """A code and the end of a sentence."""
    match problem:
        case TimeoutError():
            return "probe-timeout", f"was not answered within {timeout:g} s"
        case ConnectionRefusedError():
            return "probe-refused", f"failed: nobody listens on {place}"
        case ConnectionResetError() | BrokenPipeError() | http.client.IncompleteRead():
            return "probe-reset", "failed: the server closed the connection before its answer was complete"
        case http.client.InvalidURL():
            return "probe-url", "failed: this is not the URL of a request"
        case http.client.HTTPException():
            said = f"{type(problem).__name__} {str(problem)[:80]!r}"
            return "probe-not-http", f"failed: what came from {place} is not HTTP ({said})"
        case socket.gaierror(strerror=reason):
            return "probe-name", f"failed: the name in {place} has no address ({reason})"
        case OSError(strerror=reason):
            return "probe-failed", f"failed: {reason or problem}"
    return "probe-failed", f"failed: {problem}"


def _split(url: str) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as problem:
        raise _bad_url(url) from problem
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise _bad_url(url)
    return parts, port or (443 if parts.scheme == "https" else 80)


def _ask(parts: SplitResult, port: int, target: str, timeout: float) -> Answer:
    connection = DeadlineConnection(parts.hostname or "", port, secure=parts.scheme == "https", timeout=timeout)
    try:
        connection.request("GET", target, headers={"User-Agent": "fairway", "Connection": "close"})
        response = connection.getresponse()
        body = response.read(_BODY)
        if response.length and len(body) < _BODY:
            raise http.client.IncompleteRead(body, response.length)
        return Answer(response.status, _text(body, response.headers.get_content_charset("utf-8")))
    finally:
        connection.close()


def _text(body: bytes, charset: str) -> str:
    try:
        return body.decode(charset, "replace")
    except (LookupError, ValueError):  # it is unknown, or none of text
        return body.decode("utf-8", "replace")


def _bad_url(url: str) -> TransientError:
    sentence = f"{url[:200]!r} is not the URL of a request."
    return TransientError("probe-url", sentence, "Write http://HOST:PORT/PATH; special characters percent-encoded.")
