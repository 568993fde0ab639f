"""Requests that take their time and clients that do not wait for ever: every request begins, and ends in one way."""

from heapq import heappop, heappush
from itertools import count
from random import Random

from fairway.domain.analysis.analysis import Analysis
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.traffic import InstanceTraffic, RevisionTraffic, TrafficSnapshot

TICK = 0.25
NEVER = 1e9


class _Side:
    """What one revision has counted, and what is under way there."""

    def __init__(self):
        self.finished = self.abandoned = 0
        self.cells, self.under_way = {}, []

    def end(self, until):
        while self.under_way and self.under_way[0][0] <= until:
            _, _, cell = heappop(self.under_way)
            if cell is None:
                self.abandoned += 1
            else:
                self.finished += 1
                self.cells[cell] = self.cells.get(cell, 0) + 1


class Waiting:
    """A service read four times a second; `answer` and `patience` say in seconds how long each takes.

    Args:
        answer: draws how long an answer takes, by revision.
        patience: draws how long a client waits.
    """

    def __init__(self, answer, patience, *, rps=40.0, seed=1, policy=None):
        self.random, self.rps, self.weight, self.now = Random(seed), rps, 0.0, 0.0
        self.answer, self.patience, self.number = answer, patience, count()
        self.sides = {"candidate": _Side(), "stable": _Side()}
        self.analysis = Analysis(policy or AnalysisPolicy(warmup=0.0), "candidate", "stable")
        self.let_pass(60.0, looking=False)
        self.analysis.observe(self.snapshot(), (), at=self.now)

    def enter(self, weight, bake=600.0):
        self.weight = weight
        self.analysis.enter_step(weight, at=self.now, scaled_up=False, bake=bake)
        return self

    def snapshot(self):
        return TrafficSnapshot(self.now, "one", tuple(self._revision(*item) for item in self.sides.items()))

    def _revision(self, name, side):
        cells = tuple((lower, lower / 10.0, side.cells[lower]) for lower in sorted(side.cells))
        instances = (InstanceTraffic(f"{name}-1", side.finished, 0, active=len(side.under_way)),)
        return RevisionTraffic(name, side.finished, 0, cells, instances, abandoned=side.abandoned)

    def _begin(self, at):
        name = "candidate" if self.random.random() * 100.0 < self.weight else "stable"
        takes, waits = self.answer(name, self.random), self.patience(self.random)
        cell = round(takes * 1e6, -4) + 1.0 if takes <= waits else None
        heappush(self.sides[name].under_way, (at + min(takes, waits), next(self.number), cell))

    def let_pass(self, seconds, *, looking=True):
        """What is said after so many seconds, or at the roll-back."""
        for _ in range(round(seconds / TICK)):
            at = self.now
            while (at := at + self.random.expovariate(self.rps)) < self.now + TICK:
                self._begin(at)
            self.now += TICK
            for side in self.sides.values():
                side.end(self.now)
            if looking:
                self.analysis.observe(self.snapshot(), (), at=self.now)
                if self.analysis.verdict is not None:
                    break
        return self.analysis.assess(at=self.now)
