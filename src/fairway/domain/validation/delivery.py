"""Judging how answers travel: compressed, conditional, redirected."""

from urllib.parse import urlsplit

from fairway.domain.validation.exchange import Exchange
from fairway.domain.validation.findings import Finding, failed, passed
from fairway.domain.validation.status import describe_status

#: Statuses of a redirect that keeps method and meaning, or is at least for good.
_REDIRECTS = (301, 302, 303, 307, 308)


def judge_compression(exchange: Exchange, subject: str, offered: tuple[str, ...]) -> Finding:
    """Whether an answer was compressed in one of the ways that were offered, and caches are told so."""
    expected = f"Content-Encoding {' or '.join(offered)}, and Vary: Accept-Encoding"
    coding = exchange.header("content-encoding")
    if coding is None:
        return failed("uncompressed", subject, expected, f"{exchange.wire_bytes} bytes without Content-Encoding")
    if coding.lower() not in offered:
        return failed("uncompressed", subject, expected, f"Content-Encoding: {coding}, which was not offered")
    vary = (exchange.header("vary") or "").lower()
    if "accept-encoding" not in vary and "*" not in vary:
        return failed("no-vary", subject, expected, f"Content-Encoding: {coding}, Vary: {vary or 'absent'}")
    return passed(subject, expected, f"{coding}: {exchange.wire_bytes} bytes for {len(exchange.body)}")


def judge_validator(exchange: Exchange, subject: str) -> tuple[tuple[str, str], ...] | Finding:
    """The header of a conditional request for what came, or that there is no way to make one."""
    tag, changed = exchange.header("etag"), exchange.header("last-modified")
    if tag is not None:
        return (("If-None-Match", tag),)
    if changed is not None:
        return (("If-Modified-Since", changed),)
    return failed("no-validator", subject, "ETag or Last-Modified", "neither")


def judge_conditional(exchange: Exchange, subject: str) -> Finding:
    """Whether what the client has already was not sent again."""
    expected = "status 304 without a body"
    if exchange.status == 304 and not exchange.body:
        return passed(subject, expected, "status 304")
    return failed("sent-again", subject, expected, f"status {exchange.status} with {exchange.wire_bytes} bytes")


def judge_redirect(exchange: Exchange, subject: str) -> Finding:
    """Whether a plain request was led to the same host over TLS, for good."""
    expected = "a lasting redirect (301 or 308) to https"
    if exchange.status not in _REDIRECTS:
        return failed("no-redirect", subject, expected, describe_status(exchange))
    there = urlsplit(exchange.header("location") or "")
    if there.scheme != "https":
        return failed("no-redirect", subject, expected, describe_status(exchange))
    if there.hostname != urlsplit(exchange.url).hostname:
        return failed("redirect-elsewhere", subject, expected, describe_status(exchange))
    if exchange.status not in (301, 308):
        return failed("redirect-temporary", subject, expected, describe_status(exchange))
    return passed(subject, expected, describe_status(exchange))
