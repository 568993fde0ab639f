"""Readings on their way: to the lanes, to the evidence for promotion, to the watches.

Every reading is a block of the hard lane, and a look at the share of the requests and at incidents. To all others those
that waited for each other (see `waiting.py`) are one: what those count is added up until a block ends anyway.
"""

from dataclasses import replace

from fairway.domain.analysis.counters import NO_TRAFFIC
from fairway.domain.analysis.distribution import Distribution
from fairway.domain.analysis.lanes.lane import Histograms, Reading
from fairway.domain.analysis.lanes.objective import ObjectiveLane
from fairway.domain.analysis.pairing import Pairing, with_others
from fairway.domain.analysis.state import AnalysisState
from fairway.domain.analysis.tally import Tally
from fairway.domain.analysis.traffic import RevisionTraffic, TrafficSnapshot

A_WHILE = 1.0
"""Whoever has more seconds of patience does not wait for what has been shown for the candidate."""

Tick = tuple[float, Tally]
"""Seconds, and what ended in them."""


def gather(analysis: AnalysisState, snapshot: TrafficSnapshot, tick: Tick, *, pair: Tick | None) -> None:
    """Gives a reading to the lanes; only then to the watches, whose answers apply from the next reading on.

    Args:
        analysis: whose; the weight is above 0.
        snapshot: the counters at the end of the reading.
        tick: the reading.
        pair: the same of candidate and baseline, where the candidate is compared with that.
    """
    candidate, stable = _both(analysis, snapshot)
    if analysis.pairing is not None:
        _gather_beside(analysis, analysis.pairing, snapshot, tick, pair)
    else:
        reading = _reading(analysis, candidate, stable, tick, analysis.counters.series)
        look_closely(analysis, reading)
        _add_up(analysis, candidate, stable, reading)
    _conclude(analysis, stable)


def gather_waiting(analysis: AnalysisState, snapshot: TrafficSnapshot, ticks: list[Tick]) -> None:
    """Gives readings that waited for each other, as one, to all those that have not seen them yet.

    Args:
        analysis: whose; candidate and stable are compared, and no incident was shared when the last of them began.
        snapshot: the counters at the end of the last reading.
        ticks: the readings, in order.
    """
    candidate, stable = _both(analysis, snapshot)
    reading = _reading(analysis, candidate, stable, ticks[0], analysis.counters.series)
    reading.incident = False
    if len(ticks) > 1:
        reading.tally, reading.pace = replace(reading.tally), ticks[-1][0]
        for seconds, tally in ticks[1:]:
            reading.seconds += seconds
            reading.tally.add(tally)
    _add_up(analysis, candidate, stable, reading)
    _conclude(analysis, stable)


def look_closely(analysis: AnalysisState, reading: Reading) -> None:
    """Gives one reading to those who look at each: the hard lane, which is the first, and two watches."""
    seconds, tally = reading.seconds, reading.tally
    analysis.lanes[0].observe(reading)
    analysis.incident.observe(seconds, tally, reference=analysis.policy.reference)
    analysis.share.observe(seconds, tally)


def _both(analysis: AnalysisState, snapshot: TrafficSnapshot) -> tuple[RevisionTraffic, RevisionTraffic]:
    """What was counted of the candidate and of stable."""
    return snapshot.of(analysis.candidate), snapshot.of(analysis.stable) if analysis.stable is not None else NO_TRAFFIC


def _add_up(analysis: AnalysisState, candidate: RevisionTraffic, stable: RevisionTraffic, reading: Reading) -> None:
    """Gives a reading to all those who add up until a block ends."""
    for lane in analysis.lanes[1:]:
        lane.observe(reading)
    analysis.tally.add(reading.tally)
    analysis.promotion.observe(reading, analysis.policy, at_once=analysis.patience <= A_WHILE)
    _look_on(analysis, candidate, reading, reading)
    seconds, series, shared = reading.seconds, analysis.counters.series, analysis.incident.shared
    analysis.own_dispersion.observe(seconds, candidate.instances, series=series, shared=shared)
    analysis.dispersion.observe(seconds, stable.instances, series=series, shared=shared)


def _conclude(analysis: AnalysisState, stable: RevisionTraffic) -> None:
    """Whether the candidate has to be taken back by what is known now."""
    if not analysis.judge() and not analysis.incident.shared:
        analysis.verdict = analysis.hang.finding(stable.latency)


def _gather_beside(
    analysis: AnalysisState, pairing: Pairing, snapshot: TrafficSnapshot, tick: Tick, pair: Tick | None
) -> None:
    """The same where the candidate is compared with a baseline, reading by reading."""
    candidate = snapshot.of(analysis.candidate)
    stable = snapshot.of(analysis.stable) if analysis.stable is not None else NO_TRAFFIC
    reading = _reading(analysis, candidate, stable, tick, analysis.counters.series)
    compared = reading if analysis.step.alone else _beside(analysis, pairing, snapshot, reading, pair)
    # Objectives are kept by stable, and by the baseline only where that serves in the place of stable.
    owed = compared if compared is not None and analysis.step.weight >= 50.0 and analysis.paired else reading
    for lane in analysis.lanes:
        given = owed if isinstance(lane, ObjectiveLane) else compared
        if given is not None:
            lane.observe(given)
    if compared is not None:
        analysis.tally.add(compared.tally)
        analysis.promotion.observe(compared, analysis.policy)
    analysis.incident.observe(owed.seconds, owed.tally, reference=analysis.policy.reference)
    _look_on(analysis, candidate, owed, compared or reading)
    (seconds, tally), shared = tick, analysis.incident.shared
    analysis.own_dispersion.observe(seconds, candidate.instances, series=analysis.counters.series, shared=shared)
    if pair is not None:
        analysis.share.observe(seconds, with_others(tally, pair[1]))
    beside, series = snapshot.of(pairing.baseline), pairing.counters.series
    analysis.dispersion.observe(seconds, beside.instances, series=series, shared=shared)


def _reading(
    analysis: AnalysisState, candidate: RevisionTraffic, other: RevisionTraffic, tick: Tick, series: int
) -> Reading:
    """What the lanes are told of the candidate and of one other revision."""
    own, others = candidate.instances, other.instances
    histograms = Histograms(
        series, Distribution(candidate.latency), Distribution(other.latency), others, max(1, len(own))
    )
    return Reading(
        *tick,
        warming=analysis.warm_left > 0.0,
        incident=analysis.incident.shared,
        histograms=histograms,
        dispersion=analysis.dispersion.factor,
        calm=analysis.dispersion.calm,
        waiting=(sum([one.active for one in own]), sum([one.active for one in others])),
    )


def _beside(
    analysis: AnalysisState, pairing: Pairing, snapshot: TrafficSnapshot, reading: Reading, pair: Tick | None
) -> Reading | None:
    """The same with the baseline in the place of stable, from the first request on: both are as young."""
    if pair is None:
        return None
    seconds, tally = pair
    again = (reading.tally.again_finished, reading.tally.again_failed)
    both = replace(tally, again_finished=again[0], again_failed=again[1])
    candidate, baseline = snapshot.of(analysis.candidate), snapshot.of(pairing.baseline)
    compared = _reading(analysis, candidate, baseline, (seconds, both), pairing.counters.series)
    return replace(compared, warming=False, incident=compared.incident or pairing.trouble is not None)


def _look_on(analysis: AnalysisState, candidate: RevisionTraffic, owed: Reading, compared: Reading) -> None:
    """Gives a reading to the watches for silence."""
    seconds, tally, step = owed.seconds, owed.tally, analysis.step
    if not step.copies:
        analysis.absence.observe(seconds, compared.tally, weight=analysis.candidate_share)
    silent = analysis.absence.silent or step.alone or (step.copies and compared.tally.stable_finished > 0)
    analysis.hang.observe(seconds, candidate, finished=tally.candidate_finished, silent=silent)
