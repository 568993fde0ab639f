"""Requests to registries, and their failures in our own words."""

import logging
import os
import ssl
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx2

from fairway.domain.errors import AmbiguousError, FairwayError, PermanentError, TransientError, UserError

# At INFO it writes every URL into the log.
logging.getLogger("httpx2").setLevel(logging.WARNING)

T = TypeVar("T")

_PASSING = frozenset({408, 425, 429})
_SHOWN = 200


class RegistryHttp:
    """One registry, asked over HTTP.

    Args:
        what: what sentences call it.
        timeout: seconds for one request.
        authorize: headers and credentials for each request; may refuse because a variable is not set.
    """

    def __init__(self, what: str, *, timeout: float, authorize: Callable[[], Mapping[str, str]]) -> None:
        self._what = what
        self._timeout = timeout
        self._authorize = authorize

    def get(self, url: str, *, accept: str = "*/*", follow: bool = True) -> httpx2.Response | None:
        """The answer; None if there is no such thing.

        Raises:
            TransientError: no answer, or one that may be another later.
            PermanentError: the registry refuses.
        """
        try:
            with self._client(follow) as client:
                answer = client.get(url, headers={"accept": accept})
        except (httpx2.HTTPError, OSError) as error:
            raise self._silent(url, error) from error
        if answer.status_code == 404:
            return None
        self._require(answer, url)
        return answer

    def send(self, method: str, url: str, **content: Any) -> httpx2.Response:
        """The answer to a request that changes something; any status but those that mean no.

        Raises:
            TransientError: it was not sent, or refused for the moment.
            AmbiguousError: it was sent and no answer came.
            PermanentError: the registry refuses.
        """
        try:
            with self._client(follow=False) as client:
                answer = client.request(method, url, **content)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise self._silent(url, error) from error
        except (httpx2.HTTPError, OSError) as error:
            sentence = f"{self._what} at {_host(url)} gave no answer to an upload: {_words(error)}"
            raise AmbiguousError(
                "registry-no-answer", sentence, "it is looked at before anything is sent again"
            ) from error
        self._require(answer, url)
        return answer

    def _client(self, follow: bool) -> httpx2.Client:
        headers = {"user-agent": "fairway", **self._authorize()}
        try:
            return httpx2.Client(timeout=self._timeout, headers=headers, follow_redirects=follow)
        except (OSError, ValueError, httpx2.InvalidURL) as error:
            sentence = f"no connection can be made with the authorities or the proxy that variables name: {error}"
            hint = f"SSL_CERT_FILE is {os.environ.get('SSL_CERT_FILE', '')!r}; compare SSL_CERT_DIR and HTTPS_PROXY too"
            raise UserError("bad-connection-settings", sentence, hint) from error

    def _require(self, answer: httpx2.Response, url: str) -> None:
        status = answer.status_code
        if status < 300:
            return
        said = " ".join(answer.text[:_SHOWN].split())
        sentence = f"{self._what} at {_host(url)} answered {status} {answer.reason_phrase}" + (
            f": {said}" if said else ""
        )
        if status in (401, 403):
            raise PermanentError("registry-refused", sentence, "look at the name and the token that are sent")
        if status >= 500 or status in _PASSING:
            raise TransientError("registry-trouble", sentence, "try again later: fairway release resume")
        raise PermanentError("registry-refused", sentence, "see what it says, then fairway release resume")

    def _silent(self, url: str, error: Exception) -> FairwayError:
        certificate = _certificate_trouble(error)
        if certificate is not None:
            sentence = f"{self._what} at {_host(url)} has a certificate that is not accepted: {certificate}"
            hint = "let SSL_CERT_FILE name a file with the authority that signed it, or have it renewed"
            return PermanentError("registry-certificate", sentence, hint)
        sentence = f"{self._what} at {_host(url)} could not be reached: {_words(error)}"
        return TransientError("registry-silent", sentence, "try again later: fairway release resume")


def understood(read: Callable[[], T], what: str, url: str) -> T:
    """What an answer says.

    Raises:
        TransientError: it says nothing that can be understood, like a page of somebody in between.
    """
    try:
        return read()
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        sentence = f"{what} at {_host(url)} gave an answer that cannot be understood: {_words(error)[:_SHOWN]}"
        raise TransientError("registry-answer", sentence, f"look at {url}; then fairway release resume") from error


def read_secret(environment: Mapping[str, str], variable: str, what: str) -> str:
    """The value of a variable.

    Raises:
        UserError: it is not set.
    """
    value = environment.get(variable, "")
    if not value:
        raise UserError("variable-missing", f"{what} needs {variable}, which is not set", f"export {variable}=…")
    return value


def _host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")


def _certificate_trouble(error: BaseException) -> str | None:
    """What is wrong with the certificate of a server, if that is why it gave no answer."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message
        cause = cause.__cause__ or cause.__context__
    return None


def _words(error: Exception) -> str:
    return str(error).strip() or type(error).__name__
