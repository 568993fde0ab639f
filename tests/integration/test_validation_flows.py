"""Requests in order against a real application: the registration example, captures, clean-up, retries, secrets."""

import json

import pytest
from checked import PASSED, accounts, check, codes

from fairway.config import load
from servers import http_server

CONFIG = """\
service: coditect
run: {{command: "serve --port {{port}}"}}
environments:
  production:
    router: {{kind: envoy, listen: "127.0.0.1:8000"}}
validation:
  checks:
    integration:
      kind: flow
{flow}
"""

#: The user registration, login, create, read and delete of a production deployment guide, as written there.
INTEGRATION = """\
      requests:
        - name: User registration
          send: POST /api/v1/users
          headers: {Content-Type: application/json}
          body: {"email": "test@example.com", "name": "Test User"}
          capture: {USER_ID: $.id}
        - name: User login
          send: POST /api/v1/auth/login
          headers: {Content-Type: application/json}
          body: {"email": "test@example.com", "password": "test123"}
          capture: {TOKEN: $.token}
        - name: Create resource
          send: POST /api/v1/resources
          headers: {Authorization: "Bearer {{TOKEN}}", Content-Type: application/json}
          body: {"name": "Test Resource"}
          capture: {RESOURCE_ID: $.id}
        - name: Verify resource
          send: GET /api/v1/resources/{{RESOURCE_ID}}
          headers: {Authorization: "Bearer {{TOKEN}}"}
          expect: {body: {$.id: "{{RESOURCE_ID}}", $.name: Test Resource}}
      cleanup:
        - name: Cleanup
          send: DELETE /api/v1/resources/{{RESOURCE_ID}}
          headers: {Authorization: "Bearer {{TOKEN}}"}
      confidential: [TOKEN]
"""

SMOKE = """\
      requests:
        - {send: GET /health, expect: {body: {$.status: ok}}}
        - {send: GET /api/v1/status, expect: {body: {$.online: true}}}
        - {send: GET /api/v1/db/ping, expect: {body: {$.connected: true}}}
        - send: GET /api/v1/me
          headers: {Authorization: "Bearer {{API_KEY}}"}
          expect: {body: {$.user.id: {not: null}}}
"""


@pytest.fixture
def flow(tmp_path):
    """Reads a flow as a configuration has it."""

    def read(text, *, secrets=()):
        path = tmp_path / "fairway.yaml"
        names = f"  secrets: [{', '.join(secrets)}]\n" if secrets else ""
        path.write_text(CONFIG.format(flow=text) + names)
        (found,) = load(path).environments[0].suite.checks
        return found.probe

    return read


def test_registration_login_create_read_and_delete_run_as_written(flow):
    probe = flow(INTEGRATION)
    with accounts() as url:
        first, second = check(probe, url), check(probe, url)
        left = check(flow("      requests: [{send: GET /api/v1/resources, expect: {body: {$.count: 0}}}]\n"), url)
    assert codes(first) == codes(second) == PASSED * 5, first
    assert [one.subject for one in first][::4] == ["User registration", "Cleanup"]
    assert codes(left) == PASSED, "nothing stays"


def test_the_smoke_tests_run_as_written(flow):
    with accounts() as url:
        findings = check(flow(SMOKE, secrets=["API_KEY"]), url, secrets={"API_KEY": "key-of-the-service"})
    assert codes(findings) == PASSED * 4, findings


def test_after_a_failure_the_rest_is_skipped_and_what_was_made_is_cleaned_up(flow):
    text = INTEGRATION.replace("$.name: Test Resource", "$.name: Another")
    with accounts() as url:
        findings = check(flow(text), url)
        left = check(flow("      requests: [{send: GET /api/v1/resources, expect: {body: {$.count: 0}}}]\n"), url)
    assert codes(findings) == [*PASSED * 3, ("failed", "body"), *PASSED]
    assert findings[3].expected == "$.name 'Another'"
    assert codes(left) == PASSED


def test_what_was_never_made_is_not_cleaned_up(flow):
    with accounts("--broken", "login") as url:
        findings = check(flow(INTEGRATION), url)
    assert codes(findings) == [
        *PASSED,
        ("failed", "status-401"),
        ("skipped", "unanswered"),
        ("skipped", "unanswered"),
        ("skipped", "nothing-made"),
    ]


def test_a_cleanup_that_fails_is_a_failure(flow):
    with accounts("--broken", "delete") as url:
        findings = check(flow(INTEGRATION), url)
    assert (findings[-1].subject, findings[-1].outcome, findings[-1].code) == ("Cleanup", "failed", "status-5xx")


def test_secrets_and_confidential_values_reach_the_service_and_no_output(flow):
    text = """\
      requests:
        - send: POST /login?password={{PASSWORD}}
          body: {password: "{{PASSWORD}}"}
          capture: {TOKEN: $.token}
        - send: GET /items/{{TOKEN}}
          headers: {Authorization: "Basic {{PASSWORD}}"}
          expect: {contains: not there}
      confidential: [TOKEN]
"""
    with http_server() as server:
        server.status = 200
        server.body = json.dumps({"token": "token-of-today", "echo": "p4ss word/4"}).encode()
        findings = check(flow(text, secrets=["PASSWORD"]), server.url, secrets={"PASSWORD": "p4ss word/4"})
        first, second = server.requests
    assert json.loads(first.body) == {"password": "p4ss word/4"}
    assert (second.path, second.headers["authorization"]) == ("/items/token-of-today", "Basic p4ss word/4")
    shown = str(findings)
    for secret in ("p4ss word/4", "p4ss%20word", "token-of-today"):
        assert secret not in shown
    assert "<TOKEN>" in shown
    assert "<PASSWORD>" in shown


def test_a_person_who_stops_the_command_leaves_nothing_behind(flow, monkeypatch):
    def stop(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("fairway.adapters.checks.flows.time.sleep", stop)
    text = INTEGRATION.replace("$.name: Test Resource", "$.name: Another").replace("{$.id:", "{$.id:")
    text = text.replace("        - name: Verify resource\n", "        - name: Verify resource\n          retries: 5\n")
    with accounts() as url:
        with pytest.raises(KeyboardInterrupt):
            check(flow(text), url)
        left = check(flow("      requests: [{send: GET /api/v1/resources, expect: {body: {$.count: 0}}}]\n"), url)
    assert codes(left) == PASSED


def test_headers_of_all_checks_go_to_the_service_and_to_no_stranger(flow):
    with http_server() as own, http_server() as other:
        own.status = other.status = 200
        probe = flow(f"      requests: [GET /own, GET {other.url}/other]\n")
        assert codes(check(probe, own.url, headers=(("X-API-KEY", "of-the-service"),))) == PASSED * 2
        assert own.requests[0].headers["x-api-key"] == "of-the-service"
        assert "x-api-key" not in other.requests[0].headers


def test_requests_are_sent_again_only_where_that_was_asked_for(flow):
    with http_server() as server:
        server.status = 503
        check(flow("      requests: [{send: GET /once}]\n"), server.url)
        findings = check(flow("      requests: [{send: GET /thrice, retries: 2, pause: 10ms}]\n"), server.url)
        paths = [one.path for one in server.requests]
    assert paths == ["/once", "/thrice", "/thrice", "/thrice"]
    assert codes(findings) == [("failed", "status-5xx")]


def test_values_are_captured_from_headers_and_status_too(flow):
    text = """\
      requests:
        - {send: GET /, capture: {PLACE: "header:Location", CODE: status}, expect: 201}
        - "GET {{PLACE}}/{{CODE}}"
"""
    with http_server() as server:
        server.status, server.headers = 201, {"Location": "/made/7"}
        findings = check(flow(text), server.url)
        assert server.requests[1].path == "/made/7/201"
    assert codes(findings) == PASSED * 2


def test_an_answer_without_the_value_is_told_where_it_was_missed(flow):
    with http_server() as server:
        server.status, server.body = 200, b'{"identity": 1}'
        (finding,) = check(flow("      requests: [{send: GET /, capture: {ID: $.id}}]\n"), server.url)
    assert (finding.code, finding.expected) == ("not-captured", "a value for ID at $.id")
