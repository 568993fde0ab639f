"""The faults, the traffic at which each is played, and what `fairway plan` would promise of it."""

import math
from dataclasses import dataclass, replace

from fairway.domain.analysis.distribution import Distribution
from fairway.domain.analysis.planning.course import Course, walk
from fairway.domain.analysis.planning.premises import Fault, Stretch, Traffic, tail_share
from fairway.domain.analysis.planning.promotion import NINE_OF_TEN
from fairway.domain.analysis.policy import AnalysisPolicy


@dataclass(frozen=True, slots=True)
class Stretched(Fault):
    """The slowest tenth is stretched, the more the slower, so that P99 is `by` times what it was."""

    by: float = 1.0

    def slow_share(self, stable: Distribution, edge: float) -> float:
        """As of any fault."""
        p90, p99 = (_quantile(stable, share) for share in (0.1, 0.01))
        if edge <= p90:
            return tail_share(stable, edge)
        power = math.log(self.by) / math.log(p99 / p90)
        return tail_share(stable, p90 * (edge / p90) ** (1.0 / (1.0 + power)))


def _quantile(stable: Distribution, share: float) -> float:
    (edge, _) = stable.edges((share,))[0]
    return edge


@dataclass(frozen=True, slots=True)
class Trial:
    """One fault, and how it is played.

    Attributes:
        order: what is written into the file that the candidate obeys.
        fault: as a prediction sees it; None: rules find it, not evidence, and nothing is predicted.
        rate: requests a second to both revisions together.
        weight: percent of them that go to the candidate.
        margins: a preset of the analysis.
    """

    order: str
    fault: Fault | None
    rate: float = 200.0
    weight: float = 20.0
    margins: str = "balanced"


TRIALS = {
    "errors 1 %": Trial("errors 0.01", Fault(0.01)),
    "errors 5 %": Trial("errors 0.05", Fault(0.05)),
    "errors 100 %": Trial("errors 1", Fault(1.0)),
    # At 200 requests a second and 20 % half of all rollouts would need a quarter of an hour.
    "P99 +20 %": Trial("tail 1.2", Stretched(by=1.2), rate=600.0, weight=50.0, margins="strict"),
    "2 × slower": Trial("slow 2", Fault(slower=2.0)),
    "hang": Trial("hang", None),
    "crash loop": Trial("crash", None),
    "memory leak": Trial("leak", None),
    "connection resets": Trial("reset", Fault(1.0)),
}
"""By name."""


@dataclass(frozen=True, slots=True)
class Promise:
    """Seconds from the fault within which it is found; None: not within the time that is waited.

    Attributes:
        half: by half of all rollouts.
        nine: by nine of ten.
    """

    half: float | None
    nine: float | None


def promise(trial: Trial, policy: AnalysisPolicy, traffic: Traffic, *, patience: float) -> Promise | None:
    """What `fairway plan` would say of a fault that begins right after the warm-up; None where it says nothing.

    Args:
        trial: the fault.
        policy: how the candidate is judged.
        traffic: of stable.
        patience: seconds that are waited.
    """
    if trial.fault is None:
        return None
    begin = Course.begin(policy, traffic)
    stretch = Stretch(trial.weight, patience + policy.warmup, scaled_up=True)
    found = (walk(begin, (stretch,), trial.fault, doubt=doubt) for doubt in (0.0, NINE_OF_TEN))
    return Promise(*(None if one is None else _since(one.seconds, begin.warmup(stretch)) for one in found))


def _since(seconds: float, warmup: float) -> float:
    """Seconds from a fault that begins when the warm-up is over; what is found in warm-up does not wait for its end."""
    return seconds if seconds <= warmup else seconds - warmup


def elsewhere(trial: Trial, *, rate: float, weight: float, margins: str) -> Trial:
    """The same fault under other traffic."""
    return replace(trial, rate=rate, weight=weight, margins=margins)
