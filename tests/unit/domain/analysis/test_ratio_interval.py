from math import exp, log
from random import Random

import pytest

from fairway.domain.analysis.interval import GRID, RatioInterval
from fairway.domain.codec import from_json, to_json


def simulate(ratio, *, blocks, seed):
    """Failures of stable 2 % of 90 requests a block, of the candidate `ratio` times that of 10."""
    random, interval = Random(seed), RatioInterval()
    missed = False
    for _ in range(blocks):
        candidate = sum(random.random() < 0.02 * ratio for _ in range(10))
        stable = sum(random.random() < 0.02 for _ in range(90))
        interval.add(candidate_failed=candidate, stable_failed=stable, share=0.1)
        low, high = interval.bounds()
        missed = missed or (low is not None and low > ratio) or (high is not None and high < ratio)
    return interval, missed


def test_nothing_is_known_before_the_first_failure():
    interval = RatioInterval()
    interval.add(candidate_failed=0, stable_failed=0, share=0.5)
    assert interval.bounds() == (None, None)


def test_failures_of_the_candidate_alone_give_a_lower_end_and_no_upper_end():
    interval = RatioInterval()
    interval.add(candidate_failed=20, stable_failed=0, share=0.1)
    low, high = interval.bounds()
    assert low is not None
    assert low > 5.0
    assert high is None


def test_failures_of_stable_alone_give_an_upper_end_and_no_lower_end():
    interval = RatioInterval()
    interval.add(candidate_failed=0, stable_failed=200, share=0.5)
    low, high = interval.bounds()
    assert low == 0.0
    assert high is not None
    assert high < 0.1


@pytest.mark.parametrize("ratio", [1.0, 8.0])
def test_the_interval_holds_the_true_ratio_at_all_moments_of_nearly_all_runs(ratio):
    runs = 150
    missed = sum(simulate(ratio, blocks=60, seed=seed)[1] for seed in range(runs))
    assert missed <= 6  # 1 % of 150; P(more than 6) < 0.1 %


def test_the_interval_narrows_round_the_true_ratio():
    low, high = simulate(8.0, blocks=1500, seed=3)[0].bounds()
    assert 4.0 < low < 8.0 < high < 16.0


def slow_bounds(blocks):
    """The interval from its definition: any ratio may be asked about, and each block is gone through each time."""

    def likelihood(u):
        shares = [(c, s, share * exp(u) / (1.0 - share + share * exp(u))) for c, s, share in blocks]
        return sum(c * log(p) + s * log(1.0 - p) for c, s, p in shares)

    def inside(u):
        return mean - likelihood(u) < log(100.0)

    def edge(within, beyond):
        for _ in range(50):
            middle = (within + beyond) / 2.0
            within, beyond = (middle, beyond) if inside(middle) else (within, middle)
        return exp(within)

    highest = max(likelihood(log(r)) for r in GRID)
    mean = highest + log(sum(exp(likelihood(log(r)) - highest) for r in GRID) / len(GRID))
    best = max((log(r) for r in GRID), key=likelihood)
    return edge(best, log(1e-3)), edge(best, log(1e3))


@pytest.mark.parametrize("seed", range(30))
def test_the_ends_are_those_of_the_definition_or_a_little_wider_and_never_narrower(seed):
    random, interval, blocks = Random(seed), RatioInterval(), []
    ratio = 10.0 ** random.uniform(-1.0, 1.5)
    for _ in range(random.randint(1, 40)):
        share = random.choice([0.01, 0.1, 0.5])
        candidate = sum(random.random() < min(1.0, 0.02 * ratio) for _ in range(int(300 * share)))
        stable = sum(random.random() < 0.02 for _ in range(int(300 * (1.0 - share))))
        blocks.append((candidate, stable, share))
        interval.add(candidate_failed=candidate, stable_failed=stable, share=share)
    low, high = interval.bounds()
    exact_low, exact_high = slow_bounds(blocks)
    assert exact_low / 1.03 <= (low or 1e-3) <= exact_low * (1.0 + 1e-9)
    assert exact_high * (1.0 - 1e-9) <= (high or 1e3) <= exact_high * 1.03


def test_many_short_blocks_that_are_pooled_give_the_interval_of_one_block():
    random, pooled, whole = Random(5), RatioInterval(), RatioInterval()
    counts = [0, 0, 0, 0]
    for _ in range(200):
        block = (10, int(random.random() < 0.05), 90, int(random.random() < 0.4))
        counts = [before + more for before, more in zip(counts, block, strict=True)]
        pooled.pool(block[:2], block[2:])
    whole.add(candidate_failed=counts[1], stable_failed=counts[3], share=0.1)
    assert pooled.bounds() == pytest.approx(whole.bounds())


def test_what_is_pooled_is_seen_at_once_and_kept():
    interval = RatioInterval()
    interval.pool((10, 1), (90, 0))
    low, high = interval.bounds()
    assert (low, high) != (None, None)
    interval.pool((10, 0), (90, 3))
    assert interval.bounds() != (low, high)
    assert from_json(RatioInterval, to_json(interval)).bounds() == interval.bounds()
