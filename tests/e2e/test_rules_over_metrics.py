"""Canaries judged by the user's own metrics: rules over the router's numbers, and a real Prometheus that scrapes them.

The application answers every request with 200 and counts its orders, so that nothing but the metrics can tell.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from services import configure, environment
from workshop import Workshop, free_port, workshop

from fairway.adapters.load.process import Load
from prometheus_server import Prometheus, prometheus

APPLICATION = """\
import asyncio
import os

ORDERS = FAILED = 0
METRICS = 'orders_total{{outcome="good"}} %d\\norders_total{{outcome="failed"}} %d\\norders_waiting %d\\n'

async def app(scope, receive, send):
    global ORDERS, FAILED
    if scope["type"] != "http":
        return
    body = b"{version}"
    if scope["path"] == "/metrics":
        body = (METRICS % (ORDERS - FAILED, FAILED, 50 if {bad} else 5)).encode()
    elif not scope["path"].startswith("/health"):
        ORDERS += 1
        FAILED += bool({bad} and ORDERS % 2)
        await asyncio.sleep({delay})
    headers = [(b"content-type", b"text/plain; version=0.0.4"), (b"content-length", b"%d" % len(body))]
    await send({{"type": "http.response.start", "status": 200, "headers": headers}})
    await send({{"type": "http.response.body", "body": body}})
"""

CANARY = "{kind: canary, steps: [50, 100], bake: %s}"
REVISION = '{revision=\\"{{revision}}\\"}'


def release(shop: Workshop, version: str, *, bad: str = "False", delay: float = 0.0) -> None:
    shop.release(version, {"corner.py": APPLICATION.format(version=version, bad=bad, delay=delay)})


def configured(shop: Workshop, analysis: str, bake: str) -> int:
    """Commits the configuration of `production`, with 1.0.0 live; returns the users' port."""
    port = free_port()
    text = configure(environment("production", port, CANARY % bake, instances=1, analysis=analysis))
    (shop.folder / "fairway.yaml").write_text(text)
    release(shop, "1.0.0")
    answer = shop.deploy("1.0.0", "production")
    assert answer.status == 0, answer.err
    return port


def users(port: int, rate: float = 100) -> Load:
    return Load(f"http://127.0.0.1:{port}/", rate=rate, connections=16)


def test_a_canary_that_is_too_slow_for_too_long_is_taken_back_by_a_rule(shop: Workshop) -> None:
    rules = "{slow: {when: candidate.p99 > 80 && candidate.p50 > stable.p50 * 2, for: 2s}}"
    port = configured(shop, f"{{warmup: 1s, metrics: {{window: 3s}}, rules: {rules}}}", "60s")
    release(shop, "1.1.0", delay=0.1)
    with users(port) as load:
        answer = shop.deploy("1.1.0", "production")
        seen = load.stop()
    assert (answer.status, answer.json["verdict"]) == (1, "failed"), answer.err
    said = r"the rule slow has been true for \d+ s: candidate.p99 > 80 && candidate.p50 > stable.p50 \* 2"
    assert re.search(said, answer.json["reason"])
    (rule,) = answer.json["evidence"]["rules"]
    assert (rule["name"], rule["state"]) == ("slow", "fulfilled")
    assert rule["values"]["candidate.p99"] >= 100.0
    assert seen.failed == 0
    assert answer.json["quarantined"]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workshop, Prometheus]]:
    """A shop, and the Prometheus that scrapes it as the guide says."""
    folder = tmp_path_factory.mktemp("watched")
    targets = folder / "shop/.fairway/targets/prometheus/*.json"
    with workshop(folder / "shop") as shop, prometheus(folder / "prometheus", targets) as server:
        yield shop, server


def test_a_prometheus_that_dies_holds_the_rollout_and_once_it_is_back_a_rule_over_it_decides(
    watched: tuple[Workshop, Prometheus], tmp_path: Path
) -> None:
    shop, server = watched
    flag = tmp_path / "bad"
    source = f'source: {{kind: prometheus, url: "{server.url}", timeout: 1s, delay: 500ms}}'
    gauges = f'gauges: {{waiting: {{query: "orders_waiting{REVISION}", interval: 500ms}}}}'
    rules = "rules: {queue: {when: candidate.waiting > 20, for: 1s}}"
    port = configured(shop, f"{{warmup: 1s, no_data: 60s, metrics: {{{source}, {gauges}}}, {rules}}}", "60s")
    release(shop, "1.1.0", bad=f"os.path.exists({str(flag)!r})")
    with users(port) as load:
        deploy = shop.start("deploy", "1.1.0", "--env", "production", "--json")
        server.await_series('orders_waiting{version="1.1.0"}', 1)

        server.kill()
        # The evidence beside the reason is up to a second old.
        held = shop.await_status(
            "production",
            lambda status: (
                status["phase"] == "held"
                and "reached" in status["reason"]
                and status["evidence"]["metrics"][0]["state"] == "error"
            ),
        )
        assert "no answer about waiting" in held["reason"]
        assert held["verdict"] is None

        server.start()
        shop.await_status("production", lambda status: status["phase"] != "held")
        flag.touch()
        answer = shop.finish(deploy)
        load.stop()
    assert (answer.status, answer.json["verdict"]) == (1, "failed"), answer.err
    said = r"the rule queue has been true for \d+ s: candidate.waiting > 20 \(candidate.waiting 50\)"
    assert re.search(said, answer.json["reason"])
