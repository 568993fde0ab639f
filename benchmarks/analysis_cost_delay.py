"""What the pace of many rollouts costs in time: see `analysis_cost`.

A candidate with 100 requests a second, a tenth of all, answers well for two minutes of its step and then fails every
request. Time is made of numbers here, so that this comes out the same on every machine. The proxy's ejections, which
are seen at the first reading after them, are left out: what is measured is the evidence.
"""

from dataclasses import dataclass
from statistics import fmean

from fairway.domain.analysis.analysis import Analysis
from fairway.domain.analysis.instances import InstanceHealth
from fairway.domain.analysis.pace import interval, is_suspected
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.traffic import InstanceTraffic, RevisionTraffic, TrafficSnapshot

HEALTHY, STEP = 120.0, 300.0
RATE, WEIGHT = 1000.0, 10.0
PHASES = 40
"""Moments of a second at which it dies."""

HEALTH = tuple(InstanceHealth(f"{name}-1", name, True, 0, False, True, "") for name in "cs")


@dataclass(frozen=True, slots=True)
class Delay:
    """Seconds after the first failed request, over all phases: on average, and at most."""

    noticed: tuple[float, float]
    decided: tuple[float, float]


def delay(rollouts: int) -> Delay:
    """How long it takes a controller of so many rollouts."""
    dying = [_one(rollouts, HEALTHY + phase / PHASES) for phase in range(PHASES)]
    noticed, decided = zip(*dying, strict=True)
    return Delay((fmean(noticed), max(noticed)), (fmean(decided), max(decided)))


def _one(rollouts: int, dies: float) -> tuple[float, float]:
    """Seconds from the death to the first reading that shows it, and to the verdict."""
    analysis = Analysis(AnalysisPolicy(), candidate="c", stable="s", patience=1.0)
    analysis.observe(_snapshot(0.0, dies), HEALTH, at=0.0)
    analysis.enter_step(WEIGHT, at=0.0, scaled_up=True, bake=STEP)
    now, noticed = 0.0, 0.0
    while analysis.verdict is None:
        now += interval(analysis, at=now, rollouts=rollouts, suspected=is_suspected(analysis))
        snapshot = _snapshot(now, dies)
        analysis.observe(snapshot, HEALTH, at=now)
        if not noticed and snapshot.of("c").failed:
            noticed = now
    return noticed - dies, now - dies


def _snapshot(at: float, dies: float) -> TrafficSnapshot:
    part = WEIGHT / 100.0
    finished, failed = int(RATE * part * at), int(RATE * part * max(0.0, at - dies))
    instances = (InstanceTraffic("c-1", finished, failed),)
    stable = RevisionTraffic("s", int(RATE * (1.0 - part) * at) + failed, 0, retried=failed)
    return TrafficSnapshot(at, "one", (RevisionTraffic("c", finished, failed, instances=instances), stable))
