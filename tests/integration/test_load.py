"""The load generator: its pace and its requests, against servers that stall."""

import threading
import time

import pytest
from load_runs import load, load_for
from raw_server import RawServer, answer

from fairway.adapters.load.latency import percentile, record
from fairway.adapters.load.plan import parser, plan_from


class TestPace:
    def test_exactly_the_requests_of_the_rate_are_sent_and_each_once(self):
        with RawServer() as server:
            report = load_for(server.url, 1, rate=400)
            assert server.total == report.sent == report.ok
            assert server.connections <= 4
        assert report.sent + report.behind == 400
        assert report.behind < 20
        assert (report.failed, report.unfinished) == (0, 0)
        assert report.by_status == {"200": report.ok}
        assert sum(interval.sent for interval in report.timeline) == report.sent

    def test_a_stall_shows_in_the_percentiles_although_few_requests_were_under_way(self):
        opened = threading.Event()
        opened.set()

        def respond(number, method, path):
            if number == 300:
                threading.Timer(0.3, opened.set).start()
                opened.clear()
            opened.wait(5)
            return answer()

        with RawServer(respond) as server:
            report = load(server.url, rate=500, count=750)
        # 300 ms of 1,500 ms stood still: the requests that were due then waited up to 300 ms, those after caught up.
        assert report.sent == report.ok == 750
        assert report.p50_ms < 100
        assert 200 < report.p99_ms <= report.max_ms < 600
        assert 200 < report.max_lag_ms < 600

    def test_a_server_that_is_too_slow_leaves_requests_behind(self):
        def respond(number, method, path):
            time.sleep(0.05)  # a server that takes 50 ms
            return answer()

        with RawServer(respond) as server:
            report = load_for(server.url, 1, rate=100, connections=1)
            assert server.total == report.sent
        assert report.sent + report.behind == 100
        assert 60 < report.behind < 90

    def test_without_a_rate_connections_are_kept_busy(self):
        with RawServer() as server:
            report = load_for(server.url, 0.3, rate=0)
            assert server.total == report.sent == report.ok
        assert report.sent > 200

    def test_intervals_show_when_it_went_wrong(self):
        bad = threading.Event()
        with RawServer(lambda *_: answer(503 if bad.is_set() else 200)) as server:
            threading.Timer(0.7, bad.set).start()
            report = load_for(server.url, 1, rate=200, options=("--interval", "0.1"))
        assert 8 <= len(report.timeline) <= 12
        assert report.timeline[0].failed == report.timeline[1].failed == 0
        assert report.timeline[-1].ok == 0
        assert sum(interval.failed for interval in report.timeline) == report.failed > 0


class TestRequests:
    def test_methods_are_mixed_by_weight_and_meet_every_path(self):
        with RawServer() as server:
            options = ("--mix", "GET:9,POST:1", "--path", "/a?x=1", "--path", "/b", "--body", "12345")
            report = load(server.url, rate=800, count=200, options=options)
            assert server.requests == {
                ("GET", "/a?x=1"): 90,
                ("GET", "/b"): 90,
                ("POST", "/a?x=1"): 10,
                ("POST", "/b"): 10,
            }
            assert server.bodies == 100
        assert {name: counts.ok for name, counts in report.by_method.items()} == {"GET": 180, "POST": 20}

    def test_a_rare_method_is_spread_over_the_mix(self):
        plan = plan_from(parser().parse_args(["http://127.0.0.1:1", "--mix", "GET:8,POST:2"]))
        assert "".join(request.method[0] for request in plan.requests) == "GGPGGGGPGG"

    def test_a_body_that_no_buffer_holds_arrives_whole(self, tmp_path):
        (tmp_path / "body").write_bytes(b"x" * 16_000_000)
        with RawServer() as server:
            options = ("--method", "POST", "--body-file", str(tmp_path / "body"))
            report = load(server.url, rate=40, count=4, connections=1, options=options)
            assert report.ok == 4
            assert server.bodies == 64_000_000

    def test_answers_are_counted_by_revision(self):
        def respond(number, method, path):
            if number % 10 == 0:
                return answer(500, fields="X-Fairway-Revision: new-2\r\n")
            return answer(fields="x-fairway-revision:old-1 \r\n")

        with RawServer(respond) as server:
            report = load(server.url)
        assert {name: (counts.ok, counts.failed) for name, counts in report.by_revision.items()} == {
            "old-1": (90, 0),
            "new-2": (0, 10),
        }

    @pytest.mark.parametrize(
        ("status", "options", "ok"), [(302, (), 50), (404, (), 0), (404, ("--good", "200,404"), 50)]
    )
    def test_which_statuses_are_good_can_be_said(self, status, options, ok):
        with RawServer(lambda *_: answer(status)) as server:
            report = load(server.url, count=50, options=options)
        assert (report.ok, report.failed) == (ok, 50 - ok)


def test_percentiles_are_exact_below_sixteen_milliseconds_and_close_above():
    cells: dict[int, int] = {}
    for microseconds in [*range(1, 100), 1_234_567]:
        record(cells, microseconds)
    assert percentile(cells, 50) == 0.050
    assert percentile(cells, 99) == 0.099
    assert 1234.567 * (1 - 1 / 8192) <= percentile(cells, 100) <= 1234.567
    assert percentile({}, 50) is None
