import time

import pytest

from fairway.adapters.metrics.prometheus import PrometheusSource
from fairway.domain.errors import PermanentError, TransientError
from fairway.testing.metrics import FakeSource
from fairway.testing.metrics_contract import MetricSourceContract
from prometheus_server import prometheus
from servers import http_server, raw_server, unused_address


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prometheus")
    with prometheus(folder, folder / "none.json") as running:
        yield running


class TestPrometheus(MetricSourceContract):
    seven = "vector(7)"
    two = 'label_replace(vector(2), "a", "x", "", "") or label_replace(vector(1), "a", "y", "", "")'
    nothing = 'up{job="nobody"}'
    nan = "vector(NaN)"
    wrong = "sum("

    @pytest.fixture(autouse=True)
    def _server(self, server):
        self.server = server

    @property
    def at(self):
        return time.time()

    def source(self):
        return PrometheusSource(url=self.server.url)

    def unreachable(self):
        return PrometheusSource(url=f"http://{unused_address()}")

    def test_a_plain_number_is_one_series(self):
        assert self.source().read("7", at=self.at) == (("", 7.0),)

    def test_what_is_no_number_at_one_moment_is_refused_in_words(self):
        with pytest.raises(PermanentError, match="gives a matrix"):
            self.source().read("up[5m]", at=self.at)

    def test_the_words_of_prometheus_reach_the_user(self):
        with pytest.raises(PermanentError, match="unclosed left parenthesis"):
            self.source().read(self.wrong, at=self.at)

    def test_the_time_asked_for_is_the_time_answered_for(self):
        source = PrometheusSource(url=self.server.url, delay=2.0)
        assert source.read("time()", at=1_700_000_000.5) == (("", 1_699_999_998.5),)


class TestFakeSource(MetricSourceContract):
    seven, two, nothing, nan, wrong = "seven", "two", "nothing", "nan", "wrong"
    at = 1_700_000_000.0

    def source(self):
        two = (("b", 2.0), ("a", 1.0))
        return FakeSource({"seven": (("", 7.0),), "two": two, "nothing": (), "nan": (("", float("nan")),)})

    def unreachable(self):
        return FakeSource({"seven": TransientError("metrics-unreachable", "nobody listens")})


def test_a_server_that_hangs_is_given_up_in_time():
    def hang(connection, stop):
        stop.wait()

    with raw_server(hang) as address:
        begun = time.monotonic()
        with pytest.raises(TransientError, match=r"did not answer within 0\.3 s"):
            PrometheusSource(url=f"http://{address}", timeout=0.3).read("up", at=0.0)
        assert time.monotonic() - begun < 30


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, b"no such page", PermanentError),
        (401, b"who are you?", PermanentError),
        (502, b"bad gateway", TransientError),
        (200, b"<html>", TransientError),
        (503, b'{"status":"error","errorType":"unavailable","error":"starting"}', TransientError),
        (422, b'{"status":"error","errorType":"execution","error":"many-to-many"}', PermanentError),
        (200, b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{}}]}}', PermanentError),
    ],
)
def test_what_is_no_answer_of_prometheus_is_told_from_no_data(status, body, kind):
    with http_server() as server:
        server.status, server.body = status, body
        with pytest.raises(kind):
            PrometheusSource(url=server.url).read("up", at=0.0)


def test_the_header_authorization_comes_from_a_variable_and_is_never_guessed():
    with http_server() as server:
        server.status, server.body = 200, b'{"status":"success","data":{"resultType":"vector","result":[]}}'
        known = PrometheusSource(url=server.url, authorization_variable="TOKEN", environment={"TOKEN": "Bearer x"})
        assert known.read("up", at=0.0) == ()
        assert server.requests[0].headers["authorization"] == "Bearer x"
        missing = PrometheusSource(url=server.url, authorization_variable="TOKEN", environment={})
        with pytest.raises(TransientError, match="TOKEN"):
            missing.read("up", at=0.0)
        assert len(server.requests) == 1
