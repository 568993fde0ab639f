"""Which lane decided, in the words of the verdict."""

from dataclasses import replace

import pytest
from simulated_latency import Service

from fairway.domain.analysis import sentences
from fairway.domain.analysis.evidence import Counts, Evidence, LaneEvidence
from fairway.domain.analysis.interval import proportion_interval


def lane(name, weight, e_value):
    return LaneEvidence(name, weight, e_value, Counts(100, 10), Counts(900, 9), 10.0, 2.0, 40.0, "as much as allowed")


def evidence(*lanes, carried=1.0):
    total = carried * sum(one.weight * one.e_value for one in lanes)
    return Evidence(total, 100.0, 1.0, 10.0, Counts(100, 10), Counts(900, 9), lanes)


def test_lanes_are_sorted_by_what_each_adds():
    shown = evidence(lane("hard-lane", 0.5, 20.0), lane("error-lane", 0.3, 400.0), lane("latency-lane", 0.2, 0.5))
    assert [name for name, _ in sentences.attribute(shown)] == ["error-lane", "hard-lane", "latency-lane"]
    assert dict(sentences.attribute(shown))["error-lane"] == 120.0


def test_a_lane_that_is_sufficient_alone_needs_no_other_words():
    shown = evidence(lane("hard-lane", 0.5, 20.0), lane("error-lane", 0.3, 400.0))
    words = sentences.by_lane(shown.lanes[1], shown, watched=50.0)
    assert words.endswith("limit 100).")


def test_lanes_that_decide_only_together_are_named():
    shown = evidence(lane("hard-lane", 0.5, 2.0), lane("error-lane", 0.3, 250.0), lane("latency-lane", 0.2, 150.0))
    words = sentences.by_lane(shown.lanes[1], shown, watched=50.0)
    assert words.endswith(" Decided together: error-lane, latency-lane, hard-lane.")


def test_several_lanes_that_are_each_sufficient_are_named():
    shown = evidence(lane("error-lane", 0.5, 1000.0), lane("latency-lane", 0.5, 900.0))
    words = sentences.by_lane(shown.lanes[0], shown, watched=50.0)
    assert words.endswith(" Each sufficient alone: error-lane, latency-lane.")


def test_evidence_of_earlier_tries_counts_for_every_lane():
    shown = evidence(lane("hard-lane", 0.5, 2.0), lane("error-lane", 0.5, 30.0), carried=8.0)
    assert dict(sentences.attribute(shown))["error-lane"] == 120.0


def test_what_is_shown_adds_up_to_the_e_value_of_the_rollout():
    service = Service(rps=300.0).enter(50.0)
    service.slower = 1.3
    shown = service.turn(40.0).evidence
    assert sum(added for _, added in sentences.attribute(shown)) == pytest.approx(shown.e_value)
    assert sentences.attribute(replace(shown, lanes=())) == ()


def test_the_interval_of_a_proportion_holds_the_proportion_and_shrinks():
    assert proportion_interval(0, 0) == (0.0, 1.0)
    before = 1.0
    for n in (10, 100, 1000, 100_000):
        low, high = proportion_interval(n // 10, n)
        assert low < 0.1 < high
        assert high - low < before
        before = high - low
    assert proportion_interval(0, 100)[0] == 0.0
    assert proportion_interval(100, 100)[1] == 1.0
