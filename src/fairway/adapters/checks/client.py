"""Requests of checks: each on a connection of its own, bounded in time and memory, never following redirects."""

import json
import ssl
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpcore2

from fairway.adapters.checks.encoding import TooLarge, decode
from fairway.adapters.checks.network import DeadlineBackend
from fairway.adapters.checks.troubles import explain
from fairway.domain.validation.exchange import Answer, Exchange, Trouble
from fairway.domain.validation.findings import quoted

#: Bytes of a body, as sent and as decoded, beyond which a check does not read on.
LARGEST = 8 * 1024 * 1024
_AGENT = "fairway-validate"


@dataclass(frozen=True, slots=True)
class Client:
    """Sends requests.

    Attributes:
        timeout: seconds for each, from the connection to the last byte.
        headers: sent with each.
        ca: path of certificates to trust beside those of the machine.
        http2: offer HTTP/2 where TLS is spoken.
    """

    timeout: float
    headers: tuple[tuple[str, str], ...] = ()
    ca: str | None = None
    http2: bool = False

    def send(self, method: str, url: str, *, headers: tuple[tuple[str, str], ...] = (), body: Any = None) -> Answer:
        """Sends one request.

        Args:
            method: any.
            url: beginning with http:// or https://.
            headers: in place of those of the client with the same name.
            body: a text as it is; any other value as JSON.
        """
        if not _is_url(url):
            return Trouble("bad-url", f"{quoted(url)} is not the URL of a request")
        limit = DeadlineBackend(self.timeout)
        begin = time.monotonic()
        merged, content = _prepare({**_lower(self.headers), **_lower(headers)}, body)
        try:
            return self._send(method, url, merged, content, limit)
        except Exception as error:
            place = urlsplit(url).netloc.rpartition("@")[2]
            found = explain(error, place, self.timeout, limit)
            if found is None:
                raise
            return Trouble(*found, seconds=time.monotonic() - begin)

    def _send(
        self, method: str, url: str, headers: dict[str, str], content: bytes | None, limit: DeadlineBackend
    ) -> Exchange:
        begin = time.monotonic()
        pool = httpcore2.ConnectionPool(
            ssl_context=trust(self.ca, http2=self.http2),
            http1=True,
            http2=self.http2,
            network_backend=limit,
            max_connections=1,
        )
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        host = urlsplit(url).netloc.rpartition("@")[2]
        raw = httpcore2.URL(_encoded(url))
        with pool, pool.stream(method, raw, headers=[(b"host", host.encode()), *sent], content=content) as answer:
            body = _read(answer, limit)
            received = tuple((n.decode("latin-1").lower(), v.decode("latin-1")) for n, v in answer.headers)
            version = answer.extensions.get("http_version", b"HTTP/1.1").decode()
        coding = ",".join(value for name, value in received if name == "content-encoding")
        plain = decode(body, coding, LARGEST)
        seconds = time.monotonic() - begin
        return Exchange(method, url, answer.status, received, plain, len(body), seconds, version)


def _prepare(headers: dict[str, str], body: Any) -> tuple[dict[str, str], bytes | None]:
    merged = {"user-agent": _AGENT, "accept": "*/*", **headers}
    if body is None:
        return merged, None
    if isinstance(body, str):
        content = body.encode()
    else:
        content = json.dumps(body).encode()
        merged.setdefault("content-type", "application/json")
    merged["content-length"] = str(len(content))
    return merged, content


def _lower(headers: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


def _encoded(url: str) -> str:
    """A URL in ASCII: what is not is percent-encoded."""
    return "".join(c if "!" <= c <= "~" else "".join(f"%{byte:02X}" for byte in c.encode()) for c in url)


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _read(answer: httpcore2.Response, limit: DeadlineBackend) -> bytes:
    """The body as it was sent.

    Raises:
        TooLarge: it is longer than any answer should be.
    """
    parts, length = [], 0
    for part in answer.iter_stream():
        limit.left()
        length += len(part)
        if length > LARGEST:
            raise TooLarge(f"{LARGEST >> 20} MiB")
        parts.append(part)
    return b"".join(parts)


def trust(ca: str | None, *, http2: bool = False) -> ssl.SSLContext:
    """The certificates of this machine, and those of the user as they are now.

    Args:
        ca: path of certificates.
        http2: for connections that offer it: the client writes what it offers into the context.

    Raises:
        OSError: the file cannot be read, or holds no certificate.
    """
    return _trust(ca, Path(ca).stat().st_mtime_ns if ca else 0, http2)


@lru_cache(maxsize=8)
def _trust(ca: str | None, _changed: int, _http2: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca is not None:
        context.load_verify_locations(ca)
    return context
