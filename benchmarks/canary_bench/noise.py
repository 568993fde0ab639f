"""Noise: what happens to requests beside independent failures. All of it also happens to healthy candidates."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.canary_bench.latency import Counts

Array = NDArray[np.float64]

CLIENTS, BAD_CLIENT = 1000, 0.27
"""Of the sticky clients, one makes this part of all errors, as in the recorded log that the model follows."""


def incidents(rng: np.random.Generator, ticks: int, tick: float) -> Array:
    """Extra error ratio of both revisions: 5 to 20 % for about half a minute, about every four minutes."""
    extra = np.zeros(ticks)
    begins = rng.exponential(240.0)
    while begins < ticks * tick:
        lasts, height = rng.exponential(30.0), rng.uniform(0.05, 0.2)
        part = slice(int(begins / tick), int((begins + lasts) / tick) + 1)
        extra[part] = np.maximum(extra[part], height)
        begins += lasts + rng.exponential(240.0)
    return extra


def bursts(rng: np.random.Generator, ticks: int, tick: float) -> Array:
    """Factor on the rate: slow swings of about 30 %, and five times the rate for some seconds about once a minute."""
    seconds = int(ticks * tick) + 1
    swing, factor = 0.0, np.ones(seconds)
    for second in range(seconds):
        swing = 0.98 * swing + rng.normal(0.0, 0.06)
        factor[second] = np.exp(swing)
    for begins in np.flatnonzero(rng.random(seconds) < 1.0 / 60.0):
        factor[begins : begins + 1 + int(rng.exponential(4.0))] *= 5.0
    return np.repeat(factor, round(1.0 / tick))[:ticks]


def hiccups(rng: np.random.Generator, ticks: int, tick: float, instances: int) -> Array:
    """Extra error ratio by instance: 30 % for two seconds, about every five minutes for each."""
    extra = np.zeros((ticks, instances))
    begins = rng.random((ticks, instances)) < tick / 300.0
    for first, instance in np.argwhere(begins):
        extra[first : first + round(2.0 / tick), instance] = 0.3
    return extra


def clusters(
    rng: np.random.Generator, finished: Counts, *, ratio: float, size: float, over: float, tick: float
) -> Counts:
    """Failures by tick and instance that come together: so many in the mean, on one instance, over some seconds.

    Args:
        finished: requests by tick and instance; no more of them can fail.
        ratio: the error ratio in the long run.
        size: mean number of failures of a cluster, geometric.
        over: seconds over which a cluster is spread.
        tick: seconds.
    """
    failed = np.zeros_like(finished)
    begun = rng.poisson(finished * (ratio / size))
    for first, instance in np.argwhere(begun):
        for _ in range(int(begun[first, instance])):
            count = rng.geometric(1.0 / size)
            at = first + (rng.random(count) * over / tick).astype(int)
            np.add.at(failed[:, instance], at[at < len(failed)], 1)
    return np.minimum(failed, finished)


def sticky(rng: np.random.Generator, ratio: float, weights: Array) -> tuple[Array, Array, Array]:
    """Clients that always meet the same revision at a weight, some busier and one far worse than the others.

    Returns:
        By tick: the candidate's share of the requests, its error ratio, and stable's.
    """
    busy = 1.0 / np.arange(1, CLIENTS + 1) ** 0.8
    busy = rng.permutation(busy / busy.sum())
    errors = busy * ratio * (1.0 - BAD_CLIENT)
    bad = rng.integers(CLIENTS)
    errors[bad] += min(busy[bad], ratio * BAD_CLIENT)
    place = rng.random(CLIENTS) * 100.0
    share, candidate, stable = (np.empty_like(weights) for _ in range(3))
    for weight in np.unique(weights):
        there = place < weight
        part = weights == weight
        share[part] = busy[there].sum()
        candidate[part] = errors[there].sum() / max(busy[there].sum(), 1e-12)
        stable[part] = errors[~there].sum() / busy[~there].sum()
    return share, np.minimum(candidate, 1.0), np.minimum(stable, 1.0)
