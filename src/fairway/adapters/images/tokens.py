"""Signing in at a registry: by name and password, or by a token that another server gives for them.

https://distribution.github.io/distribution/spec/auth/token/
"""

import base64
import re
from urllib.parse import urlsplit

import httpx2

from fairway.adapters.images.bounded import read_answer
from fairway.adapters.images.connection import explain_silence, open_client
from fairway.adapters.images.credentials import Credentials
from fairway.domain.errors import PermanentError, TransientError
from fairway.domain.images.reference import Reference, is_loopback

_FIELD = re.compile(r'([a-z]+)="([^"]*)"')


class Tokens:
    """What requests to one repository carry.

    Args:
        reference: the repository.
        credentials: asked when the registry wants somebody to sign in.
        timeout: seconds for the server of tokens.
    """

    def __init__(self, reference: Reference, credentials: Credentials, *, timeout: float) -> None:
        self._reference = reference
        self._credentials = credentials
        self._timeout = timeout
        self._header: str | None = None

    def headers(self) -> dict[str, str]:
        """What requests carry at the moment."""
        return {} if self._header is None else {"authorization": self._header}

    def sign_in(self, asked: str) -> bool:
        """Does what the registry asks for; False: nothing can be done that was not done.

        Args:
            asked: its header `WWW-Authenticate`.

        Raises:
            UserError: a password is missing.
            PermanentError: no token is given, or the password would travel in the open.
        """
        kind, _, rest = asked.partition(" ")
        known = self._credentials(f"{self._reference.host}/{self._reference.path}")
        before = self._header
        if kind.lower() == "basic" and known is not None:
            self._header = _basic(known)
        elif kind.lower() == "bearer":
            self._header = f"Bearer {self._fetch(dict(_FIELD.findall(rest)), known)}"
        return self._header != before

    def _fetch(self, asked: dict[str, str], known: tuple[str, str] | None) -> str:
        realm = asked.get("realm", "")
        try:
            parts, _ = urlsplit(realm), httpx2.URL(realm)
        except (ValueError, httpx2.InvalidURL) as error:
            sentence = f"{self._reference.repository} asks for a password at {realm[:200]!r}, which is no address"
            raise PermanentError("registry-refused", sentence, "look at the settings of the registry") from error
        if parts.scheme != "https" and not is_loopback(parts.netloc):
            sentence = f"{self._reference.repository} asks for a password at {realm!r}, without TLS"
            raise PermanentError("registry-refused", sentence, "that server must use https")
        # Both at once: a token for reading only would have to be replaced at the first upload.
        scope = f"repository:{self._reference.path}:pull" + (",push" if known is not None else "")
        query = {"service": asked.get("service", ""), "scope": asked.get("scope") if known is None else scope}
        headers = {} if known is None else {"authorization": _basic(known)}
        try:
            with open_client(timeout=self._timeout) as client:
                given = {key: value for key, value in query.items() if value}
                answer = read_answer(client, client.build_request("GET", realm, params=given, headers=headers))
            if answer.status_code >= 500:
                sentence = f"{parts.hostname} answered {answer.status_code} when asked for a token"
                raise TransientError("registry-trouble", sentence, "try again later")
            answer.raise_for_status()
            body = answer.json()
            return str(body.get("token") or body["access_token"])
        except (httpx2.HTTPStatusError, ValueError, RecursionError, LookupError, AttributeError) as error:
            sentence = f"{self._reference.repository} gets no token from {parts.hostname}: {_shown(error)}"
            raise PermanentError("registry-refused", sentence, "look at the name and password") from error
        except (httpx2.HTTPError, OSError) as error:
            name = f"{parts.hostname}, which gives the tokens for {self._reference.repository},"
            raise explain_silence(name, error) from error


def _basic(known: tuple[str, str]) -> str:
    return f"Basic {base64.b64encode(':'.join(known).encode()).decode()}"


def _shown(error: Exception) -> str:
    if isinstance(error, httpx2.HTTPStatusError):
        return f"it answered {error.response.status_code}"
    return "its answer holds none"
