"""How often a candidate is looked at: each one four times a second as long as few are under way, or anything stirs.

A controller of a thousand rollouts cannot read a thousand routers four times a second. So those that are quiet share
`TOGETHER` readings a second, and each of them is read once a second at least. Whatever is not quiet keeps the full
pace, however many there are. A fault that begins in a quiet rollout is thus seen three quarters of a second later at
most; from that reading on it is judged as in any other.

Quiet is a rollout of which nothing needs to be known sooner:

- its step began `FRESH` seconds ago or more, for faults mostly begin with a change of weight;
- no request of the candidate failed in the last reading or was given up, none was missing there, and no instance was
  ejected or out of health;
- nothing speaks against it (`is_suspected`), and the clock runs;
- there is no budget of failed requests: every one counts there.

A step ends in time all the same: it is read once more when its bake is over.
"""

from fairway.domain.analysis.gathering import Tick
from fairway.domain.analysis.instances import InstanceHealth
from fairway.domain.analysis.state import AnalysisState
from fairway.domain.analysis.traffic import TrafficSnapshot

OFTEN = 0.25
"""Seconds between two readings at full pace."""

SELDOM = 1.0
"""Seconds between two readings of a quiet rollout, at most."""

TOGETHER = 1000.0
"""Readings a second of all quiet rollouts: with up to 250 of them nobody waits for anybody."""

FRESH = 10.0
"""Seconds from the beginning of a step for which the full pace is kept."""

RISEN = 1.1
"""E-value from which on the evidence speaks against a candidate; it is 1 at the beginning, or nearly so."""

EXPECTED = 1.0
"""Requests of the candidate that should have ended, by what stable's did; where it is fewer none is missing."""


def interval(state: AnalysisState, *, at: float, rollouts: int, suspected: bool) -> float:
    """Seconds from this reading to the next.

    Args:
        state: of the rollout's analysis, after the reading.
        at: now, seconds since the epoch, UTC.
        rollouts: how many the controller looks at.
        suspected: `is_suspected`.
    """
    if rollouts <= OFTEN * TOGETHER or suspected or not _is_settled(state, at):
        return OFTEN
    wanted, bake = min(SELDOM, rollouts / TOGETHER), state.step.bake
    return max(OFTEN, min(wanted, bake - state.watched)) if bake > 0.0 else wanted


def is_suspected(state: AnalysisState) -> bool:
    """Something speaks against the candidate at present, or stops the clock."""
    return (
        state.verdict is not None
        or state.obstacle is not None
        or state.ejected_at is not None
        or bool(state.excused)
        or state.odds > RISEN
        or _fails(state)
    )


def is_clean(
    state: AnalysisState, snapshot: TrafficSnapshot, reading: Tick | None, health: tuple[InstanceHealth, ...]
) -> bool:
    """Nothing in a reading speaks against the candidate.

    Args:
        state: before the reading was taken in.
        snapshot: the counters at its end.
        reading: seconds, and what ended in them; None: that cannot be said.
        health: the instances as last seen.
    """
    if reading is None or health is not state.well:
        return False
    tally = reading[1]
    if tally.candidate_failed or tally.candidate_abandoned:
        return False
    if not tally.candidate_finished and _is_missed(state, tally.stable_finished):
        return False
    return all(one.healthy and not one.ejected for one in snapshot.of(state.candidate).instances)


def _is_settled(state: AnalysisState, at: float) -> bool:
    """The step began a while ago, nothing happened in the last reading, and single failures do not count."""
    return state.clean and state.budget is None and state.since is not None and at - state.since >= FRESH


def _is_missed(state: AnalysisState, others: int) -> bool:
    """The candidate should have finished a request by now, as far as that shows by how many stable finished."""
    beside_others = state.step.alone or state.pairing is not None
    return beside_others or state.step.balance * others >= EXPECTED


def _fails(state: AnalysisState) -> bool:
    """Of the candidate's requests of the last two seconds more failed than is in order by itself."""
    window = state.incident.window
    failed = sum([entry[2] for entry in window])
    return failed > 0 and failed > state.policy.reference * sum([entry[1] for entry in window])
