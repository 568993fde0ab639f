"""Checks of what is negotiated before HTTP: versions of TLS, the certificate, HTTP/2."""

import socket
import ssl
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from cryptography import x509

from fairway.adapters.checks.asking import Asker
from fairway.adapters.checks.client import trust
from fairway.adapters.checks.network import DeadlineBackend
from fairway.adapters.checks.troubles import explain
from fairway.domain.validation.exchange import Exchange, Trouble
from fairway.domain.validation.findings import Finding, errored, failed, passed, skipped
from fairway.domain.validation.probes import Http2Check, TlsCheck

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_OLDER = {
    "1.2": (("TLSv1", ssl.TLSVersion.TLSv1), ("TLSv1.1", ssl.TLSVersion.TLSv1_1)),
    "1.3": (
        ("TLSv1", ssl.TLSVersion.TLSv1),
        ("TLSv1.1", ssl.TLSVersion.TLSv1_1),
        ("TLSv1.2", ssl.TLSVersion.TLSv1_2),
    ),
}


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a handshake brought."""

    version: str
    certificate: bytes


def ask_tls(check: TlsCheck, asker: Asker) -> tuple[Finding, ...]:
    """Looks at the certificate whether it is trusted or not, then at the trust, then at old versions."""
    parts = urlsplit(asker.base)
    place = f"{parts.hostname}:{parts.port or 443}"
    if parts.scheme != "https":
        return (errored("not-https", f"TLS of {place}", "an address with https", asker.base),)
    return tuple(_findings(check, asker, place))


def _findings(check: TlsCheck, asker: Asker, place: str) -> Iterator[Finding]:
    subject = f"TLS of {place}"
    seen = _shake(asker, _blind())
    if isinstance(seen, Trouble):
        yield seen.finding(subject, f"TLS {check.minimum} or later")
        return
    yield (
        passed(subject, f"TLS {check.minimum} or later", seen.version)
        if _is_new(seen.version, check)
        else failed("tls-old", subject, f"TLS {check.minimum} or later", seen.version)
    )
    yield _judge_expiry(seen.certificate, f"certificate of {place}", check.days)
    trusted = _shake(asker, trust(asker.place.settings.ca))
    expected = f"a chain that this machine trusts, for {place.rpartition(':')[0]}"
    if isinstance(trusted, Trouble):
        yield failed("tls-untrusted", f"chain of {place}", expected, trusted.sentence)
    else:
        yield passed(f"chain of {place}", expected, "valid")
    yield _judge_old(check, asker, place)


def _is_new(version: str, check: TlsCheck) -> bool:
    return version.removeprefix("TLSv") >= check.minimum


def _judge_expiry(certificate: bytes, subject: str, days: int) -> Finding:
    expected = f"valid for {days} more days"
    read = x509.load_der_x509_certificate(certificate)
    now = datetime.now(UTC)
    left = (read.not_valid_after_utc - now).total_seconds() / 86400
    until = f"until {read.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
    if read.not_valid_before_utc > now:
        return failed(
            "tls-expired", subject, expected, f"not valid before {read.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
        )
    if left < 0:
        return failed("tls-expired", subject, expected, f"expired {-left:.1f} days ago")
    if left < days:
        return failed("tls-expiring", subject, expected, f"{left:.1f} days, {until}")
    return passed(subject, expected, f"{left:.0f} days, {until}")


def _judge_old(check: TlsCheck, asker: Asker, place: str) -> Finding:
    subject, expected = f"old TLS of {place}", f"versions before {check.minimum} refused"
    tried, accepted = [], []
    for name, version in _OLDER[check.minimum]:
        context = _old(version)
        if context is None:
            continue
        tried.append(name)
        if isinstance(_shake(asker, context), _Seen):
            accepted.append(name)
    if accepted:
        return failed("tls-old", subject, expected, f"{', '.join(accepted)} accepted")
    if not tried:
        return skipped("absent", subject, "this machine's own TLS library cannot speak them")
    return passed(subject, expected, f"{', '.join(tried)} refused")


def _blind() -> ssl.SSLContext:
    """Takes any certificate, so that there is one to look at."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _old(version: ssl.TLSVersion) -> ssl.SSLContext | None:
    context = _blind()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version, context.maximum_version = version, version
        # Distributions forbid old versions to programs by default; here they are only asked for.
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    except (ValueError, ssl.SSLError):
        return None
    return context


def _shake(asker: Asker, context: ssl.SSLContext) -> _Seen | Trouble:
    parts = urlsplit(asker.base)
    host, port = parts.hostname or "", parts.port or 443
    limit, begin = DeadlineBackend(asker.timeout), time.monotonic()
    try:
        with socket.create_connection((host, port), limit.left()) as plain:
            plain.settimeout(limit.left())
            with context.wrap_socket(plain, server_hostname=host) as secure:
                certificate = secure.getpeercert(binary_form=True) or b""
                return _Seen(secure.version() or "", certificate)
    except (OSError, ValueError) as error:
        found = explain(error, f"{host}:{port}", asker.timeout, limit)
        if found is None:
            raise
        return Trouble(*found, seconds=time.monotonic() - begin)


def ask_http2(check: Http2Check, asker: Asker) -> tuple[Finding, ...]:
    """One request that offers both versions in the TLS handshake."""
    subject, expected = f"HTTP/2 for GET {check.path}", "HTTP/2 negotiated by TLS"
    if urlsplit(asker.base).scheme != "https":
        return (errored("not-https", subject, "an address with https", asker.base),)
    answer = asker.client(http2=True).send("GET", asker.url(check.path))
    if not isinstance(answer, Exchange):
        return (answer.finding(subject, expected),)
    found = passed if answer.version == "HTTP/2" else _no_http2
    return (found(subject, expected, f"{answer.version}, status {answer.status}"),)


def _no_http2(subject: str, expected: str, came: str) -> Finding:
    return failed("no-http2", subject, expected, came)
