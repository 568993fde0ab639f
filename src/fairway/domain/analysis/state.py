"""What is known of one rollout, from its first weight to its end: the whole state of an analysis, no decision."""

from dataclasses import dataclass, field
from typing import Any

from fairway.domain.analysis.absence import AbsenceWatch
from fairway.domain.analysis.budget import BudgetWatch
from fairway.domain.analysis.counters import Counters
from fairway.domain.analysis.dispersion import Dispersion
from fairway.domain.analysis.evidence import Finding
from fairway.domain.analysis.hang import HangWatch
from fairway.domain.analysis.incident import IncidentWatch
from fairway.domain.analysis.instances import InstanceHealth, InstanceWatch
from fairway.domain.analysis.lanes import begin_lanes
from fairway.domain.analysis.lanes.lane import NO_STEP, Lane, Step
from fairway.domain.analysis.noninferiority import NonInferiority
from fairway.domain.analysis.pairing import Pairing
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.same_age import share_of_the_pair
from fairway.domain.analysis.tally import Tally
from fairway.domain.analysis.traffic import TrafficSnapshot
from fairway.domain.analysis.traffic_share import ShareWatch


@dataclass(slots=True)
class AnalysisState:
    """The state of one rollout's analysis. Changed in place; not shared between threads.

    Begins at weight 0, before the first request.

    Attributes:
        policy: margins, limits and times.
        candidate: the revision being introduced.
        stable: the revision to compare with; None at a first deployment.
        carried: e-value of an earlier, undecided rollout of the same artifact; 1 for a first attempt. To begin at 1
            again would give the artifact a second chance of being rolled back wrongly.
        lanes: the evidence.
        step: where the rollout stands.
        since: when that began.
        watched: seconds watched in the present step, since it last began.
        before: likewise before it began again.
        warm_left: seconds of warm-up left.
        last: when `observe` was last called.
        reading_before: the last snapshot could be read.
        tally: everything counted in the present step.
        dispersion: how the failures of stable's instances vary; may be taken over from the rollout that made it live.
        own_dispersion: likewise of the candidate's, for the rollout after this one.
        share: whether the candidate gets the share of the requests that was configured.
        sticky: users are kept on one revision, so that requests are not divided one by one.
        pairing: the comparison with a baseline; None: the candidate is compared with stable.
        excused: instances of the candidate that were ejected during a shared incident.
        well: the last look at the instances if all were well; not stored.
        ejected_at: when an instance that is not excused was first seen ejected; None: there is none.
        promotion: what speaks for the candidate in the present step.
        budget: how many failed requests are allowed, and how many there were; None: as many as the evidence allows.
        verdict: why the candidate must be taken back; final.
        obstacle: why the clock stands still; None when it runs.
        patience: seconds for which readings may wait in which nothing happens, see `waiting.py`; not stored.
        waiting: such readings, in order; not stored.
        waited: seconds that passed with them; not stored.
        latest: the snapshot at the end of the last of them; not stored.
        rest: seconds for which more of them may wait; not stored.
        odds: `e_value` as of the last reading that was taken in; not stored.
        clean: nothing in the last reading spoke against the candidate, see `pace.py`; not stored.
        policy_written: the policy as a JSON value, once it was asked for; not stored.
    """

    policy: AnalysisPolicy
    candidate: str
    stable: str | None
    carried: float = 1.0
    lanes: tuple[Lane, ...] = ()
    step: Step = NO_STEP
    since: float | None = None
    watched: float = 0.0
    before: float = 0.0
    warm_left: float = 0.0
    last: float | None = None
    reading_before: bool = False
    tally: Tally = field(default_factory=Tally)
    counters: Counters = field(default_factory=Counters)
    incident: IncidentWatch = field(default_factory=IncidentWatch)
    absence: AbsenceWatch = field(default_factory=AbsenceWatch)
    hang: HangWatch = field(default_factory=HangWatch)
    candidate_instances: InstanceWatch = field(default_factory=InstanceWatch)
    stable_instances: InstanceWatch = field(default_factory=InstanceWatch)
    dispersion: Dispersion = field(default_factory=Dispersion)
    own_dispersion: Dispersion = field(default_factory=Dispersion)
    share: ShareWatch = field(default_factory=ShareWatch)
    sticky: bool = False
    pairing: Pairing | None = None
    excused: list[str] = field(default_factory=list)
    ejected_at: float | None = None
    well: tuple[InstanceHealth, ...] | None = field(default=None, compare=False)
    promotion: NonInferiority = field(default_factory=NonInferiority)
    budget: BudgetWatch | None = None
    verdict: Finding | None = None
    obstacle: Finding | None = None
    patience: float = field(default=0.0, compare=False)
    waiting: list[tuple[float, Tally]] = field(default_factory=list, compare=False)
    waited: float = field(default=0.0, compare=False)
    latest: TrafficSnapshot | None = field(default=None, compare=False)
    rest: float = field(default=0.0, compare=False)
    odds: float = field(default=1.0, compare=False)
    clean: bool = field(default=False, compare=False)
    policy_written: dict[str, Any] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        self.lanes = self.lanes or begin_lanes(self.policy)

    def e_value(self) -> float:
        """The odds against the candidate over the whole rollout."""
        return self.carried * sum([lane.weight * lane.e_value() for lane in self.lanes])

    @property
    def paired(self) -> bool:
        """The candidate is compared with a baseline in this step."""
        return self.pairing is not None and not self.step.alone

    @property
    def candidate_share(self) -> float:
        """The candidate's percent of the requests that it and what it is compared with get together."""
        return share_of_the_pair(self.step.weight) if self.paired else self.step.weight

    @property
    def finished_enough(self) -> bool:
        """The candidate finished as many requests in this step as an answer needs."""
        return self.tally.candidate_finished >= max(1, self.policy.min_requests)

    @property
    def unmatched(self) -> bool:
        """The baseline finished no request in this step, so that nothing was compared."""
        return self.paired and self.step.weight > 0.0 and self.tally.stable_finished == 0

    def judge(self) -> bool:
        """Whether the candidate is to be taken back; once yes, always yes."""
        if self.verdict is None:
            self.odds = self.e_value()
            if self.odds >= 1.0 / self.policy.alpha:
                lane = max(self.lanes, key=lambda one: one.weight * one.e_value())
                self.verdict = Finding(lane.name, "the candidate is worse than its margin allows")
        return self.verdict is not None
