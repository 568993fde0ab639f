"""Fairway's own analysis, driven through its public interface as the engine drives it.

Readings come at the engine's pace, cumulative and completion-based, both revisions in one snapshot, with Envoy's
latency cells, counts by instance and second tries on stable. The schedule of weights is the same for all contestants:
a hold is counted but does not delay it, a step that could end early does not, and one without an answer goes on.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np

from benchmarks.canary_bench.cells import Growth
from benchmarks.canary_bench.trace import BAKE, Before, Minutes, Side, Trace
from benchmarks.canary_bench.verdict import Contestant, Verdict
from fairway.domain.analysis.analysis import Analysis
from fairway.domain.analysis.dispersion import Dispersion
from fairway.domain.analysis.evidence import Assessment
from fairway.domain.analysis.instances import InstanceHealth
from fairway.domain.analysis.policy import PRESETS, AnalysisPolicy
from fairway.domain.analysis.traffic import InstanceTraffic, RevisionTraffic, TrafficSnapshot

CANDIDATE, STABLE = "candidate", "stable"

BEGIN = 1_750_000_000.0
"""Some moment, seconds since the epoch, UTC."""

ASSESS_EVERY = 5.0
"""Seconds between two assessments while nothing is found; a finding is assessed at once."""

RESTART_EVERY = 5.0
"""A process that dies at once is started again after so many seconds."""


def judge(trace: Trace, _: Minutes) -> Verdict:
    """Runs the balanced policy over the trace."""
    return drive(trace, PRESETS["balanced"])[0]


def drive(trace: Trace, policy: AnalysisPolicy) -> tuple[Verdict, Assessment]:
    """Runs the analysis to its first verdict or to the trace's end; also gives the last assessment."""
    analysis = Analysis(policy, candidate=CANDIDATE, stable=STABLE, dispersion=_known(trace.before))
    analysis.observe(_nothing(), _health(trace, 0), at=BEGIN)
    weight, every = 0.0, round(ASSESS_EVERY / trace.tick)
    greatest, enough = 1.0, True
    lasts = round(BAKE / trace.tick)
    for tick, snapshot in enumerate(snapshots(trace)):
        at = BEGIN + tick * trace.tick
        if trace.weights[tick] != weight:
            scaled_up, weight = weight == 0.0, float(trace.weights[tick])
            analysis.enter_step(weight, at=at, scaled_up=scaled_up, bake=BAKE)
        at += trace.tick
        analysis.observe(snapshot, _health(trace, tick), at=at)
        if analysis.verdict is None and (tick + 1) % every:
            continue
        assessment = analysis.assess(at=at)
        greatest = max(greatest, assessment.evidence.e_value)
        if assessment.decision == "roll-back":
            return Verdict("rollback", at - BEGIN, assessment.rule, greatest), assessment
        if assessment.decision == "inconclusive":
            return Verdict("inconclusive", at - BEGIN, assessment.rule, greatest), assessment
        if (tick + 1) % lasts == 0:
            enough &= assessment.sufficient  # a person would be asked; here he lets it go on
    settled = assessment.decision != "hold" and enough
    return Verdict("promote" if settled else "inconclusive", None, assessment.rule, greatest), assessment


def _known(before: Before | None) -> Dispersion:
    """What stable's own rollout showed of the spread between its instances, as the engine takes it over."""
    found = Dispersion()
    if before is None:
        return found
    found.observe(0.0, (), series=0, shared=False)
    for finished, failed in zip(before.finished.tolist(), before.failed.tolist(), strict=True):
        counts = enumerate(zip(finished, failed, strict=True))
        instances = tuple(InstanceTraffic(f"{STABLE}-{one}", *both) for one, both in counts)
        found.observe(before.seconds, instances, series=0, shared=False)
    return found.taken_over()


def snapshots(trace: Trace) -> Iterator[TrafficSnapshot | None]:
    """What the router says at the end of each tick; None where it cannot be read."""
    candidate = _Growing(CANDIDATE, trace.candidate, None)
    stable = _Growing(STABLE, trace.stable, trace)
    for tick in range(trace.ticks):
        revisions = candidate.grow(tick), stable.grow(tick)
        at = BEGIN + (tick + 1) * trace.tick
        yield TrafficSnapshot(at, "simulated", revisions) if trace.readable[tick] else None


class _Growing:
    """The counters of one revision, growing from tick to tick.

    Args:
        revision: its name.
        side: what happens to it.
        extra: the trace whose second tries it answers; None: it answers none.
    """

    def __init__(self, revision: str, side: Side, extra: Trace | None) -> None:
        self.revision, self.side = revision, side
        finished, failed = np.cumsum(side.finished, axis=0), np.cumsum(side.failed, axis=0)
        again = np.zeros((len(side.finished), 2), dtype=np.int64)
        if extra is not None:
            finished += np.cumsum(extra.again, axis=0)
            failed += np.cumsum(extra.again_failed, axis=0)
            second = np.stack([extra.again.sum(axis=1), extra.again_failed.sum(axis=1)], axis=1)
            again = np.cumsum(second, axis=0)
        self.finished, self.failed, self.again = finished.tolist(), failed.tolist(), again.tolist()
        self.abandoned = np.cumsum(side.left).tolist()
        self.names = [f"{revision}-{one}" for one in range(len(side.ejected))]
        self.latency = Growth(side.latency)

    def grow(self, tick: int) -> RevisionTraffic:
        """Everything counted until the end of a tick, in order."""
        finished, failed = self.finished[tick], self.failed[tick]
        retried, retried_failed = self.again[tick]
        return RevisionTraffic(
            self.revision,
            sum(finished),
            sum(failed),
            latency=self.latency.at(tick, None),
            instances=tuple(
                [
                    InstanceTraffic(
                        name,
                        finished[one],
                        failed[one],
                        ejected=0 <= ejected <= tick,
                        latency=self.latency.at(tick, one),
                    )
                    for one, (name, ejected) in enumerate(zip(self.names, self.side.ejected, strict=True))
                ]
            ),
            retried=retried,
            retried_failed=retried_failed,
            abandoned=self.abandoned[tick],
        )


def _health(trace: Trace, tick: int) -> tuple[InstanceHealth, ...]:
    """All instances are well, except the candidate's after a crash: each dies as often as it is started."""
    dead = trace.crashed is not None and tick >= trace.crashed
    if not dead:
        return _well(len(trace.candidate.ejected))
    restarts = int((tick - (trace.crashed or 0)) * trace.tick / RESTART_EVERY)
    return tuple(
        replace(one, ready=False, restarts=restarts, last_exit="exit status 1") if one.revision == CANDIDATE else one
        for one in _well(len(trace.candidate.ejected))
    )


@cache
def _well(instances: int) -> tuple[InstanceHealth, ...]:
    return tuple(
        InstanceHealth(f"{revision}-{one}", revision, True, 0, crash_loop=False, was_ready=True, last_exit="")
        for revision in (CANDIDATE, STABLE)
        for one in range(instances)
    )


def _nothing() -> TrafficSnapshot:
    """Before the first request."""
    return TrafficSnapshot(BEGIN, "simulated", (RevisionTraffic(CANDIDATE, 0, 0), RevisionTraffic(STABLE, 0, 0)))


CONTESTANT = Contestant(
    "Fairway",
    "fairway.domain.analysis.analysis.Analysis, this source tree",
    "preset balanced",
    judge,
    sees_latency=True,
)
