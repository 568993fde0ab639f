"""What the planner predicts, against rollouts that really go through the analysis. Seeded; requests come at random."""

from bisect import bisect_right
from dataclasses import replace
from itertools import accumulate
from math import exp, inf, log, sqrt
from random import Random
from statistics import median

import pytest

from fairway.domain.analysis.analysis import Analysis
from fairway.domain.analysis.evidence import Counts, Evidence
from fairway.domain.analysis.noninferiority import is_shown
from fairway.domain.analysis.planning.course import READING, Course, walk
from fairway.domain.analysis.planning.forecast import LONG_TAIL, TOTAL, forecast
from fairway.domain.analysis.planning.hindsight import hindsight, probability
from fairway.domain.analysis.planning.ladder import better_ladder, moderate
from fairway.domain.analysis.planning.premises import Fault, Stretch, Traffic
from fairway.domain.analysis.planning.promotion import NINE_OF_TEN, ending
from fairway.domain.analysis.policy import PRESETS, AnalysisPolicy
from fairway.domain.analysis.traffic import RevisionTraffic, TrafficSnapshot

RUNS = 15
WITHIN = 1.5
"""The median found may be so many times the one predicted, or its inverse, beside one block."""

CELL = 1.1
"""Width of a cell of the latency histogram, as a factor."""


def drawn(random: Random, mean: float) -> int:
    """A number from the Poisson distribution."""
    if mean > 40.0:
        return max(0, round(random.gauss(mean, sqrt(mean))))
    number, chance, left = 0, exp(-mean), random.random()
    while left > chance and number < 200:
        left -= chance
        number += 1
        chance *= mean / number
    return number


def failing(random: Random, requests: int, ratio: float) -> int:
    if ratio in (0.0, 1.0) or requests < 40:
        return sum(random.random() < ratio for _ in range(requests))
    return min(requests, drawn(random, requests * ratio))


class Latencies:
    """A histogram to draw from, and the counts of what was drawn; the slowest answers take longer by a factor."""

    def __init__(self, cells, slower=1.0, slowest=1.0):
        self.cells = [(lower, width) for lower, width, _ in cells]
        self.sums = list(accumulate(count for _, _, count in cells))
        self.slower, self.quick = slower, (1.0 - slowest) * sum(count for _, _, count in cells)
        self.counts: dict[int, int] = {}

    def draw(self, random: Random, requests: int) -> None:
        for _ in range(requests):
            rank = random.random() * self.sums[-1]
            cell = bisect_right(self.sums, rank)
            lower, width = self.cells[cell]
            inside = (self.sums[cell] - rank) / (self.sums[cell] - (self.sums[cell - 1] if cell else 0))
            took = (lower + width * (1.0 - inside)) * (self.slower if rank >= self.quick else 1.0)
            place = int(log(took) / log(CELL))
            self.counts[place] = self.counts.get(place, 0) + 1

    def shown(self):
        return tuple((CELL**place, CELL**place * (CELL - 1.0), self.counts[place]) for place in sorted(self.counts))


class Rollout:
    """One rollout of the real analysis, with a candidate that is faulty from the stretch `first` on."""

    def __init__(self, policy: AnalysisPolicy, traffic: Traffic, fault: Fault, seed: int, first: int = 0):
        self.traffic, self.fault, self.first, self.random = traffic, fault, first, Random(seed)
        self.analysis = Analysis(policy, candidate="c", stable="s")
        self.now, self.counts, self.failed, self.served = 1000.0, [0, 0, 0, 0], 0, 0
        known = Latencies(traffic.latency)
        known.counts = {round(log(lower) / log(CELL)): count for lower, _, count in traffic.latency}
        self.latencies = (Latencies(traffic.latency, fault.slower, fault.slowest), known) if traffic.latency else ()
        self.analysis.observe(self.snapshot(), (), at=self.now)

    def snapshot(self) -> TrafficSnapshot:
        shown = [latency.shown() for latency in self.latencies] or [(), ()]
        pairs = (("c", self.counts[:2], shown[0]), ("s", self.counts[2:], shown[1]))
        revisions = tuple(RevisionTraffic(name, *counts, latency=cells) for name, counts, cells in pairs)
        return TrafficSnapshot(self.now, "origin", revisions)

    def found(self, stretches) -> tuple[int, float] | None:
        """Index of the stretch, and seconds in it, when the candidate was taken back."""
        for index, stretch in enumerate(stretches):
            self.enter(stretch)
            for tick in range(round(stretch.seconds / READING)):
                self.tick(stretch, faulty=index >= self.first)
                if self.analysis.verdict is not None:
                    return index, (tick + 1) * READING
        self.analysis.enter_step(0.0, at=self.now, scaled_up=False)
        return (len(stretches) - 1, stretches[-1].seconds) if self.analysis.verdict is not None else None

    def enter(self, stretch: Stretch) -> None:
        weight, copies = stretch.copies or stretch.weight, stretch.copies > 0.0
        scaled_up, bake = stretch.scaled_up, stretch.seconds
        self.analysis.enter_step(weight, at=self.now, scaled_up=scaled_up, bake=bake, copies=copies)

    def good_enough(self, stretch: Stretch) -> float:
        """Seconds after which the evidence for the candidate ends a step; infinite if there is none at its deadline."""
        self.enter(stretch)
        for tick in range(1, round(stretch.seconds / READING) + 1):
            self.tick(stretch, faulty=True)
            if tick * READING >= (stretch.least or 0.0) and is_shown(self.analysis.promotion.shown):
                return tick * READING
        return inf

    def tick(self, stretch: Stretch, *, faulty: bool) -> None:
        self.now += READING
        ratios = (self.fault.error_ratio(self.traffic) if faulty else self.traffic.errors, self.traffic.errors)
        for place, rps in enumerate((stretch.candidate_rps(self.traffic), stretch.stable_rps(self.traffic))):
            requests = drawn(self.random, rps * READING)
            failed = failing(self.random, requests, ratios[place])
            self.counts[2 * place] += requests
            self.counts[2 * place + 1] += failed
            if self.latencies:
                self.latencies[place].draw(self.random, requests - failed)
            if place == 0 and faulty:
                self.failed, self.served = self.failed + failed, self.served + requests
        self.analysis.observe(self.snapshot(), (), at=self.now)


def some_latency(seed: int = 3):
    """Five thousand answers around 20 ms, as a histogram."""
    random, counts = Random(seed), {}
    for _ in range(5000):
        place = int(log(20_000.0 * exp(random.gauss(0.0, 0.6))) / log(CELL))
        counts[place] = counts.get(place, 0) + 1
    return tuple((CELL**place, CELL**place * (CELL - 1.0), counts[place]) for place in sorted(counts))


POLICY = AnalysisPolicy()
LATENCY = some_latency()


def predicted(traffic, stretches, fault, *, policy=POLICY, first=0):
    course = Course.begin(policy, traffic)
    for stretch in stretches[:first]:
        course.pass_through(stretch)
    return walk(course, stretches, fault, first=first)


def simulated(traffic, stretches, fault, *, policy=POLICY, first=0, runs=RUNS):
    """Seconds into the stretch at which each rollout found it (None: it did not), and what had failed by then."""
    rollouts = [Rollout(policy, traffic, fault, seed, first) for seed in range(runs)]
    answers = [rollout.found(stretches) for rollout in rollouts]
    assert all(answer is None or answer[0] >= first for answer in answers), "taken back before anything was wrong"
    return [answer and answer[1] for answer in answers], [rollout.failed for rollout in rollouts]


def assert_agreement(told, seconds, failed=None) -> None:
    """An ordinary rollout ends when it was said to; and what is said not to be found is missed by most."""
    times = sorted(inf if one is None else one for one in seconds)
    if told is None:
        assert sum(time < inf for time in times) < len(times) / 2, times
        return
    middle = times[len(times) // 2]
    assert middle / WITHIN - READING <= told.seconds <= middle * WITHIN + READING, (told, times)
    if failed is not None:
        assert median(failed) / WITHIN - 1.0 <= told.failed <= median(failed) * WITHIN + 1.0, (told, failed)


@pytest.mark.parametrize("rps", [2.0, 20.0, 200.0, 1000.0])
@pytest.mark.parametrize("weight", [5.0, 50.0])
def test_half_of_all_rollouts_find_a_fault_about_when_it_was_said_and_few_what_was_said_not_to_be_found(rps, weight):
    traffic, stretches = Traffic(rps, 0.001), (Stretch(weight, 60.0, scaled_up=True),)
    for fault in (Fault(0.005), Fault(0.05), TOTAL):
        assert_agreement(predicted(traffic, stretches, fault), *simulated(traffic, stretches, fault))


def test_the_grid_holds_both_faults_that_are_found_and_faults_that_are_not():
    told = [
        predicted(Traffic(rps, 0.001), (Stretch(weight, 60.0, scaled_up=True),), fault) is not None
        for rps in (2.0, 20.0, 200.0, 1000.0)
        for weight in (5.0, 50.0)
        for fault in (Fault(0.005), Fault(0.05), TOTAL)
    ]
    assert told.count(True) >= 8
    assert told.count(False) >= 8


@pytest.mark.parametrize(
    ("rps", "weights", "errors"), [(100.0, (5.0, 25.0), 0.05), (20.0, (10.0, 50.0), 1.0), (1000.0, (1.0, 10.0), 0.01)]
)
def test_a_fault_that_begins_with_a_later_step_is_found_when_it_was_said(rps, weights, errors):
    traffic = Traffic(rps, 0.001)
    stretches = (Stretch(weights[0], 60.0, scaled_up=True), Stretch(weights[1], 60.0))
    told = predicted(traffic, stretches, Fault(errors), first=1)
    assert told is not None
    assert_agreement(told, *simulated(traffic, stretches, Fault(errors), first=1))


@pytest.mark.parametrize(("rps", "errors"), [(10.0, 1.0), (100.0, 0.05), (1000.0, 0.02), (100.0, 0.01)])
def test_where_stable_gets_no_requests_the_absolute_limit_decides_as_was_said(rps, errors):
    traffic, stretches = Traffic(rps, 0.001), (Stretch(10.0, 60.0, scaled_up=True), Stretch(100.0, 60.0, "observe"))
    told = predicted(traffic, stretches, Fault(errors), first=1)
    assert (told is None) == (errors == 0.01)
    assert_agreement(told, *simulated(traffic, stretches, Fault(errors), first=1))


@pytest.mark.parametrize("preset", ["strict", "tolerant"])
def test_other_margins_are_predicted_as_well(preset):
    policy, traffic, stretches = PRESETS[preset], Traffic(400.0, 0.002), (Stretch(10.0, 60.0, scaled_up=True),)
    for errors in (0.004, 0.04):
        told = predicted(traffic, stretches, Fault(errors), policy=policy)
        assert_agreement(told, *simulated(traffic, stretches, Fault(errors), policy=policy))


@pytest.mark.parametrize(
    ("rps", "weight", "slower"), [(100.0, 10.0, 2.0), (100.0, 50.0, 1.5), (400.0, 50.0, 1.2), (100.0, 10.0, 1.2)]
)
def test_a_candidate_that_is_slower_is_found_when_it_was_said(rps, weight, slower):
    traffic, stretches = Traffic(rps, 0.001, LATENCY), (Stretch(weight, 60.0, scaled_up=True),)
    told = predicted(traffic, stretches, Fault(slower=slower))
    assert (told is None) == (weight == 10.0 and slower == 1.2)
    seconds, _ = simulated(traffic, stretches, Fault(slower=slower), runs=7)
    assert_agreement(told, seconds)


def test_answers_of_a_millisecond_may_double_within_the_slack():
    quick = tuple((lower / 20.0, width / 20.0, count) for lower, width, count in LATENCY)
    traffic, stretches = Traffic(400.0, 0.001, quick), (Stretch(50.0, 60.0, scaled_up=True),)
    told = predicted(traffic, stretches, Fault(slower=1.5))
    assert told is None
    assert_agreement(told, simulated(traffic, stretches, Fault(slower=1.5), runs=5)[0])
    assert predicted(traffic, stretches, Fault(slower=4.0)) is not None


@pytest.mark.parametrize(
    ("policy", "fault", "latency"),
    [
        (AnalysisPolicy(ratio_margin=50.0, objective_errors=0.01), Fault(0.04), ()),
        (AnalysisPolicy(latency_margin=9.0, objectives_latency=((0.9, 0.06),)), Fault(slower=2.0), LATENCY),
    ],
)
def test_objectives_find_what_the_margins_allow(policy, fault, latency):
    traffic, stretches = Traffic(100.0, 0.001, latency), (Stretch(50.0, 60.0, scaled_up=True),)
    told = predicted(traffic, stretches, fault, policy=policy)
    assert told is not None
    assert_agreement(told, simulated(traffic, stretches, fault, policy=policy, runs=7)[0])
    lax = replace(policy, objective_errors=None, objectives_latency=())
    assert predicted(traffic, stretches, fault, policy=lax) is None


def test_nine_of_ten_rollouts_find_the_least_error_ratio_that_is_promised():
    traffic, stretches = Traffic(200.0, 0.001), (Stretch(10.0, 60.0, scaled_up=True), Stretch(50.0, 60.0))
    promised = forecast(POLICY, traffic, stretches).least_errors
    assert promised is not None
    seconds, _ = simulated(traffic, stretches, Fault(promised), runs=30)
    assert sum(one is not None for one in seconds) >= 25
    assert walk(Course.begin(POLICY, traffic), stretches, Fault(promised / 1.1), doubt=NINE_OF_TEN) is None


def test_the_ladder_that_is_advised_finds_what_the_own_one_does_not():
    traffic, own = Traffic(3.0, 0.001), (Stretch(1.0, 60.0, scaled_up=True), Stretch(10.0, 60.0))
    told = forecast(POLICY, traffic, own)
    aim = moderate(told.limit)
    assert told.steps[0].blind
    ladder = better_ladder(POLICY, traffic, aim, (1.0, 10.0))
    assert ladder is not None
    without, _ = simulated(traffic, own, aim, runs=10)
    with_it, _ = simulated(traffic, ladder.stretches(), aim, runs=10)
    assert sum(one is not None for one in without) <= 1
    assert sum(one is not None for one in with_it) >= 8


@pytest.mark.parametrize(("rps", "weight", "found"), [(200.0, 50.0, True), (100.0, 5.0, False)])
def test_a_long_tail_is_found_when_it_was_said_although_most_requests_are_answered_as_before(rps, weight, found):
    traffic, stretches = Traffic(rps, 0.001, LATENCY), (Stretch(weight, 120.0, scaled_up=True),)
    told = predicted(traffic, stretches, LONG_TAIL)
    assert (told is not None) == found
    assert_agreement(told, simulated(traffic, stretches, LONG_TAIL, runs=5)[0])
    assert LONG_TAIL in forecast(POLICY, traffic, stretches).faults


def test_a_rehearsal_with_copies_finds_what_it_was_said_to_find():
    traffic = Traffic(40.0, 0.001)
    stretches = (Stretch(0.0, 60.0, "rehearse", scaled_up=True, copies=30.0),)
    for fault in (Fault(0.05), TOTAL):
        told = predicted(traffic, stretches, fault)
        assert told is not None
        assert_agreement(told, *simulated(traffic, stretches, fault))


PROMOTED = [
    # Requests a second, weight, stable's error ratio; whether latency is known; whether most have an answer in time.
    (1000.0, 10.0, 0.0005, False, True),
    (100.0, 50.0, 0.004, False, True),
    (100.0, 10.0, 0.001, False, True),
    (100.0, 50.0, 0.001, True, True),
    (30.0, 10.0, 0.001, False, False),
    (5.0, 50.0, 0.001, True, False),
]


@pytest.mark.parametrize(("rps", "weight", "errors", "latency", "answered"), PROMOTED)
def test_half_of_all_steps_end_about_when_it_was_said_and_most_without_an_answer_where_that_was_said(
    rps, weight, errors, latency, answered
):
    traffic = Traffic(rps, errors, LATENCY if latency else ())
    stretch = Stretch(weight, 480.0, scaled_up=True, least=30.0)
    told = ending(Course.begin(POLICY, traffic), stretch)
    assert told is not None
    assert (told.usual is not None) == answered
    assert told.latency_known == latency
    runs = 5 if latency else 9
    times = sorted(Rollout(POLICY, traffic, Fault(), seed).good_enough(stretch) for seed in range(runs))
    if told.usual is None:
        assert sum(time < inf for time in times) < runs / 2, times
        assert told.requests is not None
        assert told.requests > stretch.candidate_rps(traffic) * stretch.seconds
        return
    assert told.usual / WITHIN <= times[runs // 2] <= told.usual * WITHIN, (told, times)
    assert told.lucky is not None
    assert told.lucky / WITHIN <= times[runs // 10], (told, times)
    assert told.unlucky is None or times[-1 - runs // 10] <= told.unlucky * WITHIN, (told, times)


def test_a_step_never_ends_before_its_least_time_and_three_blocks_are_the_fewest():
    traffic, policy = Traffic(100_000.0, 0.0001), replace(POLICY, warmup=0.0)
    for least in (5.0, 100.0):
        stretch = Stretch(50.0, 600.0, least=least)
        told = ending(Course.begin(policy, traffic), stretch)
        assert told is not None
        assert told.lucky == told.usual == told.unlucky == max(least, 30.0)
        # What clients give up is looked at from some seconds on, so its third block ends that much later.
        assert 0.0 <= Rollout(policy, traffic, Fault(), 1).good_enough(stretch) - max(least, 30.0) <= 3.0


def test_where_time_or_nothing_to_compare_with_ends_a_step_no_evidence_is_promised():
    course = Course.begin(POLICY, Traffic(100.0, 0.001))
    assert ending(course, Stretch(50.0, 600.0)) is None
    assert ending(course, Stretch(100.0, 600.0, least=30.0)) is None


def test_an_objective_that_stable_only_just_keeps_takes_longest_to_be_shown():
    course = Course.begin(AnalysisPolicy(objective_errors=0.0012), Traffic(200.0, 0.001))
    told = ending(course, Stretch(50.0, 600.0, least=30.0))
    assert told is not None
    assert told.slowest == "objective-errors"
    assert told.usual is None


def test_how_likely_a_fault_is_found_is_how_many_rollouts_find_it():
    traffic, stretch, fault = Traffic(60.0, 0.001), Stretch(10.0, 240.0), Fault(0.01)
    told = probability(POLICY, traffic, stretch, fault)
    assert 0.3 < told < 0.7
    seconds, _ = simulated(traffic, (stretch,), fault, runs=30)
    assert abs(sum(one is not None for one in seconds) / 30 - told) < 0.25
    assert probability(POLICY, traffic, stretch, TOTAL) == 1.0
    assert probability(POLICY, traffic, stretch, Fault(0.001)) < 0.01


def test_who_decides_without_an_answer_is_told_what_would_have_been_found():
    def said(candidate, stable, watched=300.0):
        return hindsight(POLICY, Evidence(0.5, 100.0, 0.0, 10.0, candidate, stable, ()), watched=watched)

    few = said(Counts(31, 0), Counts(280, 0))
    assert few == "An error ratio of 1 % would have been found with a probability of less than 1 %."
    many = said(Counts(60_000, 60), Counts(540_000, 540))
    assert many.startswith("An error ratio of 1 % (10 times stable's) would have been found with a probability of")
    assert many.endswith("more than 99 %.")
    assert said(Counts(31, 0), Counts(0, 0)) == ""
    assert said(Counts(0, 0), Counts(280, 0)) == ""
