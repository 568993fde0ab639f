"""Security headers after the lists of OWASP: which values are good enough."""

import pytest

from fairway.domain.validation.exchange import Exchange
from fairway.domain.validation.owasp import judge_headers

GOOD = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "content-security-policy": "default-src 'self'",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
}


def judge(headers, *, secure=True, ignore=()):
    exchange = Exchange("GET", "https://x/", 200, tuple(headers.items()))
    return [(one.outcome, one.code) for one in judge_headers(exchange, "x", secure=secure, ignore=ignore)]


def test_good_headers_pass():
    assert judge(GOOD) == [("passed", "ok")]


@pytest.mark.parametrize("name", GOOD)
def test_each_one_that_is_missing_is_told_and_may_be_ignored(name):
    rest = {key: value for key, value in GOOD.items() if key != name}
    assert judge(rest) == [("failed", "header-missing")]
    assert judge(rest, ignore=(name.title(),)) == [("passed", "ok")]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("content-security-policy", "script-src *", "header-weak"),
        ("content-security-policy", "default-src 'self' 'unsafe-inline'", "header-weak"),
        ("content-security-policy", "img-src 'self'", "header-weak"),
        ("content-security-policy", "script-src 'nonce-abc' 'unsafe-inline'", "ok"),
        ("content-security-policy", "default-src 'none'; script-src https:", "header-weak"),
        ("strict-transport-security", "max-age=0", "header-weak"),
        ("strict-transport-security", "max-age=86400", "header-weak"),
        ("strict-transport-security", 'max-age="63072000"', "ok"),
        ("referrer-policy", "unsafe-url", "header-weak"),
        ("referrer-policy", "unsafe-url, strict-origin", "ok"),
        ("x-frame-options", "ALLOW-FROM https://x", "header-weak"),
        ("server", "nginx", "ok"),
        ("server", "nginx/1.25.3", "header-telling"),
        ("x-aspnet-version", "4.0", "header-telling"),
        ("x-xss-protection", "0", "ok"),
        ("x-xss-protection", "1", "header-weak"),
    ],
)
def test_values_are_read_and_not_only_names(name, value, code):
    assert judge(GOOD | {name: value})[0][1] == code


def test_frame_ancestors_take_the_place_of_the_older_header():
    headers = {key: value for key, value in GOOD.items() if key != "x-frame-options"}
    headers["content-security-policy"] += "; frame-ancestors 'none'"
    assert judge(headers) == [("passed", "ok")]


def test_documents_need_more_and_plain_http_no_transport_security():
    document = {**GOOD, "content-type": "text/html; charset=utf-8"}
    assert judge(document) == [("failed", "header-missing")] * 3
    assert judge(GOOD, secure=False) == [("failed", "header-useless")]
