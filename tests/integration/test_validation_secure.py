"""TLS and HTTP/2: versions, chains, expiry, and what is negotiated, against real handshakes."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from checked import PASSED, check, codes
from secure_server import http2_answer, identity, secure_server

from fairway.domain.validation.probes import Http2Check, TlsCheck
from servers import http_server


@pytest.fixture
def trusted(tmp_path):
    """An authority, and the path of its certificate."""
    authority = trustme.CA()
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return authority, str(path)


def in_days(days):
    return datetime.now(UTC) + timedelta(days=days)


def test_a_good_certificate_passes_in_every_respect(trusted):
    context, _ = identity(ca=trusted[0], not_after=in_days(90))
    with secure_server(context) as port:
        findings = check(TlsCheck(), f"https://127.0.0.1:{port}", ca=trusted[1])
    assert codes(findings[:3]) == PASSED * 3, findings
    assert findings[0].came == "TLSv1.3"
    assert findings[1].came.startswith(("89 days", "90 days"))
    assert findings[3].outcome in ("passed", "skipped")


@pytest.mark.parametrize(
    ("days", "code", "words"),
    [(-3, "tls-expired", "expired 3.0 days ago"), (5, "tls-expiring", "5.0 days, until ")],
)
def test_an_expired_certificate_and_one_that_soon_will_be_are_told(trusted, days, code, words):
    context, _ = identity(ca=trusted[0], not_before=in_days(-30), not_after=in_days(days))
    with secure_server(context) as port:
        _, expiry, chain, _ = check(TlsCheck(), f"https://127.0.0.1:{port}", ca=trusted[1])
    assert (expiry.outcome, expiry.code) == ("failed", code)
    assert expiry.came.startswith(words)
    assert (chain.outcome == "failed") == (days < 0)


def test_a_self_signed_certificate_and_one_for_another_name_are_not_trusted(trusted):
    for context, ca, words in (
        (identity()[0], None, "self-signed"),
        (identity("other.example", ca=trusted[0])[0], trusted[1], "IP address mismatch"),
    ):
        with secure_server(context) as port:
            _, _, chain, _ = check(TlsCheck(), f"https://127.0.0.1:{port}", ca=ca)
        assert (chain.outcome, chain.code) == ("failed", "tls-untrusted")
        assert words in chain.came or "unable to get local issuer" in chain.came, chain.came


def test_a_version_below_the_wanted_one_is_found(trusted):
    context, _ = identity(ca=trusted[0])
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with secure_server(context) as port:
        version, _, _, old = check(TlsCheck(minimum="1.3"), f"https://127.0.0.1:{port}", ca=trusted[1])
    assert (version.code, version.came) == ("tls-old", "TLSv1.2")
    assert (old.outcome, old.came) == ("failed", "TLSv1.2 accepted")


def test_a_server_without_tls_is_no_server_with_it(trusted):
    with http_server() as server:
        (finding,) = check(TlsCheck(), server.url.replace("http", "https"))
    assert (finding.outcome, finding.code) == ("failed", "tls")


def test_an_address_without_tls_cannot_be_asked_for_it():
    assert codes(check(TlsCheck(), "http://127.0.0.1:1")) == [("errored", "not-https")]
    assert codes(check(Http2Check(), "http://127.0.0.1:1")) == [("errored", "not-https")]


def test_http2_is_negotiated_or_not(trusted):
    context, _ = identity(ca=trusted[0])
    context.set_alpn_protocols(["h2", "http/1.1"])
    with secure_server(context, http2_answer) as port:
        (found,) = check(Http2Check(), f"https://127.0.0.1:{port}", ca=trusted[1])
    assert (found.outcome, found.came) == ("passed", "HTTP/2, status 200")
    plain, _ = identity(ca=trusted[0])
    with secure_server(plain) as port:
        (other,) = check(Http2Check(), f"https://127.0.0.1:{port}", ca=trusted[1])
    assert (other.outcome, other.code, other.came) == ("failed", "no-http2", "HTTP/1.1, status 200")
