"""The latency lane: what it finds, what it leaves out, and that it is not wrong more often than promised."""

import json
from collections import Counter
from math import comb, exp, log
from random import Random

import pytest
from simulated_latency import EDGES, Service, cells, lane

from fairway.domain.analysis.analysis import Analysis
from fairway.domain.analysis.distribution import Distribution
from fairway.domain.analysis.lanes import begin_lanes
from fairway.domain.analysis.lanes.lane import Histograms, Reading, Step
from fairway.domain.analysis.lanes.latency import ODDS, SHARES, LatencyLane, least_margin
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.tally import Tally
from fairway.domain.analysis.traffic import InstanceTraffic


def seconds_to_rollback(service, limit):
    begun = service.now
    assessment = service.turn(limit)
    assert assessment.decision == "roll-back", assessment.sentence
    return service.now - begun, assessment


@pytest.mark.parametrize(("weight", "slower", "longest"), [(10.0, 2.0, 61.0), (50.0, 2.0, 51.0), (50.0, 1.3, 111.0)])
def test_a_slower_candidate_is_found(weight, slower, longest):
    service = Service().enter(weight)
    service.slower = slower
    seconds, assessment = seconds_to_rollback(service, 200.0)
    assert assessment.rule == "latency-lane"
    assert seconds <= longest


def test_a_candidate_that_becomes_slower_after_fifteen_minutes_is_found_nearly_as_fast():
    service = Service(rps=100.0).enter(50.0)
    assert service.turn(900.0, reading=2.0).decision == "continue"
    service.slower = 2.0
    assert seconds_to_rollback(service, 120.0)[0] <= 90.0


def test_the_sentence_gives_counts_edges_quantiles_intervals_and_the_e_value():
    service = Service().enter(50.0)
    service.slower = 2.0
    sentence = service.turn(100.0).sentence
    assert sentence.startswith("Roll back after 50 s at 50 %: of the candidate ")
    for part in ("failed or took longer than ", " ms, of stable ", "; P50 ", " against ", "× (99 % interval ", "P95 "):
        assert part in sentence
    assert "(at most 10 % or 2 ms slower than stable)" in sentence
    assert sentence.count("e-value") == 1


@pytest.mark.parametrize("slower", [1.0, 1.09])
def test_a_candidate_within_its_margin_is_left_alone(slower):
    service = Service(rps=300.0).enter(50.0)
    service.slower = slower
    assessment = service.turn(300.0)
    assert assessment.decision == "continue"
    assert assessment.evidence.lanes[2].e_value < 2.0


def test_a_difference_below_the_slack_does_not_count_whatever_the_ratio():
    service = Service(rps=300.0, median=400.0, spread=0.3).enter(50.0)
    service.slower = 1.5
    assert service.turn(200.0).decision == "continue"
    strict = Service(AnalysisPolicy(warmup=0.0, latency_slack=0.0), rps=300.0, median=400.0, spread=0.3).enter(50.0)
    strict.slower = 1.5
    assert seconds_to_rollback(strict, 200.0)[1].rule == "latency-lane"


def test_failing_at_once_is_no_merit_and_counts_as_slow():
    service = Service(rps=300.0).enter(50.0)
    service.failing = (0.1, 0.0)
    service.turn(21.0)
    judged = lane(service.analysis)
    assert judged.e_value() > 2.0
    counts = judged.evidence().candidate
    assert counts.failed > 0.08 * counts.finished


def test_failures_that_the_margin_of_errors_allows_are_no_slowness():
    service = Service(rps=300.0).enter(50.0)
    service.failing = (0.245, 0.2)
    assessment = service.turn(400.0, reading=2.0)
    assert assessment.decision == "continue", assessment.sentence
    assert lane(service.analysis).e_value() < 2.0


@pytest.mark.parametrize(("ratio", "points"), [(2.0, 0.0), (1.0, 0.05), (0.0, 0.2)])
def test_wide_margins_of_errors_leave_the_lane_its_sight(ratio, points):
    policy = AnalysisPolicy(warmup=0.0, ratio_margin=ratio, absolute_margin=points)
    service = Service(policy).enter(50.0)
    service.slower = 2.0
    assert seconds_to_rollback(service, 200.0)[1].rule == "latency-lane"


def test_a_slower_stable_is_no_evidence_against_the_candidate():
    service = Service(rps=300.0).enter(50.0)
    service.slower = 0.5
    assert service.turn(100.0).evidence.lanes[2].e_value < 1.0


def test_both_becoming_slower_together_is_no_evidence():
    service = Service(rps=300.0).enter(50.0)
    service.turn(60.0)
    service.median *= 3.0
    assessment = service.turn(200.0)
    assert assessment.decision == "continue"
    assert assessment.evidence.lanes[2].e_value < 1.0


def test_warm_up_is_left_out():
    service = Service(AnalysisPolicy(warmup=60.0), rps=300.0).enter(50.0, scaled_up=True)
    service.slower = 3.0
    assert service.turn(58.0).evidence.lanes[2].candidate.finished == 0
    service.slower = 1.0
    assert service.turn(100.0).decision == "continue"
    assert lane(service.analysis).e_value() < 1.0


def test_counters_that_begin_again_cost_the_open_block_and_nothing_else():
    service = Service(rps=300.0).enter(50.0)
    service.turn(35.0)
    before = lane(service.analysis).e_value()
    service.origin = "two"
    service.latency = {name: Counter({EDGES[300]: 50}) for name in service.latency}
    service.finished, service.failed = Counter(), Counter()
    service.turn(5.0)
    assert lane(service.analysis).e_value() == before
    service.slower = 2.0
    assert service.turn(100.0).decision == "roll-back"


def test_without_requests_of_stable_to_compare_with_nothing_is_judged():
    service = Service(rps=300.0).enter(100.0)
    service.slower = 5.0
    assert service.turn(100.0).evidence.lanes[2].candidate.finished == 0


def test_edges_lie_near_the_quantiles_of_what_was_counted_before():
    service = Service(history=20_000).enter(50.0)
    service.turn(1.0)
    edges = lane(service.analysis).edges
    for edge, share in zip(edges, SHARES, strict=True):
        above = sum(count for lower, count in service.latency["stable"].items() if lower >= edge)
        assert above / service.finished["stable"] == pytest.approx(share, rel=0.25)


def test_a_service_that_answers_always_alike_can_be_judged():
    service = Service(spread=0.0).enter(50.0)
    service.turn(60.0)
    assert lane(service.analysis).e_value() < 1.0
    service.slower = 1.3
    assert service.turn(100.0).decision == "roll-back"


def test_what_is_known_of_stable_before_may_be_nothing():
    service = Service(history=0).enter(50.0)
    service.slower = 2.0
    assert service.turn(200.0).decision == "roll-back"


def test_the_state_can_be_stored_at_any_reading_to_the_last_bit():
    kept, stored = (Service(AnalysisPolicy(warmup=0.0, block=2.0), rps=120.0) for _ in range(2))
    for turn in range(120):
        for service in (kept, stored):
            if turn % 40 == 0:
                service.enter((10.0, 50.0, 20.0)[turn // 40], bake=20.0)
            service.slower = 1.2 if turn > 60 else 1.0
            service.origin = "two" if turn >= 90 else "one"
        value = json.loads(json.dumps(stored.analysis.to_json(), allow_nan=False))
        stored.analysis = Analysis.from_json(value)
        assert stored.turn(0.5) == kept.turn(0.5)
        assert stored.analysis == kept.analysis
    assert lane(kept.analysis).capital.blocks > 10


@pytest.mark.parametrize("readings", [1, 4, 20])
def test_the_number_of_readings_in_a_block_does_not_matter(readings):
    evidence = play_blocks(Random(3), blocks=8, readings=readings)
    assert evidence.e_value() == play_blocks(Random(3), blocks=8, readings=1).e_value()


def play_blocks(random, *, blocks, readings, length=10.0):
    """A lane that sees the same requests, cut into so many readings a block."""
    judged = begin_lanes(AnalysisPolicy())[2]
    judged.enter_step(Step(50.0, False, 0.0))
    counts = {"c": Counter(), "s": Counter(dict.fromkeys(EDGES[350:390], 100))}
    judged.observe(reading_of(counts, 0.0))
    for _ in range(blocks):
        added = [(random.choice("cs"), random.choice(EDGES[350:395])) for _ in range(400)]
        for part in range(readings):
            for name, edge in added[part::readings]:
                counts[name][edge] += 1
            judged.observe(reading_of(counts, length / readings))
    assert judged.capital.blocks == blocks
    return judged


def reading_of(counts, seconds, *failed):
    histograms = Histograms(0, *(Distribution(cells(counts[name])) for name in "cs"))
    return Reading(seconds, Tally(*failed), warming=False, incident=False, histograms=histograms)


def slow_lane(blocks, policy, edges, known):
    """The lane's e-value from lists of latencies and numbers of failures, by the book and without shortcuts."""
    schedule, cap = (0.5, 0.1, 0.4, 120.0), policy.alpha ** (-1 / 3)
    stakes = {(edge, odds): 0.0 for edge in edges for odds in ODDS}
    slow = {edge: min(len(known), 200) * share(known, edge) for edge in edges}
    worth = float(min(len(known), 200))
    pending, late = schedule[0], schedule[2]
    for number, (candidate, stable, failed_c, failed_s) in enumerate(blocks, start=1):
        left = schedule[2] * schedule[3] / (schedule[3] + number)
        fresh, pending, late = (pending + late - left) / len(stakes), 0.0, left
        n_c, n_s = len(candidate) + failed_c, len(stable) + failed_s
        for edge in edges:
            allowed = max(edge * (1 + policy.latency_margin), edge + policy.latency_slack * 1e6)
            u = failed_c + sum(one >= allowed - 1e-3 for one in candidate)
            w = failed_s + sum(one >= edge - 1e-3 for one in stable)
            q = min(0.95, (slow[edge] + 0.1) / (worth + 0.2))
            for odds in ODDS:
                t = odds * q / (1 - q + odds * q)
                z = (n_c * t + n_s * q) / (n_c + n_s)
                gain = u * log(t / z) + (n_c - u) * log((1 - t) / (1 - z))
                gain += w * log(q / z) + (n_s - w) * log((1 - q) / (1 - z))
                quick, slowly = (1 - t) / (1 - z), t / z
                part = 1 / policy.ratio_margin
                gain += failed_c * (log((1 - part) * quick + part * slowly) - log(slowly))
                gain -= n_c * part * policy.absolute_margin * (slowly / quick - 1)
                stakes[edge, odds] = (stakes[edge, odds] + fresh) * min(cap, exp(gain))
        fading = max(min(1.0, 500.0 / worth), 0.9)
        for edge in edges:
            slow[edge] = slow[edge] * fading + failed_s + sum(one >= edge - 1e-3 for one in stable)
        worth = worth * fading + n_s
    return sum(stakes.values()) + pending + schedule[1] + late


def share(latencies, edge):
    above = sum(one >= edge - 1e-3 for one in latencies)
    return max(0.5, min(len(latencies) - 0.5, above)) / len(latencies)


def test_the_lane_agrees_with_an_independent_slow_implementation():
    random, policy = Random(11), AnalysisPolicy()
    judged = begin_lanes(policy)[2]
    assert isinstance(judged, LatencyLane)
    judged.enter_step(Step(50.0, False, 0.0))
    known = [random.choice(EDGES[350:390]) for _ in range(700)]
    counts, blocks = {"c": Counter(), "s": Counter(known)}, []
    judged.observe(reading_of(counts, 0.0))
    for _ in range(12):
        sides = [[random.choice(EDGES[low : low + 45]) for _ in range(n)] for low, n in ((353, 60), (350, 240))]
        failed = (random.randrange(4), random.randrange(3))
        blocks.append((*sides, *failed))
        for name, side in zip("cs", sides, strict=True):
            counts[name].update(side)
        finished = [len(side) + more for side, more in zip(sides, failed, strict=True)]
        judged.observe(reading_of(counts, 10.0, finished[0], failed[0], finished[1], failed[1]))
    assert judged.capital.blocks == len(blocks)
    assert judged.e_value() == pytest.approx(slow_lane(blocks, policy, judged.edges, known), rel=1e-9)


def greatest_acceptable(runs, alpha):
    """The least k with P(more than k of `runs`) < 0.1 % when the probability is alpha."""
    tail, k = 1.0, -1
    while tail >= 0.001:
        k += 1
        tail -= comb(runs, k) * alpha**k * (1.0 - alpha) ** (runs - k)
    return k


ON_MARGIN = {80_000.0: 100_000.0, 88_000.0: 110_000.0, 96_000.0: 120_000.0}
"""Latencies of stable, each with the candidate's that lies exactly on a margin of 25 %; all are edges."""


def times_rejected(worse, *, runs, seed):
    """How often the lane alone takes back a candidate at alpha 20 %, in runs of 30 blocks with changing latencies."""
    policy = AnalysisPolicy(alpha=0.2, latency_margin=0.25, latency_slack=0.0)
    random, rejected, stable = Random(seed), 0, list(ON_MARGIN)
    for _ in range(runs):
        judged = begin_lanes(policy)[2]
        judged.enter_step(Step(50.0, False, 0.0))
        counts = {"c": Counter(), "s": Counter(dict.fromkeys(stable, 40))}
        judged.observe(reading_of(counts, 0.0))
        for block in range(30):
            weights = ((5, 3, 2), (2, 3, 5), (1, 1, 8))[block % 3]
            counts["s"].update(random.choices(stable, weights, k=40))
            shifted = (weights[0], weights[1], weights[2] + worse)
            counts["c"].update(ON_MARGIN[one] for one in random.choices(stable, shifted, k=12))
            judged.observe(reading_of(counts, 10.0))
            if judged.e_value() >= 1.0 / policy.alpha:
                rejected += 1
                break
    return rejected


def test_a_candidate_exactly_on_its_margin_is_rolled_back_no_more_often_than_promised():
    rejected = times_rejected(0, runs=200, seed=5)
    print(f"on the margin: {rejected} of 200 rolled back, at most {greatest_acceptable(200, 0.2)}")
    assert rejected <= greatest_acceptable(200, 0.2)


def test_a_candidate_beyond_its_margin_is_found_by_the_same_simulation():
    assert times_rejected(6, runs=40, seed=6) > 30


def test_the_margin_grows_with_the_spread_of_stables_instances():
    assert least_margin([100.0, 100.0, 100.0], 1) == 0.0
    assert least_margin([100.0, 130.0], 1) == 0.0
    few, many = least_margin([90.0, 100.0, 111.0], 1), least_margin([90.0, 100.0, 111.0], 4)
    assert few == pytest.approx(2.33 * 0.1049 * (1 + 1 / 3) ** 0.5, rel=0.01)
    assert many < few


def test_a_lane_takes_the_spread_of_instances_from_their_own_histograms():
    judged = begin_lanes(AnalysisPolicy())[2]
    judged.enter_step(Step(50.0, False, 0.0))
    own = [cells(Counter({edge: 200})) for edge in (EDGES[350], EDGES[360], EDGES[370])]
    stable = Distribution(cells(Counter({EDGES[350]: 200, EDGES[360]: 200, EDGES[370]: 200})))
    instances = tuple(InstanceTraffic(f"s-{i}", 200, 0, latency=one) for i, one in enumerate(own))
    histograms = Histograms(0, Distribution(), stable, instances, 2)
    judged.observe(Reading(0.0, Tally(), warming=False, incident=False, histograms=histograms))
    assert judged.margin > 0.1
    assert f"at most {judged.margin * 100:.3g} %" in judged.evidence().margin


def test_cells_count_as_slower_from_the_edge_on_where_they_begin():
    counts = Counter({100.0: 5, 110.0: 3, 120.0: 2})
    distribution = Distribution(cells(counts))
    edges = (90.0, 100.0, 100.1, 110.0, 119.0, 120.0, 121.0)
    assert [distribution.slower(edge) for edge in edges] == [10, 10, 5, 5, 2, 2, 0]
    assert distribution.slower(100.0 * 1.1) == 5  # a product may miss its edge by the last digit
    assert Distribution(()).edges(SHARES) == ()
