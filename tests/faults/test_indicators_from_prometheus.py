"""The table of indicators as a user sees it, filled by a real Prometheus that scrapes a real application."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from workshop import Workshop, free_port

from prometheus_server import Prometheus

pytestmark = pytest.mark.timeout(240)

#: It measures its own requests, and says how many connections its pool has, in the text format of Prometheus.
APP = """\
import sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

EDGES, TIMES, CODES = (0.005, 0.05, 0.5, 5.0, 50.0), [], {}

def text():
    lines = ["pool_connections_used 45", "pool_connections_max 50"]
    lines += [f'http_requests_total{{code="{code}"}} {count}' for code, count in CODES.items()]
    name = "http_request_duration_seconds"
    lines += [f'{name}_bucket{{le="{edge}"}} {sum(one <= edge for one in TIMES)}' for edge in EDGES]
    lines += [f'{name}_bucket{{le="+Inf"}} {len(TIMES)}', f"{name}_sum {sum(TIMES)}", f"{name}_count {len(TIMES)}"]
    return "\\n".join(lines) + "\\n"

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        begin = time.monotonic()
        body = text().encode()
        CODES[200] = CODES.get(200, 0) + 1
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        TIMES.append(time.monotonic() - begin)

    def log_message(self, *words):
        pass

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
CONFIG = """\
service: shop
run: {{command: "true"}}
environments:
  production: {{router: {{kind: envoy, listen: "127.0.0.1:1"}}}}
indicators:
  source: {{kind: prometheus, url: "{url}", delay: 100ms, timeout: {timeout}}}
  p50: {{query: "{p50}", critical: 10s, target: 5s}}
  errors: {{query: 'sum(http_requests_total{{code="500"}}) / sum(http_requests_total)'}}
  connections: {{query: sum(pool_connections_used) / sum(pool_connections_max)}}
  cpu: {{query: "vector(0.1)"}}
  memory: {{query: "scalar(vector(0.1))"}}
  availability: {{query: "sum(rate(nobody_counts_this_total[1m]))"}}
"""
QUANTILE = "histogram_quantile(0.5, sum by (le) (http_request_duration_seconds_bucket))"


class Scraped:
    """The application, Prometheus, and the table."""

    def __init__(self, shop: Workshop, server: Prometheus, app: "subprocess.Popen[bytes]") -> None:
        self.shop, self.server, self.app = shop, server, app

    def table(self, *, p50: str = QUANTILE, url: str = "", timeout: str = "30s"):
        text = CONFIG.format(url=url or self.server.url, p50=p50, timeout=timeout)
        (self.shop.folder / "fairway.yaml").write_text(text)
        said = self.shop.fairway("bench", "indicators", "--json")
        return said.status, {row["name"]: row for row in said.json["indicators"]}


@pytest.fixture(scope="module")
def scraped(shared_shop: Workshop, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("scraped")
    port = free_port()
    (folder / "app.py").write_text(APP)
    (folder / "targets.json").write_text(f'[{{"targets": ["127.0.0.1:{port}"]}}]')
    server = Prometheus(folder / "prometheus", folder / "*.json")
    app = subprocess.Popen([sys.executable, folder / "app.py", str(port)])
    try:
        server.start()
        server.await_series("pool_connections_max", 1, 60)
        yield Scraped(shared_shop, server, app)
    finally:
        server.kill()
        app.kill()
        app.wait()


def test_rows_are_filled_by_what_prometheus_scraped_and_one_without_data_is_unknown(scraped: Scraped):
    status, rows = scraped.table()
    assert (rows["connections"]["value"], rows["connections"]["status"]) == (pytest.approx(0.9), "warning")
    assert rows["connections"]["source"] == "metrics"
    assert 0 < rows["p50"]["value"] <= 5000, "milliseconds of seconds"
    assert rows["p50"]["status"] == "good"
    assert (rows["availability"]["status"], rows["availability"]["code"]) == ("unknown", "no-data")
    assert (rows["errors"]["status"], rows["errors"]["code"]) == ("unknown", "no-data"), "no request has failed yet"
    assert rows["p95"]["code"] == "unmeasured"
    assert status == 3, "not everything that was asked for is known"


def test_a_query_that_is_wrong_is_another_answer_than_one_that_finds_too_much_or_nothing(scraped: Scraped):
    _, rows = scraped.table(p50="histogram_quantile(0.5, http_request_duration_seconds_bucket")
    assert (rows["p50"]["status"], rows["p50"]["code"]) == ("unknown", "metrics-query")
    assert "Prometheus refuses the query" in rows["p50"]["source"]
    assert rows["connections"]["status"] == "warning", "the others are asked all the same"
    assert scraped.table(p50="http_request_duration_seconds_bucket")[1]["p50"]["code"] == "several-series"
    assert scraped.table(p50="http_request_duration_seconds_bucket[1m]")[1]["p50"]["code"] == "metrics-query"
    assert scraped.table(p50="histogram_quantile(0.5, nothing_bucket)")[1]["p50"]["code"] == "no-data"


def test_a_prometheus_that_is_not_there_is_neither_green_nor_a_wrong_query(scraped: Scraped):
    status, rows = scraped.table(url=f"http://127.0.0.1:{free_port()}")
    asked = [rows[name] for name in ("p50", "errors", "availability", "cpu", "memory", "connections")]
    assert {(row["status"], row["code"], row["value"]) for row in asked} == {("unknown", "metrics-unreachable", None)}
    assert status == 3


def test_what_is_no_prometheus_says_so(scraped: Scraped):
    app = Path("/proc", str(scraped.app.pid), "cmdline").read_bytes().split(b"\0")[-2].decode()
    _, rows = scraped.table(url=f"http://127.0.0.1:{app}")
    assert rows["p50"]["code"] == "metrics-failed", rows["p50"]
    assert "is no Prometheus" in rows["p50"]["source"]


def test_an_application_that_died_leaves_no_number_that_looks_alive(scraped: Scraped):
    scraped.app.kill()
    scraped.app.wait()
    deadline = time.monotonic() + 90
    while (row := scraped.table()[1]["connections"])["status"] != "unknown":
        assert time.monotonic() < deadline, row
    assert row["code"] == "no-data"
