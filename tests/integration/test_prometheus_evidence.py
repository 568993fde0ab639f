"""Counters and gauges of a real application, scraped by a real Prometheus, as evidence against a candidate."""

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from fairway.adapters.metrics.prometheus import PrometheusSource
from fairway.domain.analysis.metrics.judgement import MetricsJudgement
from fairway.domain.analysis.metrics.policy import Metric, MetricsPolicy, questions
from prometheus_server import prometheus

ORDERS = Metric(
    "orders",
    "counter",
    failed='orders_total{revision="{{revision}}", outcome="failed"}',
    total='orders_total{revision="{{revision}}"}',
    ratio=1.25,
    points=0.001,
)
MEMORY = Metric("memory", "gauge", query='memory_bytes{revision="{{revision}}"}', ratio=1.2)
NAMES = {"candidate": {"revision": "new"}, "stable": {"revision": "old"}}


class Shop:
    """An application that takes a hundred orders a second, and says so in the text format of Prometheus."""

    def __init__(self, failing, memory):
        self.failing, self.memory, self.begun = failing, memory, time.monotonic()

    def text(self):
        orders = int(100 * (time.monotonic() - self.begun))
        failed = int(orders * self.failing)
        lines = [f'orders_total{{outcome="good"}} {orders - failed}', f"memory_bytes {self.memory}"]
        # As client libraries do it: a series is there once something was counted.
        lines += [f'orders_total{{outcome="failed"}} {failed}'] if failed else []
        return "\n".join(lines) + "\n"


@contextlib.contextmanager
def served(shop):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = shop.text().encode()
            self.send_response(200)
            self.send_header("content-type", "text/plain; version=0.0.4")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_orders_that_fail_and_memory_that_grows_are_found_in_what_prometheus_scraped(tmp_path):
    new, old = Shop(failing=0.2, memory=1300), Shop(failing=0.0, memory=1000)
    judgement = MetricsJudgement(MetricsPolicy(metrics=(ORDERS, MEMORY), alpha=0.002))
    judgement.enter_step(50.0, alone=False)
    with served(new) as candidate, served(old) as stable:
        groups = [{"targets": [candidate], "labels": {"revision": "new"}}]
        groups += [{"targets": [stable], "labels": {"revision": "old"}}]
        (tmp_path / "instances.json").write_text(json.dumps(groups))
        with prometheus(tmp_path / "prometheus", tmp_path / "*.json") as server:
            server.await_series('orders_total{outcome="good"}', 2)
            source = PrometheusSource(url=server.url, delay=0.1)
            deadline = time.monotonic() + 60
            while judgement.verdict is None:
                assert time.monotonic() < deadline, judgement
                at = time.time()
                for metric in (ORDERS, MEMORY):
                    asked = questions(metric, NAMES)
                    given = {key: source.read(query, at=at) for key, query in asked.items()}
                    judgement.take(metric, given, counting=True)
                time.sleep(0.26)
    orders = judgement.ratios["orders"]
    assert orders.e_value() > 1.0
    assert 0.15 < orders.judged[0] / orders.judged[1] < 0.25
    assert orders.judged[2] == 0
    assert judgement.signs["memory"].above == judgement.signs["memory"].intervals >= 8
    assert judgement.verdict.rule in ("metric-orders", "metric-memory")
