"""Measuring and comparing releases, as a user does; then a deployment that demands it."""

import json
import os
import re
import signal
from html.parser import HTMLParser
from pathlib import Path

import pytest
from workshop import FAIRWAY, Workshop, free_port, workshop

APPLICATION = """
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_GET(self):
        for number in range(WORK): pass
        body = b"hello"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words): pass

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
CONFIGURATION = """
service: shop
run:
  command: python3 app.py {{port}}
  grace: 1s
environments:
  production:
    router: {{kind: envoy, listen: "127.0.0.1:{port}"}}
    gates: {{load: true, benchmark: true}}
  checked:
    router: {{kind: envoy, listen: "127.0.0.1:{other}"}}
    stages:
      verify:
        run: [{fairway} bench run --env checked --name after-the-switch --rounds 1 --config {config}]
    variables: {{SECRET: hunter2}}
bench:
  rate: 60
  duration: 200ms
  warmup: 100ms
  rounds: 7
  fresh: 4
  connections: 4
  headers: {{X-Secret: "${{SECRET}}"}}
  expect: {{p99: 5s, errors: 0%}}
  compare: {{confidence: 90%, require: [processor], patience: 0s}}
"""


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Releases 1.0.0 and, with twice the work, 1.1.0; compared in turn."""
    with workshop(tmp_path_factory.mktemp("bench") / "repository") as shop:
        config = shop.folder / "fairway.yaml"
        text = CONFIGURATION.format(port=free_port(), other=free_port(), fairway=FAIRWAY, config=config)
        files = {"fairway.yaml": text}
        shop.release("1.0.0", files | {"app.py": APPLICATION.replace("WORK", "60_000")})
        shop.release("1.1.0", {"app.py": APPLICATION.replace("WORK", "120_000")})
        os.environ["SECRET"] = "hunter2"
        shop.compared = shop.fairway("bench", "compare", "v1.0.0", "v1.1.0", "--json")
        yield shop
        del os.environ["SECRET"]


def instances_of(shop: Workshop) -> list[Path]:
    """The processes that run the application from the repository's folder."""
    return [place for place in Path("/proc").glob("[0-9]*") if works_in(place, shop.folder)]


def works_in(process: Path, folder: Path) -> bool:
    try:
        command = (process / "cmdline").read_bytes()
        return b"app.py" in command and str((process / "cwd").readlink()).startswith(str(folder))
    except OSError:
        return False


def test_a_release_that_does_twice_the_work_is_a_regression(measured):
    said = measured.compared
    assert said.status == 1, said.err
    found = said.json
    assert found["verdict"] == "regression"
    (cost,) = [change for change in found["changes"] if change["metric"] == "processor"]
    assert cost["verdict"] == "regression"
    assert 0.3 < cost["change"] < 2
    assert found["in_turn"] is True
    assert len(said.err.splitlines()) == 14
    assert "[14/14] v1.1.0" in said.err


def test_what_ran_for_the_measurement_is_gone(measured):
    assert instances_of(measured) == []


def test_both_are_kept_under_their_names_without_secrets(measured):
    found = measured.fairway("bench", "list", "--json").json["baselines"]
    assert {one["name"] for one in found} >= {"v1.0.0", "v1.1.0"}
    assert {one["subject"]["version"] for one in found} >= {"1.0.0", "1.1.0"}
    told = measured.fairway("bench", "list").out + json.dumps(found)
    assert "v1.1.0" in told
    assert "hunter2" not in told
    assert b"hunter2" not in (measured.folder / ".fairway" / "journal.db").read_bytes()


def test_kept_measurements_are_compared_without_measuring(measured):
    said = measured.fairway("bench", "compare", "v1.0.0", "v1.1.0", "--stored")
    assert said.status == 1
    assert "REGRESSION" in said.out
    assert said.err == ""


def test_a_name_that_was_never_measured_is_refused_with_those_that_were(measured):
    said = measured.fairway("bench", "compare", "v1.0.0", "v0.9.0", "--stored")
    assert said.status == 2
    assert "v0.9.0" in said.err
    assert "v1.1.0" in said.err


def test_different_loads_are_not_compared(measured):
    measured.fairway("bench", "run", "v1.0.0", "--name", "harder", "--rate", "70", "--rounds", "1")
    said = measured.fairway("bench", "compare", "v1.0.0", "harder", "--stored")
    assert said.status == 2
    assert "rate 60 and 70" in said.err


def test_a_limit_that_is_missed_is_status_one_and_the_measurement_is_kept(measured):
    text = (measured.folder / "fairway.yaml").read_text()
    stricter = measured.folder / "stricter.yaml"
    stricter.write_text(text.replace("p99: 5s", "p50: 1ms"))
    said = measured.fairway(
        "bench", "run", "v1.0.0", "--rounds", "1", "--config", str(stricter), BASELINE_NAME="from-variable"
    )
    stricter.unlink()
    assert said.status == 1
    assert "✗ p50 ≤" in said.out
    assert "from-variable" in measured.fairway("bench", "list").out


def test_a_variable_that_is_not_set_is_named(measured, monkeypatch):
    monkeypatch.delenv("SECRET")
    said = measured.fairway("bench", "run", "v1.0.0")
    assert said.status == 2
    assert "SECRET, which is not set" in said.err


class Page(HTMLParser):
    """Counts elements, and refuses what comes from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[str, int] = {}

    def handle_starttag(self, tag, attrs):
        self.counts[tag] = self.counts.get(tag, 0) + 1
        assert tag not in {"script", "link", "img", "iframe"}
        assert not {name for name, _ in attrs} & {"src", "href"}


def test_the_report_is_one_page_that_needs_nothing_from_elsewhere(measured, tmp_path):
    output = tmp_path / "report.html"
    said = measured.fairway("bench", "report", "--output", str(output), "--json")
    assert said.json["comparisons"] >= 1
    text = output.read_text()
    page = Page()
    page.feed(text)
    assert page.counts["svg"] >= 4
    assert page.counts["table"] >= 4
    assert "REGRESSION" in text
    assert "could not" not in text
    assert not re.search(r"https?://", text)
    assert "hunter2" not in text


def test_the_table_of_indicators_is_filled_and_says_what_nobody_measures(measured):
    said = measured.fairway("bench", "indicators", "--json")
    rows = {row["name"]: row for row in said.json["indicators"]}
    assert rows["p50"]["status"] != "unknown"
    assert rows["p50"]["source"].startswith("load ")
    assert rows["memory"]["source"] == "this machine"
    assert (rows["connections"]["status"], rows["connections"]["value"]) == ("unknown", None)
    assert said.status in (0, 1)


def test_a_deployment_that_demands_measurements_is_refused_until_they_are_there(measured):
    first = measured.fairway("deploy", "v1.0.0", "--env", "production")
    assert first.status == 0, first.err
    through_the_proxy = measured.fairway("bench", "run", "--env", "production", "--rounds", "1", "--json").json
    assert through_the_proxy["name"] == "production"
    assert through_the_proxy["subject"]["version"] == "1.0.0"
    rows = {row["name"]: row for row in measured.fairway("bench", "indicators", "--json").json["indicators"]}
    assert rows["p99"]["source"] == rows["errors"]["source"] == "data plane"
    refused = measured.fairway("deploy", "v1.1.0", "--env", "production", "--json")
    assert refused.status == 1
    assert refused.json["error"]["code"] == "benchmark"
    assert "1.1.0 is slower than 1.0.0" in refused.json["error"]["message"]
    measured.release("1.2.0", {"README.md": "no change of the application"})
    unknown = measured.fairway("deploy", "v1.2.0", "--env", "production", "--json")
    assert (unknown.status, unknown.json["error"]["code"]) == (1, "load")


def test_a_stage_of_a_rollout_measures_the_candidate_that_users_reach(measured):
    done = measured.fairway("deploy", "v1.0.0", "--env", "checked")
    assert done.status == 0, done.err
    found = measured.fairway("bench", "list", "--json").json["baselines"]
    (kept,) = [one for one in found if one["name"] == "after-the-switch"]
    assert kept["subject"]["version"] == "1.0.0"


def test_a_measurement_that_is_ended_leaves_nothing_running(measured):
    before = instances_of(measured)
    command = measured.start("bench", "run", "v1.0.0", "--name", "interrupted")
    assert command.stderr is not None
    command.stderr.readline()
    command.send_signal(signal.SIGTERM)
    command.wait(60)
    assert instances_of(measured) == before
    assert "interrupted" not in measured.fairway("bench", "list").out


def test_two_measurements_at_once_are_refused(measured):
    command = measured.start("bench", "run", "v1.0.0", "--name", "long", "--rounds", "100")
    assert command.stderr is not None
    command.stderr.readline()
    said = measured.fairway("bench", "run", "v1.0.0", "--name", "second")
    stored = measured.fairway("bench", "compare", "v1.0.0", "v1.1.0", "--stored")
    assert command.poll() is None
    command.send_signal(signal.SIGTERM)
    command.wait(60)
    assert said.status == 3
    assert "another measurement is under way" in said.err
    assert stored.status == 1, "comparing what is kept needs no measurement"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("run",), "nothing to measure"),
        (("run", "--name", "no-such-release"), "no-such-release"),
        (("run", "v1.0.0", "--rate", "-1"), "-1"),
        (("run", "v1.0.0", "--rounds", "-3"), "-3"),
        (("run", "v1.0.0", "--duration", "soon"), "soon"),
        (("run", "v1.0.0", "--env", "nowhere"), "nowhere"),
        (("run", "ftp://127.0.0.1/"), "ftp"),
    ],
)
def test_wrong_input_is_refused_in_a_sentence(measured, arguments, word):
    said = measured.fairway("bench", *arguments)
    assert said.status == 2, said.err
    assert word in said.err
    assert "Traceback" not in said.err
