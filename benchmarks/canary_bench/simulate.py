"""From a scenario and a seed to what happened: all chance of the benchmark is here."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.canary_bench import latency, noise
from benchmarks.canary_bench.latency import Counts, Stretch
from benchmarks.canary_bench.recorded import Recording, replay
from benchmarks.canary_bench.scenarios import Scenario
from benchmarks.canary_bench.trace import BAKE, DURATION, LADDER, Before, Side, Trace

Array = NDArray[np.float64]

INSTANCES = 4
"""Of each revision, all the time."""

STRETCH = 30.0
"""Seconds; what is known of an earlier rollout need not be finer."""

LEAVING = 0.1
"""Part of all requests that clients give up where many leave early."""

PATIENCE = 10.0
"""Seconds for which clients wait for an answer that never comes."""

EJECTION = 10
"""Failures in a row after which the proxy ejects an instance, as Fairway configures Envoy."""


def simulate(
    scenario: Scenario, *, rate: float, tick: float, rng: np.random.Generator, recording: Recording | None = None
) -> Trace:
    """Draws one rollout.

    Args:
        scenario: what is wrong, and the noise.
        rate: requests a second to both revisions together.
        tick: seconds between two readings; divides a second.
        rng: the only source of chance; the same state gives the same trace.
        recording: where recorded errors come from.

    Raises:
        ValueError: the scenario needs a recording and none is given.
    """
    ticks = round(DURATION / tick)
    weights = np.repeat(LADDER, round(BAKE / tick))
    onset = round(scenario.onset / tick)
    finished_c, failed_c, finished_s, failed_s = _requests(scenario, rate, tick, rng, recording, weights)
    left_c, left_s = _leave(scenario, (finished_c, failed_c), (finished_s, failed_s), tick, rng)
    again = rng.multinomial(failed_c.sum(axis=1), [1.0 / INSTANCES] * INSTANCES)
    stable_ratio = failed_s.sum(axis=1) / np.maximum(1, finished_s.sum(axis=1))
    known = recording is None
    slow_c, slow_s = _shapes(scenario, rng, onset, ticks)
    readable = np.ones(ticks, dtype=bool)
    if scenario.outage is not None:
        readable[round(scenario.outage[0] / tick) : round(scenario.outage[1] / tick)] = False
    return Trace(
        tick=tick,
        weights=weights,
        candidate=_side(rng, finished_c, failed_c, left_c, slow_c if known else []),
        stable=_side(rng, finished_s, failed_s, left_s, slow_s if known else []),
        again=again,
        again_failed=rng.binomial(again, stable_ratio[:, None]),
        readable=readable,
        crashed=onset if scenario.fault == "crash" else None,
        onset=scenario.onset if scenario.kind in ("bad", "ambiguous") else None,
        before=_before(scenario, rate, rng, recording) if scenario.known else None,
    )


def _leave(
    scenario: Scenario,
    candidate: tuple[Counts, Counts],
    stable: tuple[Counts, Counts],
    tick: float,
    rng: np.random.Generator,
) -> tuple[Counts, Counts]:
    """By tick, requests that clients gave up, of the candidate and of stable; takes them out of what finished.

    Args:
        scenario: whether they do.
        candidate: finished and failed, by tick and instance; changed.
        stable: likewise.
        tick: seconds.
        rng: chance.
    """
    (finished_c, failed_c), ticks = candidate, len(candidate[0])
    left_c, left_s = np.zeros(ticks, dtype=np.int64), np.zeros(ticks, dtype=np.int64)
    if scenario.noise == "clients leave":
        left_c, left_s = _leave_early(rng, *candidate), _leave_early(rng, *stable)
    if scenario.hangs:
        onset, waits = round(scenario.onset / tick), round(PATIENCE / tick)
        gone = rng.binomial(finished_c[onset:] - failed_c[onset:], scenario.hangs)
        if scenario.hangs == 1.0:
            gone, failed_c[onset:] = finished_c[onset:].copy(), 0
        finished_c[onset:] -= gone
        left_c[onset + waits :] += gone.sum(axis=1)[: max(0, ticks - onset - waits)]
    return left_c, left_s


def _leave_early(rng: np.random.Generator, finished: Counts, failed: Counts) -> Counts:
    """By tick, what clients give up for reasons of their own; takes it out of what finished."""
    gone = rng.binomial(finished - failed, LEAVING)
    np.subtract(finished, gone, out=finished)
    by_tick: Counts = gone.sum(axis=1)
    return by_tick


def _before(scenario: Scenario, rate: float, rng: np.random.Generator, recording: Recording | None) -> Before:
    """The same noise, without a fault, when stable was the candidate."""
    healthy = replace(scenario, candidate=None)
    weights = np.repeat(LADDER, round(BAKE))
    finished, failed, _, _ = _requests(healthy, rate, 1.0, rng, recording, weights)
    stretch = round(STRETCH)
    by_stretch = [np.cumsum(each, axis=0)[stretch - 1 :: stretch] for each in (finished, failed)]
    return Before(STRETCH, by_stretch[0], by_stretch[1])


def _requests(
    scenario: Scenario,
    rate: float,
    tick: float,
    rng: np.random.Generator,
    recording: Recording | None,
    weights: Array,
) -> tuple[Counts, Counts, Counts, Counts]:
    """By tick and instance: finished and failed of the candidate, finished and failed of stable."""
    ticks = len(weights)
    swing = noise.bursts(rng, ticks, tick) if scenario.noise == "traffic bursts" else np.ones(ticks)
    arrivals = rng.poisson(rate * tick * swing)
    if scenario.noise in ("recorded", "recorded, sticky"):
        if recording is None:
            raise ValueError(f"The scenario {scenario.name!r} needs recorded data.")
        sticky = scenario.noise == "recorded, sticky"
        return replay(rng, recording, arrivals=arrivals, weights=weights, instances=INSTANCES, sticky=sticky)
    share, ratio_c, ratio_s = _ratios(scenario, rng, weights, tick)
    number_c = rng.binomial(arrivals, share)
    even = [1.0 / INSTANCES] * INSTANCES
    finished_c, finished_s = rng.multinomial(number_c, even), rng.multinomial(arrivals - number_c, even)
    if scenario.noise.startswith("clusters"):
        size, over = (3.0, 1.0) if scenario.noise == "clusters of 3 in 1 s" else (10.0, 10.0)
        failed_c, failed_s = (
            noise.clusters(rng, finished, ratio=scenario.stable, size=size, over=over, tick=tick)
            for finished in (finished_c, finished_s)
        )
    else:
        failed_c, failed_s = rng.binomial(finished_c, ratio_c), rng.binomial(finished_s, ratio_s)
    return finished_c, failed_c, finished_s, failed_s


def _ratios(scenario: Scenario, rng: np.random.Generator, weights: Array, tick: float) -> tuple[Array, Array, Array]:
    """By tick the candidate's share of the requests; by tick and instance the candidate's and stable's error ratio."""
    ticks = len(weights)
    share = weights / 100.0
    candidate, stable = np.full((ticks, INSTANCES), scenario.stable), np.full((ticks, INSTANCES), scenario.stable)
    if scenario.noise == "sticky clients":
        share, one, other = noise.sticky(rng, scenario.stable, weights)
        candidate, stable = np.repeat(one[:, None], INSTANCES, 1), np.repeat(other[:, None], INSTANCES, 1)
    if scenario.candidate is not None:
        candidate[round(scenario.onset / tick) :] = scenario.candidate
    if scenario.noise == "shared incidents":
        extra = noise.incidents(rng, ticks, tick)[:, None]
        candidate, stable = candidate + extra, stable + extra
    if scenario.noise == "hiccups":
        candidate = candidate + noise.hiccups(rng, ticks, tick, INSTANCES)
        stable = stable + noise.hiccups(rng, ticks, tick, INSTANCES)
    if scenario.noise == "cold start":
        candidate = candidate + 0.02 * np.exp(-np.arange(ticks) * tick / 15.0)[:, None]
    return share, np.minimum(candidate, 1.0), np.minimum(stable, 1.0)


def _shapes(
    scenario: Scenario, rng: np.random.Generator, onset: int, ticks: int
) -> tuple[list[Stretch], list[Stretch]]:
    """Shapes of latency of the candidate and of stable."""
    healthy = latency.ordinary()
    speeds = np.exp(rng.normal(0.0, scenario.spread, 2 * INSTANCES)) if scenario.spread else np.ones(2 * INSTANCES)
    shapes = [latency.shares(healthy * speed) for speed in np.unique(speeds)]
    every = tuple(shapes[index] for index in np.unique(speeds, return_inverse=True)[1])
    first, stable = every[:INSTANCES], [Stretch(0, ticks, every[INSTANCES:])]
    worse = first if scenario.slower is None else (latency.shares(scenario.slower(healthy)),) * INSTANCES
    return [Stretch(0, onset, first), Stretch(onset, ticks, worse)], stable


def _side(rng: np.random.Generator, finished: Counts, failed: Counts, abandoned: Counts, shapes: list[Stretch]) -> Side:
    drawn = latency.draw(rng, finished - failed, shapes) if shapes else latency.NOTHING
    ejected = tuple(_ejection(rng, finished[:, one], failed[:, one]) for one in range(finished.shape[1]))
    return Side(finished, failed, drawn, ejected, abandoned)


def _ejection(rng: np.random.Generator, finished: Counts, failed: Counts) -> int:
    """Tick in which an instance had failed ten times in a row; -1: never.

    Ticks in which fewer than half of the requests fail are passed over: ten in a row are then rarer than one in a
    thousand tries.
    """
    row, last = 0, -1
    for tick in np.flatnonzero(2 * failed >= np.maximum(finished, 1)):
        row = 0 if finished[last + 1 : tick].any() else row
        for bad in rng.permutation(finished[tick]) < failed[tick]:
            row = row + 1 if bad else 0
            if row >= EJECTION:
                return int(tick)
        last = int(tick)
    return -1
