"""The load generator against servers that misbehave: it must neither flatter nor slander them."""

import threading

import pytest
from load_runs import load
from raw_server import Hangup, RawServer, answer

from fairway.adapters.load.answer import Answer


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
