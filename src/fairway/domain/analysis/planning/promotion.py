"""How long the evidence for a healthy candidate takes: when a step with a least time may end.

The bets of `noninferiority` on a candidate that is like stable, fed with expected counts, block by block. As in
`course.py` the expectation is that of an ordinary rollout; `doubt` above 0 is that of an unlucky one, below 0 of a
lucky one.
"""

from dataclasses import dataclass
from math import exp, inf, log, sqrt

from fairway.domain.analysis.noninferiority import BETA, CAP
from fairway.domain.analysis.noninferiority.step import block_length
from fairway.domain.analysis.planning.block import Block
from fairway.domain.analysis.planning.course import LARGEST, READING, STEADY, STRIDE, Course, Pace
from fairway.domain.analysis.planning.premises import Stretch
from fairway.domain.analysis.planning.proofs import Proof, proofs

NINE_OF_TEN = 1.2816
"""Standard deviations beyond which one rollout of ten lies."""

FUTILE = 20
"""Blocks after which bets that are expected to lose are taken to go on losing."""

LONGEST = 30.0 * 86400.0
"""Seconds after which nobody waits for evidence any more."""


@dataclass(frozen=True, slots=True)
class Ending:
    """When a step ends with a candidate that is as good as stable. Seconds into the step; None: after its deadline.

    Attributes:
        least: the step does not end before.
        lucky: one rollout of ten ends by then.
        usual: half of them do.
        unlucky: nine of ten do.
        requests: of the candidate in `usual` seconds, or that half of all rollouts would need if there were no
            deadline; None: no number of them would do.
        slowest: what takes longest to be shown: errors, latency or an objective; empty where nothing would do.
        latency_known: latency is among what was predicted.
    """

    least: float
    lucky: float | None
    usual: float | None
    unlucky: float | None
    requests: float | None
    slowest: str
    latency_known: bool


def ending(course: Course, stretch: Stretch) -> Ending | None:
    """When a stretch of the rollout ends; None where time alone ends it.

    Args:
        course: what has happened until then; it is left as it is.
        stretch: the one that begins.
    """
    if stretch.least is None or stretch.alone:
        return None
    least, asked = min(stretch.least, stretch.seconds), proofs(course.policy, course.traffic)

    def ends(doubt: float) -> float | None:
        shown = max(_shown_at(course, stretch, one, doubt=doubt, until=stretch.seconds) for one in asked)
        return max(least, shown) if shown <= stretch.seconds else None

    needed = {one.name: _shown_at(course, stretch, one, until=LONGEST) for one in reversed(asked)}
    slowest = max(needed, key=lambda name: needed[name])
    longest = max(least, needed[slowest])
    requests = None if longest == inf else longest * stretch.candidate_rps(course.traffic)
    known = any(one.name == "latency" for one in asked)
    return Ending(least, ends(-NINE_OF_TEN), ends(0.0), ends(NINE_OF_TEN), requests, slowest, known)


def _shown_at(course: Course, stretch: Stretch, proof: Proof, *, until: float, doubt: float = 0.0) -> float:
    """Seconds into the stretch at which that much is shown; infinite if it never is."""
    pace = Pace.of(block_length(course.policy, stretch.seconds), stretch, course.traffic)
    if pace.length == inf:
        return inf
    at, settled, known = 0.0 if stretch.baseline else course.warmup(stretch), 0, -inf
    growth: list[tuple[float, float]] = []
    logs = [(0.0, 0.0)] * len(proof.shares)
    while at + pace.length <= until + READING / 2.0:
        present = course.known + stretch.stable_rps(course.traffic) * at
        if present > (1.0 + STEADY) * known:
            known, growth = present, _growth(course, stretch, proof, pace.length, present)
        count = max(1, int(settled * STRIDE))
        logs = [(mean + count * m, var + count * v) for (mean, var), (m, v) in zip(logs, growth, strict=True)]
        settled, at = settled + count, at + count * pace.length
        if _e_value(proof, logs, settled, doubt) >= 1.0 / BETA:
            return at + doubt * pace.spread * sqrt(settled)
        if settled > FUTILE and all(mean <= 0.0 for mean, _ in growth):
            break
    return inf


def _growth(course: Course, stretch: Stretch, proof: Proof, length: float, known: float) -> list[tuple[float, float]]:
    """Mean and variance of what one block adds to the logarithm of each bet."""
    candidate = stretch.candidate_rps(course.traffic) * length
    stable = stretch.stable_rps(course.traffic) * length
    wagers = proof.wagers(Block(stretch, candidate, stable, known))
    return [one.expect(candidate, stable, cap=log(CAP)) for one in wagers]


def _e_value(proof: Proof, logs: list[tuple[float, float]], settled: int, doubt: float) -> float:
    highest = min(LARGEST, settled * log(CAP))
    each = (mean - doubt * sqrt(var) for mean, var in logs)
    return sum(share * exp(min(highest, one)) for share, one in zip(proof.shares, each, strict=True))
