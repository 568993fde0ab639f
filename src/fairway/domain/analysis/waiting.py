"""Readings that may wait for each other, because nothing can follow from them yet.

Four readings a second are there so that a candidate that fails is taken back at once. One in which no request of the
candidate failed, both revisions answered, and no block but the hard lane's can end, moves nothing that anybody acts on:
the hard lane's capital can only fall by it, and all other lanes only count. The hard lane, and the watches that look at
each reading, get it at once. For the others such readings wait, as long as whoever drives this has patience, and are
taken in together: to them two readings within a block are one. The evidence comes out as if they had been taken in one
by one.

Whoever asks for evidence, stores it, or begins another step takes in what waits first. So does the first reading that
may not wait, and the last before the clock has to stand still. What is noticed later, by that time at most, is that
requests begin to wait at the candidate, which only counts where a step may end early.
"""

from math import inf

from fairway.domain.analysis.gathering import Tick, gather_waiting, look_closely
from fairway.domain.analysis.lanes.lane import Reading
from fairway.domain.analysis.rules import watch_traffic
from fairway.domain.analysis.state import AnalysisState
from fairway.domain.analysis.traffic import TrafficSnapshot


def may_wait(analysis: AnalysisState, reading: Tick, *, counting: bool) -> bool:
    """Nothing can follow from this reading yet."""
    seconds, tally = reading
    return (
        analysis.rest > 0.0 < seconds
        and analysis.clean
        and tally.candidate_finished > 0
        and tally.stable_finished > 0
        and counting
    )


def wait(analysis: AnalysisState, snapshot: TrafficSnapshot, reading: Tick, seconds: float) -> None:
    """Puts a reading aside; takes in all that wait when with this one a block may end.

    Args:
        analysis: whose.
        snapshot: the counters at the end of the reading.
        reading: seconds between two snapshots, and what ended in them.
        seconds: between the two moments at which they were asked for.
    """
    look_closely(analysis, Reading(*reading, warming=analysis.warm_left > 0.0, incident=analysis.incident.shared))
    analysis.waiting.append(reading)
    analysis.latest = snapshot
    analysis.watched += reading[0]
    analysis.waited += seconds
    analysis.rest -= max(reading[0], seconds)
    if analysis.rest <= reading[0] / 2.0 or analysis.incident.shared or analysis.share.finding() is not None:
        catch_up(analysis)
        analysis.rest = rest_of(analysis)


def catch_up(analysis: AnalysisState) -> None:
    """Takes in the readings that wait."""
    ticks, snapshot = analysis.waiting, analysis.latest
    if not ticks or snapshot is None:
        return
    analysis.waiting, analysis.latest = [], None
    gather_waiting(analysis, snapshot, ticks)
    if analysis.verdict is None:
        analysis.obstacle = watch_traffic(analysis)
    if analysis.obstacle is not None:
        analysis.watched -= ticks[-1][0]
    analysis.warm_left, analysis.waited = max(0.0, analysis.warm_left - analysis.waited), 0.0


def rest_of(analysis: AnalysisState) -> float:
    """Seconds for which further readings may wait, as far as the present state says; 0: none may."""
    state = analysis
    trouble = state.verdict or state.obstacle or state.excused or state.ejected_at is not None
    if state.patience <= 0.0 or trouble or state.pairing is not None or not state.reading_before:
        return 0.0
    if state.step.weight <= 0.0 or not state.finished_enough:
        return 0.0
    left_out, bake = state.warm_left > 0.0, state.step.bake - state.watched
    ends = [lane.rest(left_out=left_out) for lane in state.lanes[1:]]
    ends += [state.warm_left if left_out else inf, bake if bake > 0.0 else inf]
    ends += [state.dispersion.rest, state.own_dispersion.rest, state.promotion.rest(state.policy, left_out=left_out)]
    return min(state.patience, *ends)
