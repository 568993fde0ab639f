"""Evidence that a candidate is not too slow: right in expectation, about as fast as said, exact after a restart."""

import random
from bisect import bisect_right
from collections import Counter
from dataclasses import replace
from itertools import product
from math import comb, exp, log

import pytest

from fairway.domain import codec
from fairway.domain.analysis.distribution import Distribution
from fairway.domain.analysis.lanes.lane import Histograms, Reading, Step
from fairway.domain.analysis.noninferiority import BETA, CAP, NonInferiority, is_shown
from fairway.domain.analysis.noninferiority.latency import ODDS, LatencyEvidence
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.tail import log_tail_e_value
from fairway.domain.analysis.tally import Tally

LIMIT = 1.0 / BETA
POLICY = AnalysisPolicy(warmup=0.0, block=1.0)
GROWTH = 2.0 ** (1.0 / 16.0)
EDGES = [1000.0 * GROWTH**cell for cell in range(240)]


class Town:
    """Both revisions answer in log-normal times, 50 ms in the median; the candidate so many times as slow."""

    def __init__(self, slower=1.0, *, seed=1, candidate=100, stable=900, failing=0):
        self.chance, self.slower, self.failing = random.Random(seed), slower, failing
        self.sizes = (candidate, stable)
        self.counts = (Counter(), Counter())
        self.series = 0
        self.serve(1, 2000)

    def serve(self, candidate, stable):
        for counts, finished, factor in zip(self.counts, (candidate, stable), (self.slower, 1.0), strict=True):
            for _ in range(finished):
                counts[bisect_right(EDGES, self.chance.lognormvariate(log(50_000.0 * factor), 0.6)) - 1] += 1

    def reading(self, *, seconds=1.0, warming=False, incident=False, dispersion=1.0):
        candidate, stable = self.sizes
        self.serve(candidate - self.failing, stable)
        both = (
            Distribution(tuple((EDGES[cell], EDGES[cell] * (GROWTH - 1.0), counts[cell]) for cell in sorted(counts)))
            for counts in self.counts
        )
        tally = Tally(candidate, self.failing, stable, 0)
        return Reading(seconds, tally, warming, incident, Histograms(self.series, *both), dispersion)


def watch(town, seconds, evidence=None, **reading):
    evidence = evidence or LatencyEvidence()
    for _ in range(seconds):
        evidence.observe(town.reading(**reading), POLICY, length=1.0)
    return evidence


def first_shown(town, seconds):
    evidence = LatencyEvidence()
    for second in range(seconds):
        watch(town, 1, evidence)
        if evidence.e_value() >= LIMIT:
            return second + 1
    return None


def binomial(n, x, p):
    return comb(n, x) * p**x * (1.0 - p) ** (n - x)


def test_the_expected_e_value_is_at_most_one_for_every_candidate_as_slow_as_the_margin_or_slower():
    worst = 0.0
    for odds, share, (n_c, n_s) in product(ODDS, (0.05, 0.5), ((1, 1), (1, 4), (4, 1), (3, 3))):
        for p_s, beyond in product((0.01, 0.05, 0.5, 0.9), (1.0, 1.05)):
            p_c = min(1.0, p_s * beyond)
            expectation = sum(
                binomial(n_c, u, p_c)
                * binomial(n_s, w, p_s)
                * exp(log_tail_e_value(odds, share=share, candidate=(n_c, u), stable=(n_s, w)))
                for u, w in product(range(n_c + 1), range(n_s + 1))
            )
            worst = max(worst, expectation)
    assert 0.99 < worst <= 1.0 + 1e-9


def test_a_candidate_as_fast_as_stable_is_shown_in_about_as_many_requests_as_was_said():
    spent, said = [], []
    for seed in range(9):
        town, evidence = Town(seed=seed), LatencyEvidence()
        watch(town, 4, evidence)
        said.append(300 + evidence.missing(balance=1 / 9, threshold=LIMIT))
        spent.append(100 * first_shown(Town(seed=seed), 60))
    assert 0.5 <= sorted(spent)[4] / sorted(said)[4] <= 1.5


@pytest.mark.parametrize("slower", [1.3, 2.0])
def test_a_candidate_beyond_the_margin_is_not_shown(slower):
    assert all(first_shown(Town(slower, seed=seed), 30) is None for seed in range(5))


def test_a_candidate_that_is_fast_because_it_fails_is_not_shown():
    assert first_shown(Town(0.5, failing=60), 40) is None
    assert first_shown(Town(0.5), 40) is not None


def test_what_varies_more_than_it_should_shows_less():
    calm, wild = watch(Town(), 12), watch(Town(), 12, dispersion=4.0)
    assert log(wild.e_value()) == pytest.approx(log(calm.e_value()) / 4.0, abs=1.2)


@pytest.mark.parametrize(("warming", "incident"), [(True, False), (False, True)])
def test_warm_up_and_shared_incidents_show_nothing(warming, incident):
    assert watch(Town(), 30, warming=warming, incident=incident).e_value() == pytest.approx(1.0)


def test_counters_that_begin_again_cost_the_open_block_only():
    town, evidence = Town(), LatencyEvidence()
    watch(town, 10, evidence)
    known = evidence.e_value()
    town.series, town.counts = 1, (Counter(), Counter())
    watch(town, 1, evidence)
    assert evidence.e_value() == known
    watch(town, 10, evidence)
    assert evidence.e_value() > known


def test_one_block_is_worth_no_more_than_a_third_of_the_proof():
    evidence = watch(Town(0.5, candidate=3000, stable=3000), 2)
    assert evidence.e_value() == pytest.approx(CAP)


def test_a_new_step_begins_with_nothing_shown():
    evidence = watch(Town(), 30)
    assert evidence.e_value() > LIMIT
    evidence.begin()
    assert evidence.e_value() == pytest.approx(1.0)


def test_the_margin_is_never_below_the_margin_of_harm():
    wide = AnalysisPolicy(latency_margin=0.35, latency_slack=0.1)
    evidence = LatencyEvidence()
    evidence.observe(Town().reading(), wide, length=1.0)
    assert evidence.words() == "at most 35 % or 100 ms slower than stable at P50 and P95"
    stable, candidate = evidence.window.stable_edges, evidence.window.candidate_edges
    assert candidate == [edge + 100_000.0 for edge in stable]
    evidence.begin()
    evidence.observe(Town().reading(), replace(wide, latency_slack=0.001), length=1.0)
    assert evidence.window.candidate_edges == [edge * 1.35 for edge in evidence.window.stable_edges]


def entered(one=None, weight=10.0):
    one = one or NonInferiority()
    one.enter_step(Step(weight, weight >= 100.0, 60.0), POLICY)
    return one


def test_errors_and_latency_must_both_be_shown():
    one, town = entered(), Town(1.4)
    for _ in range(60):
        one.observe(town.reading(), POLICY)
    errors, latency, _ = one.shown
    assert (errors.name, latency.name) == ("errors", "latency")
    assert errors.e_value >= LIMIT > latency.e_value
    assert not is_shown(one.shown)
    one, town = entered(), Town()
    for _ in range(60):
        one.observe(town.reading(), POLICY)
    assert is_shown(one.shown)


def test_latency_that_is_measured_is_asked_for_from_the_first_reading_on():
    one = entered()
    one.observe(Town().reading(), POLICY)
    assert [test.name for test in one.shown] == ["errors", "latency", "abandonment"]
    assert one.shown[1].missing > 0


def test_the_evidence_goes_on_to_the_last_bit_from_what_was_stored():
    town, whole, halves = Town(), entered(), entered()
    for number in range(20):
        if number == 11:
            halves = codec.from_json(NonInferiority, codec.to_json(halves))
        reading = town.reading(seconds=0.4)
        for one in (whole, halves):
            one.observe(reading, POLICY)
    assert halves.shown == whole.shown


def strict_about(**objectives):
    return AnalysisPolicy(warmup=0.0, block=1.0, **objectives)


def watched(policy, town, seconds=60):
    one = NonInferiority()
    one.enter_step(Step(10.0, False, 60.0), policy)
    for _ in range(seconds):
        one.observe(town.reading(), policy)
    return {test.name: test for test in one.shown}


@pytest.mark.parametrize(
    ("objectives", "name", "town"),
    [
        ({"objective_errors": 0.01}, "objective-errors", Town()),
        ({"objectives_latency": ((0.99, 0.5),)}, "objective-p99", Town()),
    ],
)
def test_an_objective_that_is_kept_is_shown_too(objectives, name, town):
    shown = watched(strict_about(**objectives), town)
    assert list(shown) == ["errors", "latency", "abandonment", name]
    assert shown[name].e_value >= LIMIT
    assert shown[name].missing == 0


@pytest.mark.parametrize(
    ("objectives", "name", "town"),
    [
        ({"objective_errors": 0.01}, "objective-errors", Town(failing=1)),
        ({"objectives_latency": ((0.99, 0.15),)}, "objective-p99", Town()),
        ({"objectives_latency": ((0.99, 0.5),)}, "objective-p99", Town(failing=1)),
    ],
)
def test_an_objective_that_is_barely_kept_or_missed_is_not_shown(objectives, name, town):
    assert watched(strict_about(**objectives), town)[name].e_value < LIMIT


def test_what_is_missing_to_show_an_objective_is_named_and_shrinks():
    policy = strict_about(objective_errors=0.01)
    early, late = (watched(policy, Town(), seconds)["objective-errors"].missing for seconds in (1, 3))
    assert early > late > 0


def test_what_was_shown_of_latency_at_one_weight_is_not_shown_at_the_next():
    one, town = entered(), Town()
    for _ in range(60):
        one.observe(town.reading(), POLICY)
    assert one.shown[1].e_value > LIMIT
    entered(one)
    assert one.shown[1].e_value > LIMIT
    entered(one, 25.0)
    assert one.shown[1].e_value == pytest.approx(1.0)
