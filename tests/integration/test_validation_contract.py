"""A service against its own OpenAPI description, with requests that schemathesis generates."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from checked import check, codes

from fairway.domain.validation.probes import ContractCheck
from servers import raw_server, unused_address

ITEM = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
DESCRIPTION = {
    "openapi": "3.0.3",
    "info": {"title": "items", "version": "1"},
    "paths": {
        "/items/{id}": {
            "get": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "responses": {
                    "200": {"description": "ok", "content": {"application/json": {"schema": ITEM}}},
                    "400": {"description": "no number"},
                },
            }
        }
    },
}
CHECKS = ("not_a_server_error", "status_code_conformance", "response_schema_conformance")


@pytest.fixture
def served():
    """Starts a service on the standard library's server; gives its URL and the requests it got."""
    running = []

    def start(answer):
        seen = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                seen.append((self.path, self.headers.get("X-Api-Key")))
                status, body = (200, DESCRIPTION) if self.path == "/openapi.json" else answer(self.path)
                content = json.dumps(body).encode()
                self.send_response(status if self.command == "GET" else 405)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def __getattr__(self, name):
                # Any other method is not allowed; the standard library would call it not implemented.
                if name.startswith("do_"):
                    return self.do_GET
                raise AttributeError(name)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}", seen

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


def honest(path):
    number = path.rpartition("/")[2].partition("?")[0]
    return (200, {"id": int(number)}) if number.lstrip("-").isdigit() else (400, {})


def breaks_at_ten(path):
    status, body = honest(path)
    return (500, {"error": "overflow"}) if body.get("id", 0) > 9 else (status, body)


def test_a_service_that_keeps_its_word_passes_and_its_secret_is_sent(served):
    url, seen = served(honest)
    probe = ContractCheck(examples=5, checks=CHECKS, headers=(("X-Api-Key", "{{API_KEY}}"),))
    (finding,) = check(probe, url, secrets={"API_KEY": "key-of-today"})
    assert finding.outcome == "passed", finding
    assert finding.came.endswith("requests to 1 operations")
    assert {key for path, key in seen if path.startswith("/items")} == {"key-of-today"}


def test_a_server_error_is_found_with_the_request_that_shows_it(served):
    url, _ = served(breaks_at_ten)
    findings = check(ContractCheck(examples=15, checks=CHECKS), url)
    assert ("failed", "contract") in codes(findings)
    assert findings[0].subject == "GET /items/{id}", findings
    assert findings[0].came.startswith("Server error (critical)")
    assert f"curl -X GET {url}/items/" in findings[0].came


def test_a_description_that_is_missing_is_no_answer(served):
    url, _ = served(lambda path: (404, {}))
    assert codes(check(ContractCheck("/api.json"), url)) == [("errored", "contract-schema")]


def test_a_service_that_hangs_is_given_up_in_time(served):
    with raw_server(lambda connection, stop: stop.wait()) as address:
        (finding,) = check(ContractCheck(), f"http://{address}", timeout=0.5)
    assert (finding.outcome, finding.code) == ("failed", "timeout")
    url, _ = served(lambda path: time.sleep(2) or honest(path))
    (finding,) = check(ContractCheck(limit=1.0), url)
    assert (finding.outcome, finding.code, finding.expected) == ("errored", "timeout", "an end within 1 s")


def test_a_service_that_is_not_there_is_not_called_one_without_a_description():
    assert codes(check(ContractCheck(), f"http://{unused_address()}")) == [("errored", "refused")]


def test_a_secret_in_an_address_would_be_seen_in_the_list_of_processes(served):
    url, seen = served(honest)
    (finding,) = check(ContractCheck("/openapi.json?key={{API_KEY}}"), url, secrets={"API_KEY": "key-of-today"})
    assert (finding.outcome, finding.code) == ("errored", "secret-exposed")
    assert not seen
