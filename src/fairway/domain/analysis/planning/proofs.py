"""What must be shown before a step may end early, as a prediction sees it: the bets on a candidate like stable.

Each proof is one null hypothesis of `noninferiority` with its own bets: errors, latency at each of its edges, each
objective. A step may end when all of them have reached the threshold.
"""

from dataclasses import dataclass
from math import log, log1p

from fairway.domain.analysis.distribution import Distribution
from fairway.domain.analysis.lanes.latency import KNOWN
from fairway.domain.analysis.lanes.objective import ObjectiveTest
from fairway.domain.analysis.lanes.objectives import objective_tests
from fairway.domain.analysis.latency import allowed
from fairway.domain.analysis.margin import Margin, guess_ratio
from fairway.domain.analysis.noninferiority import promotion_margin
from fairway.domain.analysis.noninferiority.latency import MARGIN, ODDS, SHARES
from fairway.domain.analysis.planning.block import Block
from fairway.domain.analysis.planning.growth import Wager
from fairway.domain.analysis.planning.premises import HEALTHY, Traffic, tail_share
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.within import BETS, bets_on

NO_BET = Wager(0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class RatioProof:
    """That a share of bad requests is within a margin.

    Attributes:
        name: of what is shown.
        bad: share of the candidate's requests that count against it, and of stable's.
    """

    name: str
    margin: Margin
    bad: float

    @property
    def shares(self) -> tuple[float, ...]:
        """Parts of the capital, one for each bet."""
        return tuple(share for share, _ in BETS)

    def wagers(self, block: Block) -> list[Wager]:
        """One for each bet."""
        balance = block.candidate / block.stable
        guess = guess_ratio(block.known * self.bad, block.known)
        made = []
        for bet in bets_on(guess, self.margin, balance=balance):
            if bet >= 1.0:
                made.append(NO_BET)
                continue
            gain = self.margin.points * block.candidate * (1.0 - bet)
            theirs = log1p(self.margin.ratio * balance * (1.0 - bet))
            made.append(Wager(log(bet), theirs, -gain, self.bad, self.bad))
        return made


@dataclass(frozen=True, slots=True)
class TailProof:
    """That the candidate is not slower than the promotion margin at one edge.

    Attributes:
        stable: share of stable's requests that failed or were slower than the edge.
        candidate: of a candidate like stable, the share that failed or was slower than the edge that it is allowed.
        believed: what the bets take stable's share for: failed requests have no place in the histogram.
    """

    name: str
    candidate: float
    stable: float
    believed: float

    @property
    def shares(self) -> tuple[float, ...]:
        """Parts of the capital, one for each bet."""
        return tuple(1.0 / len(ODDS) for _ in ODDS)

    def wagers(self, block: Block) -> list[Wager]:
        """One for each odds ratio."""
        part, share, made = block.candidate / (block.candidate + block.stable), min(0.95, self.believed), []
        for odds in ODDS:
            scale = 1.0 - share + odds * share
            above, below = part * odds + (1.0 - part) * scale, part + (1.0 - part) * scale
            gain = block.stable * log(scale) - (block.candidate + block.stable) * log(below)
            down = log(below) - log(above)
            made.append(Wager(log(odds) + down, down, -gain, self.candidate, self.stable))
        return made


Proof = RatioProof | TailProof


def proofs(policy: AnalysisPolicy, traffic: Traffic) -> tuple[Proof, ...]:
    """All that must be shown of a candidate like stable. Latency only where it is known."""
    stable = Distribution(traffic.latency)
    errors = RatioProof("errors", promotion_margin(policy), traffic.errors)
    tails = _tails(policy, traffic, stable) if stable.total >= KNOWN else ()
    objectives = (
        RatioProof(name, Margin(0.0, test.limit), _missing(test, traffic, stable))
        for name, test in objective_tests(policy).items()
    )
    return (errors, *tails, *objectives)


def _tails(policy: AnalysisPolicy, traffic: Traffic, stable: Distribution) -> tuple[TailProof, ...]:
    made = []
    for edge, share in stable.edges(SHARES):
        limit = allowed(edge, margin=max(MARGIN, policy.latency_margin), slack=policy.latency_slack)
        slow_c, slow_s = (traffic.errors + (1.0 - traffic.errors) * one for one in (tail_share(stable, limit), share))
        made.append(TailProof("latency", slow_c, slow_s, slow_s))
    return tuple(made)


def _missing(test: ObjectiveTest, traffic: Traffic, stable: Distribution) -> float:
    """The share of stable's requests that count against an objective."""
    if test.slower is None or not stable.total:
        return traffic.errors
    return traffic.errors + (1.0 - traffic.errors) * HEALTHY.slow_share(stable, test.slower)
