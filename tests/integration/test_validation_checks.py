"""Every kind of check of a service against a real application: one that is well, and one with the fault to be found."""

import pytest
from checked import PASSED, accounts, check, codes

from fairway.domain.validation.checks import HttpCheck
from fairway.domain.validation.expectation import Assertion, Expectation
from fairway.domain.validation.probes import (
    AuthCheck,
    BurstCheck,
    CompressionCheck,
    ConditionalCheck,
    CorsCheck,
    Endpoint,
    FlowCheck,
    GraphqlCheck,
    HeadersCheck,
    HealthCheck,
    MetricsCheck,
    RateLimitCheck,
    RedirectCheck,
    Request,
    ResponseTimeCheck,
)
from servers import http_server

KEY = "key-of-the-service"


@pytest.fixture(scope="module")
def well():
    with accounts() as url:
        yield url


@pytest.fixture(scope="module")
def ill():
    faults = [word for what in ("redis", "open", "slow", "cors", "schema") for word in ("--broken", what)]
    with accounts(*faults, "--version", "v1.2.4") as url:
        yield url


# Health


def test_health_endpoints_are_read_for_what_they_say(well):
    findings = check(HealthCheck(version="release"), well, version="1.2.3")
    assert codes(findings) == PASSED * 3
    assert [one.came.partition(":")[0] for one in findings[:2]] == ["ok, version v1.2.3", "ready"]
    assert findings[2].came.startswith("alive for")


def test_a_dependency_that_is_not_ok_is_named(ill):
    _, ready, _ = check(HealthCheck(), ill)
    assert (ready.outcome, ready.code) == ("failed", "health-dependency")
    assert ready.came == "redis is 'failed'"
    assert ready.expected == 'status "ready" and every check "ok"'
    assert "from the service's host" in ready.advice


def test_another_release_than_the_one_deployed_is_told(ill):
    basic, *_ = check(HealthCheck(version="release"), ill, version="1.2.3")
    assert (basic.outcome, basic.code, basic.came) == ("failed", "health-version", "version 'v1.2.4'")


def test_an_expectation_of_ones_own_takes_the_place_of_the_usual_body(well):
    expect = Expectation(body=(Assertion("$.online", "equals", True),))
    own = Endpoint("/api/v1/status", expect)
    assert codes(check(HealthCheck(own, None, None), well)) == PASSED
    wrong = Endpoint("/api/v1/status", Expectation(body=(Assertion("$.online", "equals", False),)))
    (finding,) = check(HealthCheck(wrong, None, None), well)
    assert (finding.code, finding.expected) == ("body", "$.online False")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"OK", "body-not-json"),
        (b"[]", "health-shape"),
        (b'{"version": "1", "timestamp": "2025-12-22T10:30:00Z"}', "health-shape"),
        (b'{"status": "ok", "timestamp": "2025-12-22T10:30:00Z"}', "health-shape"),
        (b'{"status": "ok", "version": "1", "timestamp": "yesterday"}', "health-shape"),
        (b'{"status": "down", "version": "1", "timestamp": "2025-12-22T10:30:00Z"}', "health-not-ok"),
    ],
)
def test_a_health_body_that_lacks_something_is_no_health(body, code):
    with http_server() as server:
        server.status, server.body = 200, body
        (finding,) = check(HealthCheck(ready=None, live=None), server.url)
    assert (finding.outcome, finding.code) == ("failed", code), finding


def test_endpoints_that_do_not_exist_fail_unless_they_are_optional():
    with http_server() as server:
        server.status = 404
        assert codes(check(HealthCheck(), server.url)) == [("failed", "status-404")] * 3
        assert codes(check(HealthCheck(optional=True), server.url)) == [("skipped", "absent")] * 3


# Credentials


def test_an_endpoint_opens_with_the_credential_only(well, ill):
    probe = AuthCheck("/api/v1/me", bearer="{{API_KEY}}")
    assert codes(check(probe, well, secrets={"API_KEY": KEY})) == PASSED * 3
    _, without, wrong = check(probe, ill, secrets={"API_KEY": KEY})
    assert (without.outcome, without.code) == (wrong.outcome, wrong.code) == ("failed", "auth-open")
    assert "protect the route at once" in without.advice


def test_a_credential_that_is_not_taken_is_told_and_never_shown(well):
    findings = check(AuthCheck("/api/v1/me", bearer="{{API_KEY}}"), well, secrets={"API_KEY": "rotated-yesterday"})
    assert codes(findings)[0] == ("failed", "status-401")
    assert "rotated-yesterday" not in str(findings)


def test_basic_and_api_key_credentials_are_sent_as_their_standards_say():
    for probe, name, value in (
        (AuthCheck("/", user="ann", password="{{WORD}}"), "authorization", "Basic YW5uOnM6w6ksIGEgd29yZA=="),
        (AuthCheck("/", header="X-API-KEY", key="{{WORD}}"), "x-api-key", "s:é, a word"),
    ):
        with http_server() as server:
            server.status = 200
            check(probe, server.url, secrets={"WORD": "s:é, a word"})
            first, second, third = (one.headers.get(name) for one in server.requests)
        sent = first.encode("latin-1").decode() if first else first
        assert (sent, second) == (value, None)
        assert third not in (None, first)


def test_a_secret_without_a_value_is_no_answer(well):
    (finding,) = check(AuthCheck("/api/v1/me", bearer="{{API_KEY}}"), well, secrets={"API_KEY": None})
    assert (finding.outcome, finding.code, finding.expected) == ("errored", "no-secret", "a value for API_KEY")


# Delivery


def test_security_headers_after_owasp_are_found_missing_weak_and_telling(well):
    assert codes(check(HeadersCheck("/text", ignore=("Server",)), well)) == PASSED
    with http_server() as server:
        server.status = 200
        server.headers = {
            "Content-Type": "text/html",
            "Content-Security-Policy": "default-src * 'unsafe-inline'",
            "X-Frame-Options": "ALLOWALL",
            "X-Powered-By": "Express",
            "X-XSS-Protection": "1; mode=block",
            "Strict-Transport-Security": "max-age=31536000",
        }
        findings = check(HeadersCheck(ignore=("Permissions-Policy",)), server.url)
    told = {(one.code, one.came.partition(":")[0]) for one in findings}
    assert {
        ("header-missing", "no X-Content-Type-Options"),
        ("header-missing", "no Referrer-Policy"),
        ("header-missing", "no Cross-Origin-Opener-Policy"),
        ("header-weak", "X-Frame-Options"),
        ("header-weak", "Content-Security-Policy"),
        ("header-weak", "X-XSS-Protection"),
        ("header-telling", "x-powered-by"),
        ("header-telling", "Server"),
    } <= told
    assert "header-useless" in {one.code for one in findings}
    assert not any("Permissions-Policy" in one.came for one in findings)


def test_origins_are_let_in_and_kept_out_as_meant(well, ill):
    probe = CorsCheck("/api/v1/status", allowed=("https://www.shop.example",), method="PUT")
    assert codes(check(probe, well)) == PASSED * 2
    _, refused = check(probe, ill)
    assert refused.code == "cors-open"
    (other,) = check(CorsCheck("/api/v1/status", allowed=("https://new.example",), refused=()), well)
    assert (other.code, other.came) == ("cors-refused", "Access-Control-Allow-Origin: absent")


def test_answers_are_compressed_and_not_sent_twice_where_that_is_declared(well):
    assert codes(check(CompressionCheck("/text"), well)) == PASSED
    assert codes(check(ConditionalCheck("/text"), well)) == PASSED
    assert codes(check(CompressionCheck("/health"), well)) == [("failed", "uncompressed")]
    assert codes(check(ConditionalCheck("/health"), well)) == [("failed", "no-validator")]
    with http_server() as server:
        server.status, server.body, server.headers = 200, b"x", {"ETag": '"1"'}
        assert codes(check(ConditionalCheck(), server.url)) == [("failed", "sent-again")]


@pytest.mark.parametrize(
    ("status", "location", "code"),
    [
        (301, "https://127.0.0.1/", "ok"),
        (308, "https://127.0.0.1/", "ok"),
        (302, "https://127.0.0.1/", "redirect-temporary"),
        (301, "https://elsewhere.example/", "redirect-elsewhere"),
        (301, "http://127.0.0.1/login", "no-redirect"),
        (200, "", "no-redirect"),
    ],
)
def test_plain_http_must_lead_to_the_same_host_over_tls_for_good(status, location, code):
    with http_server() as server:
        server.status, server.headers = status, {"Location": location} if location else {}
        (finding,) = check(RedirectCheck(start=server.url + "/"))
    assert finding.code == code, finding


# Times and numbers


def test_the_mean_response_time_is_judged(well, ill):
    assert codes(check(ResponseTimeCheck("/health"), well)) == PASSED
    (slow,) = check(ResponseTimeCheck("/health", samples=2), ill, max_response_time=0.1)
    assert (slow.outcome, slow.code, slow.expected) == ("failed", "slow", "mean of 2 within 100 ms")


def test_a_burst_is_answered_whole_or_the_first_fault_is_told(well):
    (finding,) = check(BurstCheck("/health"), well, concurrent=40)
    assert (finding.outcome, finding.subject) == ("passed", "40 requests at once to /health")
    (bad,) = check(BurstCheck("/nowhere", 4), well)
    assert bad.came.startswith("4 of 4 failed; the first: status 404")


def test_a_rate_limit_shows_within_the_requests_given():
    with accounts() as url:
        (hidden,) = check(RateLimitCheck("/limited", 3), url)
        (found,) = check(RateLimitCheck("/limited", 5, retry_after=True), url)
    assert (hidden.outcome, hidden.code) == ("failed", "no-limit")
    assert (found.outcome, found.came) == ("passed", "429 at request 3, Retry-After 1")


def test_a_path_that_does_not_exist_is_no_missing_limit(well):
    (finding,) = check(RateLimitCheck("/nowhere", 3), well)
    assert (finding.outcome, finding.code) == ("failed", "status-404")


def test_only_times_that_were_measured_are_told(well):
    findings = check(HealthCheck(), well)
    assert len({finding.seconds for finding in findings}) > 1, "each has its own"
    flow = FlowCheck((Request("GET", "/health"), Request("GET", "/api/v1/nothing"), Request("GET", "/health")))
    first, second, third = check(flow, well)
    assert first.seconds > 0
    assert second.seconds > 0
    assert third.seconds == 0, "it was never asked"


# Metrics and GraphQL


def test_metrics_are_read_strictly_and_named_series_must_be_there(well):
    probe = MetricsCheck(series=("http_requests_total", "http_request_duration_seconds"))
    assert codes(check(probe, well)) == PASSED
    (missing,) = check(MetricsCheck(series=("http_requests_total", "cache_hit_ratio")), well)
    assert (missing.code, missing.came) == ("metrics-missing", "5 series, without cache_hit_ratio")
    (page,) = check(MetricsCheck("/text"), well)
    assert (page.outcome, page.code) == ("failed", "metrics-malformed")


def test_a_query_comes_back_without_errors(well):
    body = (Assertion("$.data.products[0].name", "equals", "tea"),)
    probe = GraphqlCheck(query="{ products { id name } }", expect=Expectation(body=body))
    assert codes(check(probe, well)) == PASSED
    (wrong,) = check(GraphqlCheck(query="{ products { colour } }"), well)
    assert (wrong.outcome, wrong.code) == ("failed", "graphql-errors")
    assert "colour" in wrong.came


def test_a_schema_that_breaks_clients_of_stable_is_found(well, ill):
    _, schema = check(GraphqlCheck(), ill, stable=well)
    assert (schema.outcome, schema.code) == ("failed", "graphql-breaking")
    assert schema.came == "Field Product.price was removed."
    _, other_way = check(GraphqlCheck(), well, stable=ill)
    assert other_way.outcome == "passed", "a new field breaks nobody"
    _, meant = check(GraphqlCheck(allowed=("Product.price",)), ill, stable=well)
    assert (meant.outcome, meant.came[-9:]) == ("passed", ", 1 meant")


def test_the_simple_request_tells_what_came(well):
    (finding,) = check(HttpCheck("/api/v1/status", 200, '"online": false'), well)
    assert (finding.code, finding.came) == ("body", "'{\"online\": true}'")
