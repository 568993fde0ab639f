"""The router's counters of the last minute, as named metrics."""

import pytest

from fairway.domain.analysis.metrics.samples import NoData, Sample
from fairway.domain.analysis.metrics.window import TrafficWindow
from fairway.domain.analysis.traffic import RevisionTraffic, TrafficSnapshot

FAST, SLOW = (9_000.0, 2_000.0), (2_000_000.0, 1_000.0)


def _snapshot(at, finished, failed=0, *, retried=0, slow=0, origin="one"):
    cells = ((*FAST, finished - slow), (*SLOW, slow))
    traffic = RevisionTraffic("new", finished, failed, tuple(cell for cell in cells if cell[2]), retried=retried)
    return TrafficSnapshot(float(at), origin, (traffic,))


def _window(*snapshots, length=60.0):
    window = TrafficWindow(length)
    for snapshot in snapshots:
        window.add(snapshot)
    return {name: one.value if isinstance(one, Sample) else one for name, one in window.samples("new").items()}


def test_ratio_rate_and_quantiles_are_those_of_what_ended_in_the_window():
    found = _window(_snapshot(0, 1000, 900), _snapshot(10, 1200, 910, slow=4))
    assert found["error_ratio"] == pytest.approx(0.05)
    assert found["request_rate"] == pytest.approx(20.0)
    assert found["p50"] == pytest.approx(10.0, abs=1.0)
    assert found["p99"] == pytest.approx(2000.0, abs=2.0)


def test_what_lies_before_the_window_is_forgotten():
    bad = [_snapshot(second, 10 * second, 10 * second) for second in range(11)]
    good = [_snapshot(10 + second, 100 + 10 * second, 100) for second in range(1, 40)]
    assert _window(*bad, *good, length=12.0)["error_ratio"] == 0.0
    assert _window(*bad, *good, length=60.0)["error_ratio"] == pytest.approx(100 / 490)


def test_only_a_few_snapshots_are_kept():
    window = TrafficWindow(60.0)
    for quarter in range(4000):
        window.add(_snapshot(quarter / 4, quarter))
    assert len(window.kept) <= 14
    assert 60.0 <= window.newest.at - window.kept[0].at <= 66.0


def test_second_tries_are_no_sample_of_the_requests():
    assert _window(_snapshot(0, 0), _snapshot(1, 100, 50, retried=50))["error_ratio"] == 1.0


def test_without_requests_there_is_no_ratio_and_no_quantile_and_nothing_to_wait_for():
    found = _window(_snapshot(0, 100), _snapshot(5, 100))
    assert found["request_rate"] == 0.0
    for name in ("error_ratio", "p50", "p95", "p99"):
        assert isinstance(found[name], NoData)
        assert found[name].idle


def test_counters_that_began_again_begin_a_new_window():
    found = _window(_snapshot(0, 1000), _snapshot(5, 10, 5, origin="two"))
    assert isinstance(found["error_ratio"], NoData)
    again = _window(_snapshot(0, 1000), _snapshot(5, 10, 5, origin="two"), _snapshot(6, 20, 5, origin="two"))
    assert again["error_ratio"] == 0.0
