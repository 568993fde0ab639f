import json
from dataclasses import replace

import pytest
from simulated_rollout import World

from fairway.domain.analysis.evidence import Assessment, Counts, Evidence
from fairway.domain.analysis.history import LIMIT, History, Latency, Point, Slowdown
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.traffic import RevisionTraffic, TrafficSnapshot
from fairway.domain.codec import from_json


def assessment(at, *, decision="continue", weight=10.0, since=0.0, e_value=1.0):
    evidence = Evidence(e_value, 100.0, since, weight, Counts(9, 0), Counts(9, 0), ())
    return Assessment(decision, True, "watching", "", at - since, at, evidence)


class Written:
    """A history and what a journal that was told of its changes holds."""

    def __init__(self):
        self.history, self.rows = History(), {}

    def add(self, at, traffic=None, **known):
        change = self.history.add(assessment(at, **known), traffic)
        for number in change.dropped:
            self.rows.pop(number, None)
        self.rows |= change.written
        return self

    @property
    def times(self):
        return [point.at for _, point in self.history.points]

    def restore(self):
        self.history = History.restore(sorted(self.rows.items()))
        return self


def test_the_newest_point_takes_the_place_of_the_one_before_until_that_is_a_second_on():
    written = Written()
    for at in (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 2.25):
        written.add(at)
    assert written.times == [0.0, 1.0, 2.0, 2.25]
    assert list(written.rows) == [0, 1, 2, 3]


def test_both_sides_of_every_change_are_kept():
    written = Written().add(0.0).add(0.5).add(0.6, weight=50.0, since=0.6).add(0.7, weight=50.0, since=0.6)
    written.add(0.8, weight=50.0, since=0.6, decision="roll-back")
    assert written.times == [0.0, 0.5, 0.6, 0.7, 0.8]


CHANGES = (0.0, 1503.0, 7212.0, 30021.0, 69000.0)
"""When the steps of a long rollout begin."""


def test_a_rollout_of_a_day_is_kept_in_a_few_hundred_points_from_its_first_to_its_last():
    written = Written()
    for number in range(28800):
        at = 3.0 * number
        since = max(begun for begun in CHANGES if begun <= at)
        written.add(at, weight=10.0 + since / 1e4, since=since)
    assert LIMIT / 3 < len(written.times) <= LIMIT
    assert (written.times[0], written.times[-1]) == (0.0, 86397.0)
    assert {begun - 3.0 for begun in CHANGES[1:]} <= set(written.times)
    assert set(CHANGES) <= set(written.times)
    gaps = [b - a for a, b in zip(written.times, written.times[1:], strict=False)]
    assert max(gaps) <= 2 * written.history.spacing


def test_a_decision_that_flaps_for_hours_does_not_fill_the_journal():
    written = Written()
    for second in range(5000):
        written.add(float(second), decision="hold" if second % 2 else "continue")
    assert len(written.rows) <= LIMIT
    assert written.times[-1] == 4999.0


def test_what_was_written_down_is_the_history_and_goes_on_as_it_would_have():
    written = Written()
    for second in range(1500):
        written.add(float(second), e_value=1.0 + second)
    points = written.history.points
    assert written.restore().history.points == points
    assert written.history.spacing == 4.0
    for second in range(1500, 3000):
        written.add(float(second))
    assert [number for number, _ in written.history.points] == sorted(written.rows)
    assert len(written.rows) <= LIMIT


def test_a_write_that_was_lost_leaves_nothing_that_cannot_be_restored():
    written = Written()
    for second in range(700):
        lost = second % 3 == 0
        before = dict(written.rows)
        written.add(float(second))
        written.rows = before if lost else written.rows
    written.restore().add(700.0)
    assert written.times[-1] == 700.0
    assert len(set(written.times)) == len(written.times)


def test_a_clock_that_goes_back_neither_fills_nor_stops_it():
    written = Written()
    for at in (100.0, 101.0, 50.0, 50.2, 51.5):
        written.add(at)
    assert written.times[-1] == 51.5
    assert len(written.times) <= 5


def snapshot(at, candidate, *, origin="first"):
    cells = tuple((float(lower), 1000.0, count) for lower, count in candidate.items())
    return TrafficSnapshot(at, origin, (RevisionTraffic("c", 0, 0, cells),))


def test_latency_is_of_the_answers_of_the_last_seconds():
    written = Written().add(0.0, snapshot(0.0, {1000: 500}))
    written.add(4.5, snapshot(4.5, {1000: 500, 8000: 50}))
    assert written.history.points[-1][1].latency == {}
    written.add(5.0, snapshot(5.0, {1000: 500, 8000: 100}))
    latency = written.history.points[-1][1].latency["c"]
    assert (latency.p50, latency.p99) == (pytest.approx(8.5), pytest.approx(8.99))
    written.add(5.25, snapshot(5.25, {1000: 700, 8000: 100}))
    assert written.history.points[-1][1].latency["c"] == latency, "it took the place of that point"
    written.add(10.0, snapshot(10.0, {1000: 800, 8000: 100}))
    assert written.history.points[-1][1].latency["c"].p50 == pytest.approx(1.5)


@pytest.mark.parametrize("after", [None, snapshot(9.0, {1000: 600}, origin="second"), snapshot(9.0, {1000: 500})])
def test_latency_that_cannot_be_said_is_not_said(after):
    written = Written().add(0.0, snapshot(0.0, {1000: 500})).add(9.0, after)
    assert written.history.points[-1][1].latency == {}


def test_latency_begins_anew_with_the_counters():
    written = Written().add(0.0, snapshot(0.0, {1000: 500})).add(9.0, snapshot(9.0, {1000: 5}, origin="second"))
    written.add(20.0, snapshot(20.0, {1000: 5, 3000: 7}, origin="second"))
    assert written.history.points[-1][1].latency["c"].p50 == pytest.approx(3.5)


def test_a_point_says_what_the_analysis_said():
    world = World(policy=AnalysisPolicy(warmup=0.0, block=0.5)).enter(10.0)
    history = History()
    for _ in range(60):
        said = world.tick(rps=400.0, candidate=0.05, stable=0.02)
        history.add(said, None)
    point = history.points[-1][1]
    lane = next(one for one in said.evidence.lanes if one.name == "error-lane")
    assert (point.decision, point.rule, point.weight) == (said.decision, said.rule, 10.0)
    assert (point.candidate, point.stable) == (said.evidence.candidate, said.evidence.stable)
    assert (point.ratio, point.low, point.high) == pytest.approx((lane.ratio, lane.low, lane.high), rel=1e-4)
    assert sum(point.lanes.values()) == pytest.approx(point.e_value, rel=1e-3)
    assert point.e_value == pytest.approx(said.evidence.e_value, rel=1e-4)


def test_the_ratio_is_that_of_the_hard_lane_as_long_as_the_error_lane_has_judged_nothing():
    world = World(policy=AnalysisPolicy(warmup=60.0)).enter(10.0, scaled_up=True)
    history = History()
    for _ in range(12):
        said = world.tick(rps=400.0, candidate=0.5, stable=0.05)
        history.add(said, None)
    hard = next(one for one in said.evidence.lanes if one.name == "hard-lane")
    assert history.points[-1][1].ratio == pytest.approx(hard.ratio, rel=1e-4)


def test_what_a_later_version_adds_is_ignored_and_what_an_earlier_one_left_out_is_empty():
    written = Written().add(0.0)
    row = {name: value for name, value in written.rows[0].items() if name not in ("latency", "promotion")}
    (number, point), *_ = History.restore([(7, row | {"mood": "calm"})]).points
    assert (number, point) == (7, replace(written.history.points[0][1], latency={}, promotion={}))


def test_a_point_that_was_written_down_is_read_as_it_was():
    whole = replace(
        Written().add(0.0).history.points[0][1],
        latency={"c": Latency(1.5, None)},
        promotion={"errors": 3.0},
        lanes={"hard-lane": 0.5},
        slowdown=Slowdown(1.3, 1.1, None, 1.1, 0.95),
    )
    assert from_json(Point, json.loads(json.dumps(whole.to_json()))) == whole
