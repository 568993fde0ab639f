"""A candidate beside a baseline of its own age: what is compared, and when it cannot be.

Comparisons (errors, latency, requests given up, the spread between instances) are made with the baseline, so that what
youth costs is on both sides, and so without a warm-up. What the candidate owes whatever others do (objectives, the
budget, crashes, ejections, hangs) it owes while it is young, too, and excused it is only by stable: by the baseline
only from a weight of 50 on, where that serves in the place of stable.

What happens to the baseline is never held against the candidate. An instance of it that crashes, that was started again
and so is younger than it should be, that lost its readiness or was ejected by the proxy, stops the clock and is told;
the comparison goes on when the baseline does.
"""

from dataclasses import dataclass, field, replace

from fairway.domain.analysis.counters import Counters
from fairway.domain.analysis.evidence import Finding
from fairway.domain.analysis.instances import InstanceHealth, InstanceWatch
from fairway.domain.analysis.same_age import share_of_the_pair
from fairway.domain.analysis.tally import Tally
from fairway.domain.analysis.traffic import TrafficSnapshot
from fairway.domain.analysis.traffic_share import ShareWatch

RULE = "baseline"

SETTLING = 5.0
"""Seconds for which the clock stands still after an instance of the baseline was started again."""


@dataclass(slots=True)
class Pairing:
    """The state of the comparison with a baseline.

    Attributes:
        baseline: id of the revision.
        counters: of the candidate, and of the baseline in the place of stable.
        share: whether the two get the shares that were configured, of the requests that either gets.
        instances: the baseline's, since the analysis began.
        restarts: how often each was restarted when that was last seen.
        settling: seconds left for which the last restart counts.
        restarted: what there is to say of it; None before the first.
        trouble: why nothing can be compared at present; None if it can.
    """

    baseline: str
    counters: Counters = field(default_factory=Counters)
    share: ShareWatch = field(default_factory=ShareWatch)
    instances: InstanceWatch = field(default_factory=InstanceWatch)
    restarts: dict[str, int] = field(default_factory=dict)
    settling: float = 0.0
    restarted: Finding | None = None
    trouble: Finding | None = None

    def enter_step(self, weight: float, *, divided: bool) -> None:
        """The weight was set.

        Args:
            weight: the candidate's percent of all requests.
            divided: requests are divided by lot, one by one.
        """
        self.share.enter_step(share_of_the_pair(weight) if divided else 0.0)

    def read(self, snapshot: TrafficSnapshot, candidate: str) -> tuple[float, Tally] | None:
        """What ended since the last snapshot on candidate and baseline; None if that cannot be said."""
        reading = self.counters.read(snapshot, candidate=candidate, stable=self.baseline)
        if reading is not None:
            self.share.observe(*reading)
        return reading

    def watch(self, health: tuple[InstanceHealth, ...], snapshot: TrafficSnapshot | None, *, seconds: float) -> None:
        """Looks whether the baseline is as it should be.

        Args:
            health: all instances; where none of the baseline's is among them nothing is concluded.
            snapshot: the router's counters; None when they could not be read.
            seconds: since the last look.
        """
        own = tuple(one for one in health if one.revision == self.baseline)
        self.instances.observe(own, seconds=seconds)
        self.settling = max(0.0, self.settling - seconds)
        for one in own:
            if one.restarts > self.restarts.get(one.instance, one.restarts):
                self.settling, self.restarted = SETTLING, _restarted(one)
            self.restarts[one.instance] = one.restarts
        restarted = self.restarted if self.settling > 0.0 else None
        self.trouble = _down(own) or self._ejected(snapshot) or restarted

    def obstacle(self) -> Finding | None:
        """Why the clock stands still; None if it does not."""
        if self.trouble is not None:
            return self.trouble
        found = self.share.finding()
        return Finding(found.rule, f"{found.cause}; its own and the baseline's are counted") if found else None

    def in_trouble(self, health: tuple[InstanceHealth, ...]) -> str:
        """What to add to a verdict on the candidate's processes where all of the baseline's are no better."""
        own = tuple(one for one in health if one.revision == self.baseline)
        alike = self.instances.all_in_trouble(own)
        return "; the baseline is in the same trouble, so that the release may not be the cause" if alike else ""

    def _ejected(self, snapshot: TrafficSnapshot | None) -> Finding | None:
        instances = snapshot.of(self.baseline).instances if snapshot is not None else ()
        names = [one.instance for one in instances if one.ejected]
        return Finding(RULE, f"the proxy ejected {', '.join(names)} of the baseline; {_ALONE}") if names else None


_ALONE = "the candidate has nothing to be compared with"


def _down(own: tuple[InstanceHealth, ...]) -> Finding | None:
    """The first instance that cannot serve."""
    for one in own:
        if one.crash_loop:
            return Finding(RULE, f"{_name(one)} crashes again and again{_last(one)}; {_ALONE}")
        if one.was_ready and not one.ready:
            return Finding(RULE, f"{_name(one)} is not ready any more{_last(one)}; {_ALONE}")
    return None


def _restarted(one: InstanceHealth) -> Finding:
    return Finding(RULE, f"{_name(one)} had to be restarted{_last(one)}, so it is younger than the candidate's")


def _name(one: InstanceHealth) -> str:
    return f"instance {one.instance} of the baseline"


def _last(one: InstanceHealth) -> str:
    return f" (last: {one.last_exit})" if one.last_exit else ""


def with_others(tally: Tally, pair: Tally) -> Tally:
    """The candidate, and all other first tries in the place of stable's."""
    return replace(
        tally,
        stable_finished=tally.stable_finished + pair.stable_finished,
        stable_failed=tally.stable_failed + pair.stable_failed,
        stable_abandoned=tally.stable_abandoned + pair.stable_abandoned,
    )
