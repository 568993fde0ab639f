"""The load generator against servers that misbehave: it must neither flatter nor slander them."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from raw_server import Hangup, RawServer, answer

from fairway.adapters.load.answer import Answer
from fairway.adapters.load.latency import percentile, record
from fairway.adapters.load.plan import parser, plan_from
from fairway.adapters.load.process import Load
from fairway.adapters.load.report import Report
from fairway.domain.errors import UserError

COMMAND = [sys.executable, "-m", "fairway.adapters.load"]


def load(url: str, *, rate: float = 1000.0, count: int = 100, connections: int = 4, options: tuple = ()) -> Report:
    """A number of requests rather than a time, so that a busy machine changes nothing."""
    options = ("--count", str(count), *options)
    with Load(url, rate=rate, connections=connections, options=options, niceness=10) as run:
        return run.wait()


def load_for(url: str, seconds: float, *, rate: float, connections: int = 4, options: tuple = ()) -> Report:
    with Load(url, rate=rate, duration=seconds, connections=connections, options=options, niceness=10) as run:
        return run.wait()


@contextmanager
def generator(*arguments: str, **settings):
    with subprocess.Popen([*COMMAND, *arguments, "--json"], stdout=subprocess.PIPE, text=True, **settings) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(condition, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


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


class TestFailures:
    """Every tenth request is treated badly; the others must not suffer."""

    @pytest.mark.parametrize(
        ("kind", "end"),
        [
            ("closed", Hangup()),
            ("reset", Hangup(reset=True)),
            ("reset", Hangup(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", reset=True)),
            ("truncated", Hangup(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")),
            ("truncated", Hangup(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n")),
            ("truncated", Hangup(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n")),
            ("truncated", Hangup(b"HTTP/1.1 20")),
            ("malformed", Hangup(b"SSH-2.0-server\r\n\r\n")),
            ("malformed", Hangup(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nmore than two")),
            ("malformed", Hangup(b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n")),
            ("malformed", Hangup(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")),
        ],
    )
    def test_an_answer_that_is_not_whole_is_a_failure_and_never_tried_again(self, kind, end):
        def respond(number, method, path):
            if number % 10 == 0:
                raise end
            return answer()

        with RawServer(respond) as server:
            report = load(server.url)
            assert server.total == report.sent == 100
        assert (report.ok, report.failed, report.errors) == (90, 10, {kind: 10})
        assert report.by_method["GET"].failed == 10

    def test_a_refused_connection_is_a_failure_for_each_request(self):
        with RawServer() as server:
            url = server.url
        report = load(url)
        assert (report.sent, report.failed, report.errors) == (100, 100, {"refused": 100})
        assert report.p99_ms is None

    def test_no_answer_in_time_is_a_failure_with_the_time_that_was_waited(self):
        never = threading.Event()

        def respond(number, method, path):
            if number == 5:
                never.wait(3)
            return answer()

        with RawServer(respond) as server:
            report = load(server.url, options=("--timeout", "0.4"))
            never.set()
        assert report.errors == {"timeout": 1}
        assert report.ok == 99
        assert report.max_ms >= 400

    def test_closing_an_idle_connection_is_no_failure(self):
        with RawServer(idle=0.05) as server:
            report = load(server.url, rate=2, count=4, connections=1)
            assert server.connections == report.sent == report.ok == 4
        assert report.reopened == 3
        assert report.failed == 0

    def test_a_last_word_on_an_idle_connection_is_no_failure(self):
        def respond(number, method, path):
            raise Hangup(answer() + b"") if number % 2 else Hangup(answer(fields="Connection: close\r\n"))

        with RawServer(respond) as server:
            report = load(server.url, rate=2, count=4, connections=1)
            assert server.connections == report.sent == report.ok == 4
        assert report.reopened == 2


GOOD_ANSWERS = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Fairway-Revision: r1\r\n\r\n12345",
    "no body": b"HTTP/1.1 204 No Content\r\nx-fairway-revision: r1\r\n\r\n",
    "not modified": b"HTTP/1.1 304 Not Modified\r\ncontent-length: 99\r\nx-fairway-revision: r1\r\n\r\n",
    "chunked": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx-fairway-revision: r1\r\n\r\n"
    b"5;name=value\r\n12\r\n5\r\nA\r\n0123456789\r\n0\r\n\r\n",
    "trailer": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Fairway-Revision: r1\r\n\r\n"
    b"1\r\nx\r\n0\r\nDigest: 1\r\nOther: 2\r\n\r\n",
    "interim": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nX-Fairway-Revision: r1\r\n"
    b"Content-Length: 0\r\n\r\n",
}
UNTIL_THE_END = {
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nX-Fairway-Revision: r1\r\n\r\nall of it",
    "no length": b"HTTP/1.1 200 OK\r\nConnection: close\r\nX-Fairway-Revision: r1\r\n\r\nall of it",
}


class TestAnswers:
    @pytest.mark.parametrize("piece", [1, 2, 3, 7, 1000])
    @pytest.mark.parametrize("name", GOOD_ANSWERS)
    def test_an_answer_is_understood_in_pieces_of_any_size(self, name, piece):
        data = GOOD_ANSWERS[name]
        parsed = Answer(b"x-fairway-revision", bodiless=False)
        states = [parsed.feed(data[start : start + piece]) for start in range(0, len(data), piece)]
        assert states == ["incomplete"] * (len(states) - 1) + ["complete"]
        assert parsed.revision == b"r1"
        assert not parsed.closes

    @pytest.mark.parametrize("surplus", ["0\r\n\r\nHTTP", "0\r\nDigest: 1\r\n\r\nHTTP", "-5\r\n"])
    def test_chunks_that_end_wrongly_are_malformed(self, surplus):
        parsed = Answer(b"x-fairway-revision", bodiless=False)
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert parsed.feed(head + surplus.encode()) == "malformed"

    @pytest.mark.parametrize(
        ("head", "closes"),
        [
            ("HTTP/1.0 200 OK\r\n", True),
            ("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n", False),
            ("HTTP/1.1 200 OK\r\n", False),
            ("HTTP/1.1 200 OK\r\nConnection: Close\r\n", True),
        ],
    )
    def test_whether_the_connection_lasts_is_understood(self, head, closes):
        parsed = Answer(b"x-fairway-revision", bodiless=False)
        assert parsed.feed(f"{head}Content-Length: 0\r\n\r\n".encode()) == "complete"
        assert parsed.closes is closes

    @pytest.mark.parametrize("name", GOOD_ANSWERS)
    def test_the_connection_is_used_again_after_it(self, name):
        with RawServer(lambda *_: GOOD_ANSWERS[name]) as server:
            report = load(server.url, connections=1)
            assert server.connections == 1
        assert report.ok == report.by_revision["r1"].ok == 100

    @pytest.mark.parametrize("name", UNTIL_THE_END)
    def test_an_answer_may_last_until_the_connection_ends(self, name):
        def respond(number, method, path):
            raise Hangup(UNTIL_THE_END[name])

        with RawServer(respond) as server:
            report = load(server.url)
            assert server.connections == 100
        assert (report.ok, report.reopened) == (100, 0)

    def test_the_answer_to_head_has_no_body_whatever_its_length_says(self):
        with RawServer(lambda *_: b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n") as server:
            assert load(server.url, options=("--method", "HEAD")).ok == 100

    def test_a_large_answer_is_read_whole(self):
        with RawServer(lambda *_: answer(body=b"x" * 1_000_000)) as server:
            assert load(server.url, rate=80, count=20).ok == 20


class TestStopping:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_signal_ends_it_at_once_with_a_report(self, number):
        with RawServer() as server, generator(server.url, "--rate", "100") as process:
            wait_for(lambda: server.total > 20)
            begin = time.monotonic()
            process.send_signal(number)
            report = Report.from_json(process.communicate(timeout=60)[0])
            assert time.monotonic() - begin < 30
            assert process.returncode == 0
            assert server.total == report.sent == report.ok

    def test_requests_under_way_get_time_and_are_then_neither_good_nor_bad(self):
        never = threading.Event()

        def respond(number, method, path):
            if number > 10:
                never.wait(5)
            return answer()

        with RawServer(respond) as server, generator(server.url, "--rate", "100", "--drain", "0.2") as process:
            wait_for(lambda: server.total > 10)
            process.terminate()
            report = Report.from_json(process.communicate(timeout=60)[0])
            never.set()
        assert report.ok == 10
        assert report.failed == 0
        assert report.unfinished == report.sent - 10 > 0

    def test_it_ends_when_its_stdin_is_closed(self):
        with (
            RawServer() as server,
            generator(server.url, "--rate", "100", "--stop-on-eof", stdin=subprocess.PIPE) as process,
        ):
            wait_for(lambda: server.total > 5)
            report = Report.from_json(process.communicate(timeout=60)[0])
        assert report.ok == report.sent

    def test_it_ends_when_its_caller_is_killed(self, tmp_path):
        with RawServer() as server:
            script = (
                "import time; from pathlib import Path\n"
                "from fairway.adapters.load.process import Load\n"
                f"with Load({server.url!r}, rate=100) as run:\n"
                f"    Path({str(tmp_path / 'pid')!r}).write_text(str(run._process.pid)); time.sleep(60)\n"
            )
            with subprocess.Popen([sys.executable, "-c", script]) as caller:
                wait_for(lambda: server.total > 5)
                caller.kill()
            pid = int((tmp_path / "pid").read_text())
            wait_for(lambda: not _is_alive(pid))

    def test_exit_status_one_says_that_a_request_failed(self):
        with (
            RawServer(lambda *_: answer(500)) as server,
            generator(server.url, "--rate", "50", "--duration", "0.1") as run,
        ):
            assert run.wait(60) == 1


class TestFromPython:
    def test_the_run_can_be_watched_and_stopped_at_any_time(self):
        with RawServer(lambda *_: answer(fields="x-fairway-revision: r1\r\n")) as server:
            with Load(server.url, rate=100, connections=2) as run:
                assert run.live() == {}
                wait_for(lambda: run.live().get("revisions"))
                seen = run.live()
                assert 0.9 < seen["at"] < 3
                assert seen["ok"] > 50
                assert seen["failed"] == 0
                report = run.stop()
                assert run.stop() is report
            assert server.total == report.sent == report.ok

    def test_stopping_before_it_began_gives_a_report_too(self):
        with RawServer() as server, Load(server.url, rate=1) as run:
            assert run.stop().failed == 0

    def test_leaving_the_block_ends_the_generator(self):
        with RawServer() as server:
            with Load(server.url, rate=100) as run:
                wait_for(lambda: server.total > 5)
            assert run._process.poll() is not None

    def test_a_report_survives_json(self):
        with RawServer() as server:
            report = load(server.url, count=25)
        assert Report.from_json(report.to_json()) == report
        assert json.loads(report.to_json())["ok"] == 25

    @pytest.mark.parametrize(
        ("url", "options"),
        [
            ("http://127.0.0.1:1", ("--warmup", "-1")),
            ("https://127.0.0.1:1/", ("--authority", "/nowhere/at-all.pem")),
            ("ftp://x", ()),
            ("http://127.0.0.1:1", ("--path", "no-slash")),
            ("http://127.0.0.1:1", ("--path", "/a b")),
            ("http://127.0.0.1:1", ("--mix", "GET:0")),
            ("http://127.0.0.1:1", ("--mix", "TRACE:1")),
            ("http://127.0.0.1:1", ("--header", "no colon")),
            ("http://127.0.0.1:1", ("--good", "fine")),
            ("http://127.0.0.1:1", ("--connections", "0")),
            ("http://127.0.0.1:1", ("--unknown",)),
            ("http://no-such-host.invalid/", ()),
        ],
    )
    def test_wrong_input_is_refused_in_a_sentence(self, url, options):
        with pytest.raises(UserError), Load(url, rate=1, duration=0.1, options=options) as run:
            run.wait()


def test_percentiles_are_exact_below_sixteen_milliseconds_and_close_above():
    cells: dict[int, int] = {}
    for microseconds in [*range(1, 100), 1_234_567]:
        record(cells, microseconds)
    assert percentile(cells, 50) == 0.050
    assert percentile(cells, 99) == 0.099
    assert 1234.567 * (1 - 1 / 8192) <= percentile(cells, 100) <= 1234.567
    assert percentile({}, 50) is None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
