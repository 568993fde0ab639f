"""Where the figures of the table come from."""

import math
from dataclasses import replace

import pytest

from fairway.domain.errors import PermanentError, TransientError
from fairway.domain.insight.indicators import DEFAULTS, Reading, fill, overall
from fairway.testing.baselines import sample_baseline, sample_round
from fairway.testing.metrics import FakeSource
from fairway.usecases.bench.indicators import read_load, read_queries, read_traffic
from fairway.usecases.present_traffic import Measured

QUERIED = tuple(replace(one, query=f"q-{one.name}") for one in DEFAULTS if one.name in ("p99", "connections"))


def test_a_measurement_fills_latency_errors_and_availability():
    rounds = (replace(sample_round(10.0, failed=10), unanswered=4, server_errors=1),)
    rows = fill(DEFAULTS, read_load(replace(sample_baseline("v1"), rounds=rounds)))
    values = {row.indicator.name: row.value for row in rows}
    assert (values["p50"], values["p95"], values["p99"]) == (10.0, 30.0, 40.0)
    assert values["errors"] == pytest.approx(0.1)
    assert values["availability"] == pytest.approx(0.9)
    assert values["cpu"] is values["memory"] is values["connections"] is None
    assert rows[0].source == "load v1"


@pytest.mark.parametrize("server_errors", [0, 100])  # answers 404, answers 500
def test_a_load_without_one_good_answer_has_no_latency_and_no_availability(server_errors):
    failing = replace(sample_round(1.0, failed=100), unanswered=0, server_errors=server_errors)
    found = read_load(replace(sample_baseline("v1"), rounds=(failing, failing)))
    rows = {row.indicator.name: row for row in fill(DEFAULTS, found)}
    for name in ("p50", "p95", "p99"):
        assert (rows[name].status, rows[name].value, rows[name].code) == ("unknown", None, "no-good-answer")
        assert rows[name].source == "load v1: no request was answered well"
    assert (rows["errors"].status, rows["errors"].value) == ("critical", 1.0)
    assert (rows["availability"].status, rows["availability"].value) == ("critical", 0.0)


def test_an_older_measurement_does_not_stand_in_where_all_requests_of_users_fail():
    failing = Measured(0, 0.0, finished=50, failed=50, latency=((1000.0, 1000.0, 50),))
    rows = fill(DEFAULTS, read_traffic(failing), read_load(sample_baseline("v1")))
    assert [(row.status, row.value, row.code) for row in rows[:3]] == [("unknown", None, "no-good-answer")] * 3
    assert [row.status for row in rows[3:5]] == ["critical", "critical"]


def test_no_measurement_fills_nothing():
    assert read_load(None) == {}


def test_queries_give_seconds_and_fractions():
    source = FakeSource({"q-p99": (("", 0.25),), "q-connections": (("", 0.4),)})
    found = read_queries(QUERIED, source, 1.0)
    assert (found["p99"].value, found["connections"].value) == (250.0, 0.4)
    assert found["p99"].source == "metrics"


@pytest.mark.parametrize(
    ("answer", "code", "why"),
    [
        ((), "no-data", "no data at this time"),
        ((("a", 1.0), ("b", 2.0)), "several-series", "2 series"),
        ((("", math.nan),), "no-data", "no number but nan"),
        ((("", math.inf),), "no-data", "no number but inf"),
        (TransientError("metrics-unreachable", "Prometheus is down"), "metrics-unreachable", "Prometheus is down"),
        (PermanentError("metrics-query", "it refuses the query"), "metrics-query", "it refuses the query"),
    ],
)
def test_what_is_no_single_number_is_no_figure_and_says_why(answer, code, why):
    found = read_queries(QUERIED[:1], FakeSource({"q-p99": answer}), 1.0)
    (row,) = fill(QUERIED[:1], found)
    assert (row.status, row.value, row.code) == ("unknown", None, code)
    assert why in row.source


def test_an_older_measurement_does_not_stand_in_for_a_query_without_an_answer():
    found = read_queries(QUERIED[:1], FakeSource({"q-p99": ()}), 1.0)
    (row,) = fill(QUERIED[:1], found, read_load(sample_baseline("v1")))
    assert (row.status, row.value) == ("unknown", None)
    assert overall((row, *fill(DEFAULTS, {"p50": Reading(1.0, "")}))) == "unknown"
    assert overall((row, *fill(DEFAULTS, {"p50": Reading(500.0, "")}))) == "critical"


def test_a_source_that_does_not_answer_is_asked_once():
    source = FakeSource({"q-p99": TransientError("metrics-timeout", "too late"), "q-connections": (("", 0.4),)})
    found = read_queries(QUERIED, source, 1.0)
    assert {one.code for one in found.values()} == {"metrics-timeout"}
    assert len(source.asked) == 1


def test_a_query_that_is_refused_keeps_no_other_from_being_asked():
    source = FakeSource({"q-connections": (("", 0.4),)})
    found = read_queries(QUERIED, source, 1.0)
    assert (found["p99"].code, found["connections"].value) == ("metrics-query", 0.4)


def test_a_query_without_anybody_to_ask_is_unknown():
    assert "no source of metrics" in read_queries(QUERIED[:1], None, 1.0)["p99"].source


def test_the_data_plane_fills_what_it_counted():
    cells = ((1000.0, 1000.0, 50), (2000.0, 1000.0, 45), (50_000.0, 10_000.0, 5))
    found = read_traffic(Measured(0, 0.0, finished=100, failed=2, latency=cells))
    assert [found[name].value for name in ("p50", "p95", "p99")] == [2.0, 3.0, 60.0]
    assert found["errors"].value == 0.02
    assert found["availability"].value == 0.98


@pytest.mark.parametrize("measured", ["the counters could not be read", Measured(0, 0.0, 0, 0, ())])
def test_a_data_plane_that_knows_nothing_says_so(measured):
    found = read_traffic(measured)
    assert {reading.value for reading in found.values()} == {None}
    assert all(reading.source for reading in found.values())


def test_where_nothing_is_live_the_data_plane_is_not_asked():
    assert read_traffic(None) == {}
