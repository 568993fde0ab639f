"""What judging costs: `python -m benchmarks.analysis_cost`.

Given are the readings that a controller takes of a rollout with 1,000 requests a second, a tenth of them at the
candidate, with histograms like Envoy's and one failure in a thousand of both revisions. Measured is the time of one
thread:

- one block of every lane, from its counts to its capital; `BLOCK_LIMIT` µs together;
- all lanes of `ROLLOUTS` rollouts at once, with four readings a second of each; `SHARE_LIMIT` of a core;
- the whole analysis of `ROLLOUTS` rollouts at once, through the judge of a controller and as often as that wants to
  read: rules, watches, lanes, evidence for promotion, sentences, and all that is saved put together as JSON values. The
  first seconds of a step of five minutes, in which all are read at full pace, count by their part in it. `WHOLE_LIMIT`
  of a core; `SHARE_LIMIT` is what one would wish for.

How long it takes to find a candidate that dies is printed as well, for one rollout and for one of so many.

Exit status 1 when a limit is missed. Not in it: reading the router, looking at instances, writing to the journal.
"""

import math
import sys
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from random import Random
from statistics import fmean
from tempfile import TemporaryDirectory

from benchmarks.analysis_cost_delay import delay
from benchmarks.analysis_cost_whole import MEASURED, OLD, STRETCH, YOUNG, seconds_of_readings
from fairway.adapters.stores.sql import SqlStore
from fairway.domain.analysis.distribution import Distribution
from fairway.domain.analysis.lanes import begin_lanes
from fairway.domain.analysis.lanes.lane import Histograms, Reading, Step
from fairway.domain.analysis.pace import FRESH
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.tally import Tally
from fairway.domain.analysis.traffic import InstanceTraffic, RevisionTraffic, TrafficSnapshot

BLOCK_LIMIT = 100.0
SHARE_LIMIT = 0.05
WHOLE_LIMIT = 0.15
ROLLOUTS = 1000
PER_SECOND = 4
SECONDS = 200
REPEATS = 15
WHOLE_REPEATS = 3
RATE, WEIGHT, FAILING = 1000, 10.0, 0.001

EDGES = [digits * 10.0 ** (power - 1) for power in range(1, 7) for digits in range(10, 100)]
"""Of Envoy's histograms: two significant digits, in microseconds."""

POLICIES = {
    "a rollout without objectives": AnalysisPolicy(),
    "a rollout with two objectives": AnalysisPolicy(objective_errors=0.02, objectives_latency=((0.99, 0.5),)),
}

MOST = round((2 * STRETCH + MEASURED) * PER_SECOND)
"""Readings that each of a thousand rollouts could get."""


def main() -> int:
    """Measures, prints, and says whether the limits are kept."""
    snapshots, kept = list(_snapshots(Random(1))), True
    for name, policy in POLICIES.items():
        block = _least(partial(_one_block_each, policy, snapshots))
        lanes = _least(partial(_lanes, policy, snapshots)) * PER_SECOND * ROLLOUTS / 1e6
        young, old, paces = _whole(policy, snapshots)
        whole = YOUNG * young + OLD * old
        kept &= block <= BLOCK_LIMIT and lanes <= SHARE_LIMIT and whole <= WHOLE_LIMIT
        print(f"{name}:")
        print(f"  one block of every lane            {block:7.1f} µs   (limit {BLOCK_LIMIT:g})")
        print(f"  lanes of {ROLLOUTS:,} rollouts at once    {lanes:7.1%} of a core   (limit {SHARE_LIMIT:.0%})")
        limits = f"limit {WHOLE_LIMIT:.0%}, wanted {SHARE_LIMIT:.0%}"
        print(f"  their whole analysis               {whole:7.1%} of a core   ({limits})")
        print(f"    at full pace, as in the first {FRESH:g} s of a step      {young:6.1%}")
        print(f"    later, with {paces:.2f} readings a second of each   {old:6.1%}")
    print("a candidate that dies in the middle of a step, by its evidence alone:")
    for rollouts in (1, ROLLOUTS):
        late = delay(rollouts)
        noticed, decided = (f"{mean:.2f} s (at most {most:.2f})" for mean, most in (late.noticed, late.decided))
        print(f"  one of {rollouts:>5,} rollouts: noticed after {noticed}, taken back after {decided}")
    print("within the limits" if kept else "NOT within the limits")
    return 0 if kept else 1


def _least(measure: Callable[[], list[float]]) -> float:
    """Microseconds for one reading on average, of each the least of several measurements.

    What others do on this machine meanwhile is no cost of ours; what some readings cost more than others is.
    """
    measured = zip(*(measure() for _ in range(REPEATS)), strict=True)
    return fmean(min(times) for times in measured) * 1e6


def _one_block_each(policy: AnalysisPolicy, snapshots: list[TrafficSnapshot]) -> list[float]:
    """Seconds for one block of every lane, each given as one reading of the block's length."""
    readings = _readings(snapshots[:: round(policy.block * PER_SECOND)], policy.block)
    return _observed(policy, readings)[1:]


def _lanes(policy: AnalysisPolicy, snapshots: list[TrafficSnapshot]) -> list[float]:
    """Seconds for all lanes and one reading."""
    return _observed(policy, _readings(snapshots, 1.0 / PER_SECOND))


def _observed(policy: AnalysisPolicy, readings: list[Reading]) -> list[float]:
    """Seconds that the lanes took for each reading."""
    lanes, times = begin_lanes(policy), []
    for lane in lanes:
        lane.enter_step(Step(WEIGHT, False, 0.0))
    for reading in readings:
        begun = time.perf_counter()
        for lane in lanes:
            lane.observe(reading)
        times.append(time.perf_counter() - begun)
    return times


def _whole(policy: AnalysisPolicy, snapshots: list[TrafficSnapshot]) -> tuple[float, float, float]:
    """Parts of a core that the judge of a controller takes in the first seconds of a step and later, and the pace then.

    The same is done several times, and of each reading the least counts.
    """
    with TemporaryDirectory() as folder, SqlStore.open(f"{folder}/journal.db") as records:
        times = [
            seconds_of_readings(policy, snapshots[:MOST], rollouts=ROLLOUTS, records=records)
            for _ in range(min(REPEATS, WHOLE_REPEATS))
        ]
    young, old = (
        float(sum(min(again) for again in zip(*parts, strict=True)))
        for parts in ([one.young for one in times], [one.old for one in times])
    )
    return young / FRESH, old / MEASURED, times[0].readings / ROLLOUTS / MEASURED


def _readings(snapshots: list[TrafficSnapshot], seconds: float) -> list[Reading]:
    """What lanes are told between each two snapshots."""
    readings = []
    for before, now in pairwise(snapshots):
        counts = []
        for name in "cs":
            one, other = before.of(name), now.of(name)
            counts += [other.finished - one.finished, other.failed - one.failed]
        histograms = Histograms(0, Distribution(now.of("c").latency), Distribution(now.of("s").latency))
        readings.append(Reading(seconds, Tally(*counts), warming=False, incident=False, histograms=histograms))
    return readings


def _snapshots(random: Random) -> Iterator[TrafficSnapshot]:
    """Log-normal latencies around 50 ms; each revision has two instances."""
    cells: dict[str, dict[int, int]] = {"c": {}, "s": {}}
    counts = {"c": [0, 0], "s": [0, 0]}
    parts = {"c": WEIGHT / 100.0, "s": 1.0 - WEIGHT / 100.0}
    for tick in range(SECONDS * PER_SECOND + 1):
        for name, part in parts.items():
            for _ in range(round(RATE / PER_SECOND * part)):
                counts[name][0] += 1
                if random.random() < FAILING:
                    counts[name][1] += 1
                else:
                    cell = bisect_right(EDGES, 5e4 * math.exp(0.6 * random.gauss(0.0, 1.0))) - 1
                    cells[name][cell] = cells[name].get(cell, 0) + 1
        yield TrafficSnapshot(
            tick / PER_SECOND, "one", tuple(_revision(name, counts[name], cells[name]) for name in "cs")
        )


def _revision(name: str, counts: list[int], cells: dict[int, int]) -> RevisionTraffic:
    finished, failed = counts
    latency = tuple((EDGES[cell], EDGES[cell + 1] - EDGES[cell], cells[cell]) for cell in sorted(cells))
    instances = tuple(InstanceTraffic(f"{name}-{i}", finished // 2, failed // 2) for i in range(2))
    return RevisionTraffic(name, finished, failed, latency, instances)


if __name__ == "__main__":
    sys.exit(main())
