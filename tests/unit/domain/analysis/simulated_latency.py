"""Lanes of latency under simulated requests: histograms with edges like Envoy's, log-normal latencies."""

from bisect import bisect_right
from collections import Counter
from itertools import pairwise
from math import exp
from random import Random

from fairway.domain.analysis.analysis import Analysis
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.traffic import InstanceTraffic, RevisionTraffic, TrafficSnapshot

EDGES = [digits * 10.0 ** (power - 1) for power in range(1, 8) for digits in range(10, 100)]
"""In microseconds: two significant digits."""


def cell_of(latency):
    return EDGES[bisect_right(EDGES, latency) - 1]


def cells(counts):
    """A histogram from counts by lower edge."""
    widths = dict(pairwise(EDGES))
    return tuple((edge, widths[edge] - edge, counts[edge]) for edge in sorted(counts))


class Service:
    """Candidate and stable behind one router; `turn` lets time pass.

    Attributes:
        median: microseconds.
        slower: factor of the candidate's latencies.
        failing: shares of failed requests, candidate and stable; they fail at once.
    """

    def __init__(self, policy=None, *, rps=200.0, seed=1, history=2000, median=50_000.0, spread=0.6):
        self.policy, self.rps, self.random = policy or AnalysisPolicy(warmup=0.0), rps, Random(seed)
        self.median, self.spread, self.slower, self.failing = median, spread, 1.0, (0.0, 0.0)
        self.now, self.weight, self.due, self.origin = 1000.0, 0.0, 0.0, "one"
        self.latency = {"candidate": Counter(), "stable": Counter()}
        self.finished, self.failed = Counter(), Counter()
        for _ in range(history):
            self._answer("stable")
        self.analysis = Analysis(self.policy, "candidate", "stable")
        self.analysis.observe(self.snapshot(), (), at=self.now)

    def enter(self, weight, **step):
        self.weight = weight
        self.analysis.enter_step(weight, at=self.now, **({"scaled_up": False} | step))
        return self

    def snapshot(self):
        return TrafficSnapshot(self.now, self.origin, tuple(map(self._revision, ("candidate", "stable"))))

    def _revision(self, name):
        latency = cells(self.latency[name])
        instances = (InstanceTraffic(f"{name}-1", self.finished[name], self.failed[name], latency=latency),)
        return RevisionTraffic(name, self.finished[name], self.failed[name], latency, instances)

    def _answer(self, name):
        factor, failing = (self.slower, self.failing[0]) if name == "candidate" else (1.0, self.failing[1])
        latency = self.median * exp(self.spread * self.random.gauss(0.0, 1.0)) * factor
        self.finished[name] += 1
        if self.random.random() < failing:
            self.failed[name] += 1
        else:
            self.latency[name][cell_of(latency)] += 1

    def turn(self, seconds, *, reading=0.5):
        """Takes readings for so long, or until the candidate is taken back."""
        assessment = self.analysis.assess(at=self.now)
        for _ in range(round(seconds / reading)):
            self.now += reading
            self.due += self.rps * reading
            while self.due >= 1.0:
                self.due -= 1.0
                self._answer("candidate" if self.random.random() * 100.0 < self.weight else "stable")
            self.analysis.observe(self.snapshot(), (), at=self.now)
            assessment = self.analysis.assess(at=self.now)
            if assessment.decision == "roll-back":
                break
        return assessment


def lane(analysis, name="latency-lane"):
    return next(one for one in analysis.lanes if one.name == name)
