"""Messages as POST requests, signed by Standard Webhooks 1.0.0 where a secret is given.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import logging
import os
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx2

from fairway.adapters.notifiers.settings import TIMEOUT
from fairway.domain.errors import PermanentError, TransientError

# At INFO it writes every URL, which may be secret, into the log.
logging.getLogger("httpx2").setLevel(logging.WARNING)

# The other 4xx say that the request is wrong and will be wrong again; these, that it came at a wrong moment.
_PASSING = frozenset({408, 425, 429})
_READ = 4096  # bytes of the answer
_SHOWN = 200  # characters of it


class WebhookNotifier:
    """Sends each message to one URL; see `WebhookSettings` for the arguments that come from a configuration.

    The variables are read at each delivery, so that a message waits until its secret is there. A redirect is not
    followed. Proxies are taken from the environment, as HTTPS_PROXY and the like.

    Args:
        url: where to send them; or None, with `url_variable`.
        url_variable: name of the variable that holds the URL.
        headers: further headers.
        authorization_variable: name of the variable that holds the value of the header Authorization.
        secret_variable: name of the variable that holds the secret for signatures.
        timeout: seconds for one delivery from beginning to end.
        environment: where variables are.
        clock: seconds since the epoch, UTC.
    """

    def __init__(
        self,
        *,
        url: str | None = None,
        url_variable: str | None = None,
        headers: Mapping[str, str] | None = None,
        authorization_variable: str | None = None,
        secret_variable: str | None = None,
        timeout: float = TIMEOUT,
        environment: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._url = url
        self._url_variable = url_variable
        self._headers = {name.lower(): value for name, value in (headers or {}).items()}
        self._authorization_variable = authorization_variable
        self._secret_variable = secret_variable
        self._timeout = timeout
        self._environment = environment
        self._clock = clock

    def notify(self, key: str, message: Mapping[str, Any]) -> None:
        """Delivers the message; see the port. The receiver finds the key in `Idempotency-Key` and `webhook-id`."""
        url = self._url or self._read_url(self._url_variable or "")
        content = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
        place = _place(url)
        answer = self._deliver(url, place, self._headers_for(key, content), content)
        if 200 <= answer.status < 300:
            return
        said = f": {answer.text!r}" if answer.text else ""
        sentence = f"The webhook at {place} answered with status {answer.status}{said}."
        if 400 <= answer.status < 500 and answer.status not in _PASSING:
            raise PermanentError("webhook-refused", sentence, "Check its URL, its headers and what it expects.")
        hint = "It redirects, which is not followed: write the new URL." if 300 <= answer.status < 400 else ""
        raise TransientError("webhook-failed", sentence, hint)

    def _deliver(self, url: str, place: str, headers: Mapping[str, str], content: bytes) -> "_Reply":
        try:
            # Asynchronous, because only so one limit holds for all of it, however slowly the answer drips.
            return asyncio.run(_post(url, headers, content, self._timeout))
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, UnicodeError) as problem:
            sentence = f"The URL of the webhook at {place} cannot be used."
            raise PermanentError("webhook-url", sentence, "Write http://HOST/PATH or https://HOST/PATH.") from problem
        except (TimeoutError, httpx2.TimeoutException) as problem:
            sentence = f"The webhook at {place} did not answer within {self._timeout:g} s."
            raise TransientError("webhook-timeout", sentence) from problem
        except (httpx2.HTTPError, OSError) as problem:
            sentence = f"The webhook at {place} could not be reached: {_words(problem)}."
            raise TransientError("webhook-unreachable", sentence) from problem

    def _headers_for(self, key: str, content: bytes) -> dict[str, str]:
        # A signature joins its parts with full stops, so that its first part must not hold any.
        identity, timestamp = key.replace(".", "_"), str(int(self._clock()))
        headers = {
            "user-agent": "fairway",
            **self._headers,
            "accept-encoding": "identity",
            "content-type": "application/json",
            "idempotency-key": key,
            "webhook-id": identity,
            "webhook-timestamp": timestamp,
        }
        if self._authorization_variable:
            headers["authorization"] = self._read_authorization(self._authorization_variable)
        if self._secret_variable:
            secret = _decode(self._secret_variable, self._read_variable(self._secret_variable, "the webhook's secret"))
            headers["webhook-signature"] = sign(secret, identity, timestamp, content)
        return headers

    def _read_url(self, variable: str) -> str:
        url = self._read_variable(variable, "the receiver's URL")
        if not re.fullmatch(r"https?://[^\s/?#]+[^\s]*", url):
            sentence = f"The environment variable {variable!r} does not hold the URL of a receiver."
            raise TransientError("webhook-variable", sentence, "It begins with http:// or https:// and a host.")
        return url

    def _read_authorization(self, variable: str) -> str:
        value = self._read_variable(variable, "the header Authorization")
        if not value.isascii() or not value.isprintable():
            sentence = f"The environment variable {variable!r} does not hold a possible value of a header."
            raise TransientError("webhook-variable", sentence, "Only printable ASCII is.")
        return value

    def _read_variable(self, name: str, what: str) -> str:
        value = self._environment.get(name, "").strip()
        if not value:
            sentence = f"The environment variable {name!r} with {what} is not set."
            raise TransientError("webhook-variable", sentence, "Set it where the controller is started.")
        return value


def sign(secret: bytes, identity: str, timestamp: str, content: bytes) -> str:
    """The value of `webhook-signature`.

    Args:
        secret: the bytes that both sides know.
        identity: the value of `webhook-id`.
        timestamp: the value of `webhook-timestamp`, seconds since the epoch, UTC.
        content: the body exactly as it is sent.
    """
    signed = f"{identity}.{timestamp}.".encode() + content
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


def _decode(variable: str, secret: str) -> bytes:
    try:
        decoded = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if not secret.startswith("whsec_") or not 24 <= len(decoded) <= 64:
        # Passing, because a new value of the variable is enough: no message is lost by it.
        sentence = f"The environment variable {variable!r} does not hold whsec_ and 24 to 64 bytes in base64."
        raise TransientError("webhook-secret", sentence, 'echo "whsec_$(openssl rand -base64 32)" makes such a secret.')
    return decoded


class _Reply(NamedTuple):
    status: int
    text: str


async def _post(url: str, headers: Mapping[str, str], content: bytes, timeout: float) -> _Reply:
    async with (
        asyncio.timeout(timeout),
        httpx2.AsyncClient(timeout=timeout) as client,
        client.stream("POST", url, headers=headers, content=content) as response,
    ):
        body = b""
        if not response.is_success:
            async for chunk in response.aiter_raw(_READ):
                body += chunk
                if len(body) >= _READ:
                    break
        return _Reply(response.status_code, " ".join(body.decode(errors="replace").split())[:_SHOWN])


def _place(url: str) -> str:
    """Which receiver it is, without what may be secret in its URL."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    except ValueError:
        return "its URL"


def _words(problem: Exception) -> str:
    return str(problem) or type(problem).__name__
