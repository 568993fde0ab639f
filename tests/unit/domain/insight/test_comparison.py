"""Verdicts: over noise that was recorded on a busy machine, and over rounds made for the purpose."""

import json
import math
import random
from dataclasses import replace
from pathlib import Path

import pytest

from fairway.domain.insight.baseline import Baseline, Round
from fairway.domain.insight.comparison import ComparisonPolicy, compare
from fairway.testing.baselines import in_turn, sample_baseline, sample_round

#: P50, P95, P99 and mean in ms, and processor time in µs, of rounds of one release and of the same once more in turn,
#: while others used the machine.
RECORDED = json.loads(Path(__file__).with_name("recorded_rounds.json").read_text())
POLICY = ComparisonPolicy()


def recorded(side: int, slower: float = 1.0) -> list[Round]:
    rounds = []
    for p50, p95, p99, mean, processor in (pair[side] for pair in RECORDED["pairs"]):
        one = replace(sample_round(), p50=p50 * slower, p95=p95 * slower, p99=p99 * slower, mean=mean * slower)
        rounds.append(replace(one, processor=processor * slower))
    return rounds


def verdict_of(before: list[Round], after: list[Round], policy: ComparisonPolicy = POLICY) -> str:
    return compared(before, after, policy).verdict


def compared(before: list[Round], after: list[Round], policy: ComparisonPolicy = POLICY):
    first = replace(sample_baseline("a"), rounds=tuple(before))
    second = replace(sample_baseline("b"), rounds=tuple(after))
    return compare(*in_turn(first, second), policy, made=2e9)


def drawn(chance: random.Random, count: int, slower: float = 1.0) -> tuple[list[Round], list[Round]]:
    """Pairs of recorded rounds, drawn again and again; which of a pair comes first is a toss."""
    first, second, other_first, other_second = recorded(0), recorded(1), recorded(0, slower), recorded(1, slower)
    before, after = [], []
    for _ in range(count):
        place = chance.randrange(len(first))
        if chance.random() < 0.5:
            before.append(first[place])
            after.append(other_second[place])
        else:
            before.append(second[place])
            after.append(other_first[place])
    return before, after


class TestOverRecordedNoise:
    def test_identical_releases_are_never_told_apart_in_a_hundred_comparisons(self):
        chance = random.Random(20)
        verdicts = [verdict_of(*drawn(chance, 40)) for _ in range(100)]
        assert "regression" not in verdicts

    def test_identical_releases_are_acquitted_by_processor_time_where_latencies_say_nothing(self):
        chance = random.Random(21)
        policy = ComparisonPolicy(required=("processor",))
        found = [compared(*drawn(chance, 40), policy) for _ in range(20)]
        assert [one.verdict for one in found].count("no-regression") >= 19
        assert any("could hide in P50 latency" in one.reason for one in found)

    def test_a_slow_down_of_a_fifth_is_found(self):
        chance = random.Random(22)
        verdicts = [verdict_of(*drawn(chance, 40, slower=1.2)) for _ in range(20)]
        assert verdicts.count("regression") >= 19

    def test_looking_three_times_until_there_is_an_answer_calls_nothing_a_regression(self):
        chance = random.Random(25)
        policy = replace(POLICY, looks=3)
        verdicts = []
        for _ in range(30):
            before, after = drawn(chance, 160)
            at_looks = [verdict_of(before[:count], after[:count], policy) for count in (40, 80, 160)]
            verdicts.append(next((one for one in at_looks if one != "inconclusive"), "inconclusive"))
        assert "regression" not in verdicts

    def test_each_look_has_its_part_of_the_risk(self):
        before, after = drawn(random.Random(26), 40)
        once, often = (compared(before, after, replace(POLICY, looks=looks)).changes[0] for looks in (1, 3))
        assert once.change == often.change
        assert often.lower < once.lower < once.upper < often.upper

    def test_a_speed_up_is_no_regression(self):
        chance = random.Random(23)
        verdicts = [verdict_of(*drawn(chance, 40, slower=0.8)) for _ in range(20)]
        assert "regression" not in verdicts

    def test_a_drift_of_the_whole_machine_is_not_taken_for_a_change(self):
        before, after = drawn(random.Random(24), 40)
        drift = [1.02**number for number in range(40)]
        slowed = [
            [replace(one, p50=one.p50 * by, processor=one.processor * by) for one, by in zip(side, drift, strict=True)]
            for side in (before, after)
        ]
        assert verdict_of(*slowed) == verdict_of(before, after) != "regression"


class TestVerdicts:
    def test_a_change_that_is_certain_and_tolerated_is_no_regression(self):
        rounds = [sample_round(10.0 + number % 3 * 0.01) for number in range(20)]
        slower = [sample_round((10.0 + number % 3 * 0.01) * 1.08) for number in range(20)]
        found = compared(rounds, slower)
        assert found.verdict == "no-regression"
        assert "no regression beyond 8" in found.reason
        assert "10% tolerated" in found.reason

    def test_too_few_rounds_are_no_answer_whatever_they_show(self):
        found = compared([sample_round(10.0)] * 3, [sample_round(30.0)] * 3)
        assert found.verdict == "inconclusive"
        assert any("too few" in remark for remark in found.remarks)
        assert all(math.isinf(change.upper) for change in found.changes)

    def test_what_could_hide_in_the_tail_is_said(self):
        chance = random.Random(3)
        before = [replace(sample_round(10.0), p99=40 * math.exp(chance.gauss(0, 1))) for _ in range(20)]
        after = [replace(sample_round(10.0), p99=40 * math.exp(chance.gauss(0, 1))) for _ in range(20)]
        found = compared(before, after)
        assert found.verdict == "no-regression"
        assert "could hide in P99 latency" in found.reason

    def test_a_tail_that_is_certainly_longer_is_a_regression_though_the_median_is_not(self):
        before = [sample_round(10.0)] * 20
        after = [replace(sample_round(10.0), p99=60.0)] * 20
        found = compared(before, after)
        assert (found.verdict, found.reason) == ("regression", "P99 latency +50.0% (+50.0% to +50.0%)")

    def test_more_failed_requests_are_a_regression(self):
        found = compared([sample_round()] * 20, [sample_round(failed=2)] * 20)
        assert found.verdict == "regression"
        assert "failed requests 0.00% → 2.00%" in found.reason

    def test_a_metric_that_nothing_measures_neither_convicts_nor_acquits(self):
        policy = ComparisonPolicy(judged=("processor",), required=("processor",))
        found = compared([sample_round()] * 20, [sample_round()] * 20, policy)
        assert found.verdict == "inconclusive"
        assert "nothing that must show it was measured" in found.reason

    def test_throughput_counts_only_where_the_service_decides_it(self):
        policy = ComparisonPolicy(judged=("throughput",), required=("throughput",))
        before, after = [sample_round()] * 20, [replace(sample_round(), seconds=1.3)] * 20
        assert verdict_of(before, after, policy) == "inconclusive"
        free = [replace(sample_baseline(name), rounds=tuple(rounds)) for name, rounds in (("a", before), ("b", after))]
        first, second = (replace(one, load=replace(one.load, rate=0.0)) for one in free)
        assert compare(*in_turn(first, second), policy, made=1.0).verdict == "regression"


class TestMeasuredAtDifferentTimes:
    def both(self, slower: float) -> tuple[Baseline, Baseline]:
        before = replace(sample_baseline("a"), rounds=(sample_round(10.0),) * 20)
        return before, replace(sample_baseline("b", made=2e9), rounds=(sample_round(10.0 * slower),) * 20)

    @pytest.mark.parametrize(
        ("slower", "verdict"),
        [(1.15, "inconclusive"), (1.25, "regression"), (1.0, "no-regression"), (0.7, "no-regression")],
    )
    def test_the_intervals_are_wider_by_the_drift(self, slower, verdict):
        found = compare(*self.both(slower), POLICY, made=3e9)
        assert found.verdict == verdict
        assert not found.in_turn
        assert any("not run in turn" in remark for remark in found.remarks)

    def test_another_machine_is_said(self):
        before, after = self.both(1.0)
        found = compare(before, replace(after, machine="another"), POLICY, made=3e9)
        assert any("different machines" in remark for remark in found.remarks)


def test_a_generator_that_was_the_limit_is_remembered():
    rounds = [replace(sample_round(), limit="generator", remark="the limit was the generator")] * 20
    found = compared([sample_round()] * 20, rounds)
    assert "b: in 20 of 20 rounds the limit was the generator" in found.remarks
