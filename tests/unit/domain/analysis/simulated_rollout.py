"""A small world with one candidate and one stable revision, read every 250 ms, for tests of the analysis."""

from dataclasses import dataclass, field
from random import Random

from fairway.domain.analysis.analysis import Analysis
from fairway.domain.analysis.evidence import Assessment
from fairway.domain.analysis.instances import InstanceHealth
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.traffic import InstanceTraffic, RevisionTraffic, TrafficSnapshot

TICK = 0.25


def instance(name="c-1", *, revision="candidate", ready=True, restarts=0, crash_loop=False):
    return InstanceHealth(name, revision, ready, restarts, crash_loop, True, "exit status 1" if restarts else "")


@dataclass
class World:
    """Requests arrive at an even pace; each goes to the candidate with the probability of the weight.

    What fails on the candidate is answered by stable in a second try, unless stable fails it too.
    """

    policy: AnalysisPolicy = field(default_factory=AnalysisPolicy)
    stable: str | None = "stable"
    seed: int = 1
    now: float = 1000.0
    origin: str = "first"
    weight: float = 0.0
    retries: bool = True
    ejected: tuple[str, ...] = ()
    candidate_counts: list[int] = field(default_factory=lambda: [0, 0])
    stable_counts: list[int] = field(default_factory=lambda: [500, 3, 0, 0])
    health: tuple[InstanceHealth, ...] = (instance(),)

    def __post_init__(self):
        self.random = Random(self.seed)
        self.due = 0.0
        self.analysis = Analysis(self.policy, candidate="candidate", stable=self.stable)
        self.analysis.observe(self.snapshot(), self.health, at=self.now)

    def enter(self, weight, *, scaled_up=False, bake=0.0):
        self.weight = weight
        self.analysis.enter_step(weight, at=self.now, scaled_up=scaled_up, bake=bake)
        return self

    def snapshot(self):
        instances = tuple(InstanceTraffic(f"c-{i}", 0, 0, ejected=f"c-{i}" in self.ejected) for i in (1, 2))
        finished, failed, retried, retried_failed = self.stable_counts
        stable = RevisionTraffic("stable", finished, failed, retried=retried, retried_failed=retried_failed)
        return TrafficSnapshot(
            self.now, self.origin, (RevisionTraffic("candidate", *self.candidate_counts, instances=instances), stable)
        )

    def serve(self, rps, candidate, stable):
        """One tick's requests with these failure ratios."""
        self.due += rps * TICK
        for _ in range(int(self.due)):
            self.due -= 1.0
            if self.random.random() * 100.0 < self.weight:
                self.candidate_counts[0] += 1
                if self.random.random() < candidate:
                    self.candidate_counts[1] += 1
                    self._try_again(stable)
            else:
                self.stable_counts[0] += 1
                self.stable_counts[1] += self.random.random() < stable

    def _try_again(self, stable):
        if self.retries:
            failed = self.random.random() < stable
            for place, count in enumerate((1, failed, 1, failed)):
                self.stable_counts[place] += count

    def tick(self, *, rps=0.0, candidate=0.0, stable=0.0, readable=True, counting=True) -> Assessment:
        self.now += TICK
        self.serve(rps, candidate, stable)
        snapshot = self.snapshot() if readable else None
        self.analysis.observe(snapshot, self.health, at=self.now, counting=counting)
        return self.analysis.assess(at=self.now)

    def run(self, seconds, **traffic) -> Assessment:
        """Ticks until the time is over or the decision is to roll back."""
        assessment = self.analysis.assess(at=self.now)
        for _ in range(round(seconds / TICK)):
            assessment = self.tick(**traffic)
            if assessment.decision == "roll-back":
                break
        return assessment
