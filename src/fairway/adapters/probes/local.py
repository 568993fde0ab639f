"""The port `HttpProbe`, on the standard library: the controller loads it at its start."""

import codecs
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
        except TimeoutError as problem:
            raise _failure("probe-timeout", url, f"was not answered within {timeout:g} s") from problem
        except ConnectionRefusedError as problem:
            raise _failure("probe-refused", url, f"failed: nobody listens on {parts.hostname}:{port}") from problem
        except (ConnectionResetError, BrokenPipeError) as problem:  # RemoteDisconnected is one of them
            raise _failure(
                "probe-reset", url, "failed: the server closed the connection before its answer"
            ) from problem
        except http.client.InvalidURL as problem:
            raise _bad_url(url) from problem
        except http.client.IncompleteRead as problem:
            raise _failure(
                "probe-incomplete", url, "failed: the server closed the connection in mid-answer"
            ) from problem
        except http.client.HTTPException as problem:
            said = f"{type(problem).__name__} {str(problem)[:80]!r}"
            raise _failure("probe-not-http", url, f"failed: what came is not HTTP ({said})") from problem
        except socket.gaierror as problem:
            sentence = f"failed: the name {parts.hostname!r} has no address ({problem.strerror})"
            raise _failure("probe-name", url, sentence) from problem
        except OSError as problem:
            raise _failure("probe-failed", url, f"failed: {problem.strerror or problem}") from problem
        except ValueError as problem:  # a name that cannot be one, or an answer with numbers that are none
            raise _failure("probe-failed", url, f"failed: {problem}") from problem


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
        return Answer(response.status, body.decode(_charset(response), "replace"))
    finally:
        connection.close()


def _charset(response: http.client.HTTPResponse) -> str:
    name = response.headers.get_content_charset("utf-8")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "utf-8"


def _bad_url(url: str) -> TransientError:
    sentence = f"{url[:200]!r} is not the URL of a request."
    return TransientError("probe-url", sentence, "Write http://HOST:PORT/PATH; special characters percent-encoded.")


def _failure(code: str, url: str, what: str) -> TransientError:
    return TransientError(code, f"GET {url[:200]} {what}.")
