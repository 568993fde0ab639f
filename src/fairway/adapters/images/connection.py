"""Connections to registries, and why there is none, in words."""

import os
import ssl
from collections.abc import Iterator
from typing import Any

import httpx2

from fairway.domain.errors import FairwayError, PermanentError, TransientError, UserError


def open_client(**settings: Any) -> httpx2.Client:
    """A client with these settings; who asks for it closes it.

    Raises:
        UserError: variables name authorities or a proxy that cannot be used.
    """
    try:
        return httpx2.Client(**settings)
    except (OSError, ValueError, httpx2.InvalidURL) as error:
        sentence = f"no connection can be made with the authorities or the proxy that variables name: {error}"
        hint = f"SSL_CERT_FILE is {os.environ.get('SSL_CERT_FILE', '')!r}; compare SSL_CERT_DIR and HTTPS_PROXY too"
        raise UserError("bad-connection-settings", sentence, hint) from error


def explain_silence(name: str, error: BaseException) -> FairwayError:
    """What is said of a server that gave no answer.

    Args:
        name: of the repository or server.
        error: as it came from the client; the exception of the system is its cause.

    Returns:
        Code `registry-certificate`, which no patience mends, or `registry-silent`, which may pass.
    """
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            sentence = f"{name} has a certificate that is not accepted: {cause.verify_message}"
            hint = "let SSL_CERT_FILE name a file with the authority that signed it, or have it renewed"
            return PermanentError("registry-certificate", sentence, hint)
        if isinstance(cause, ssl.SSLError):
            reason = (cause.reason or str(cause)).replace("_", " ").lower()
            sentence = f"{name} could not be reached by TLS: {reason}"
            return TransientError("registry-silent", sentence, "see that it speaks TLS, or try again later")
    sentence = f"{name} could not be reached: {str(error).strip() or type(error).__name__}"
    return TransientError("registry-silent", sentence, "try again later")


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
