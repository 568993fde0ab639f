"""The analysis of one rollout: readings in, an assessment out.

Order of what decides (the first that applies):
1. Evidence or a rule against the candidate: roll back. Once found it stays, and the evidence with it: an e-process
   that reached 1/alpha has done so for good, and nobody looks on until it falls again.
2. Counters unreadable, a shared incident, an objective that stable misses as well, a candidate that gets no requests or
   another share of them than configured: hold; the clock stands still. Missing data has never passed and never failed.
   A candidate without requests for too long: inconclusive.
3. Otherwise: continue. At the end of the bake that means advance if it is `sufficient`: the candidate finished
   `min_requests` in this step; if not, inconclusive.

The guarantee: if, given the past, each request's chance of failing does not depend on which revision it was routed to
beyond the margin, and requests fail independently given the common environment, the lanes roll back a candidate at any
time of the rollout with probability at most alpha: for any traffic, any number of looks, incidents that hit both, any
change of weights. Not covered: failures in clusters on one revision (sticky clients, one bad node), a cold start
outside the warm-up, routing that is not random, and steps without requests of stable to compare with (see
`lanes/error_ratio.py`). The rules (ejected, crash, not-ready, hang) are outside of it.

Whoever drives this keeps `to_json()` with the rollout: evidence that is forgotten and begins at 1 again doubles alpha.
Observe once before the first weight is set, and once right before each change of weight.
"""

from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from fairway.domain import codec
from fairway.domain.analysis import sentences
from fairway.domain.analysis.absence import AbsenceWatch
from fairway.domain.analysis.budget import BudgetWatch
from fairway.domain.analysis.counters import NO_TRAFFIC, Counters, trusted
from fairway.domain.analysis.dispersion import Dispersion
from fairway.domain.analysis.distribution import Distribution
from fairway.domain.analysis.evidence import (
    GREATEST_E_VALUE,
    Assessment,
    Counts,
    Decision,
    Evidence,
    Finding,
    LaneEvidence,
    Promotion,
)
from fairway.domain.analysis.hang import HangWatch
from fairway.domain.analysis.incident import IncidentWatch
from fairway.domain.analysis.instances import InstanceHealth, InstanceWatch
from fairway.domain.analysis.lanes import begin_lanes, restore_lanes
from fairway.domain.analysis.lanes.lane import NO_STEP, Histograms, Lane, Reading, Step
from fairway.domain.analysis.lanes.objective import ObjectiveLane
from fairway.domain.analysis.noninferiority import NonInferiority
from fairway.domain.analysis.pairing import Pairing, with_others
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.same_age import baseline_share, share_of_the_pair
from fairway.domain.analysis.tally import Tally
from fairway.domain.analysis.traffic import RevisionTraffic, TrafficSnapshot
from fairway.domain.analysis.traffic_share import ShareWatch

_Shown = TypeVar("_Shown", LaneEvidence, Promotion)

SAID_FOR = 1.0
"""Seconds for which evidence and sentence of an assessment are good enough while nothing happens."""

LOOK_PATIENCE = 1.0
"""Seconds that the verdict on an ejected instance waits for a look at its process, so that it can say what happened."""

WARMUP_PART = 0.25
"""Warm-up takes at most this part of a bake, so that the error lane sees the rest of it."""


@dataclass(slots=True)
class Analysis:
    """The analysis of one rollout. Changed in place; not shared between threads.

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

    def __post_init__(self) -> None:
        self.lanes = self.lanes or begin_lanes(self.policy)

    def enter_step(self, weight: float, *, at: float, scaled_up: bool, bake: float = 0.0, copies: bool = False) -> None:
        """The weight has just changed, or a new step begins at the same weight. Without effect after a verdict.

        Args:
            weight: percent of the requests that now go to the candidate.
            at: now, seconds since the epoch, UTC.
            scaled_up: instances of the candidate were added, so that warm-up begins again.
            bake: seconds for which this step shall be watched; shortens warm-up and blocks where they would leave no
                time to judge. 0: not known.
            copies: the candidate gets copies of that share of the requests, whose answers nobody sees.
        """
        if self.verdict is not None:
            return
        for lane in self.lanes:
            lane.close_block()
        if self._judge():
            return
        alone = self.stable is None or (weight >= 100.0 and not copies)
        against = None if self.pairing is None or alone else weight if copies else baseline_share(weight)
        self.step = Step(weight, alone, bake, copies, against)
        for lane in self.lanes:
            lane.enter_step(self.step)
        self.promotion.enter_step(self.step, self.policy)
        if scaled_up:
            self.warm_left = min(self.policy.warmup, bake * WARMUP_PART) if bake > 0.0 else self.policy.warmup
        self.since, self.watched, self.before, self.tally = at, 0.0, 0.0, Tally()
        self.absence, self.hang, self.incident.window = AbsenceWatch(), HangWatch(), []
        # Neither users nor copies of some requests are divided by lot, one by one.
        divided = not (alone or self.sticky or copies)
        self.share.enter_step(weight if divided else 0.0)
        if self.pairing is not None:
            self.pairing.enter_step(weight, divided=divided)

    def begin_again(self) -> None:
        """The step had no answer and is watched once more. What was counted in it stays, and so does the evidence."""
        self.before, self.watched = self.before + self.watched, 0.0
        self.absence, self.hang = AbsenceWatch(), HangWatch()

    def observe(
        self,
        snapshot: TrafficSnapshot | None,
        health: tuple[InstanceHealth, ...],
        *,
        at: float,
        counting: bool = True,
        looked_at: float | None = None,
    ) -> None:
        """Takes in what the router and the target say now.

        Args:
            snapshot: the router's counters, newer than the last; None when they could not be read.
            health: all instances of candidate and stable; of a revision that is missing nothing is concluded.
            at: now, seconds since the epoch, UTC.
            counting: False while a person paused the rollout: evidence is gathered, the time does not count.
            looked_at: when the instances were looked at, likewise; None: now.
        """
        seconds, self.last = trusted(self.last, at), at
        if self.verdict is not None:
            return
        obstacle = self._watch_instances(health, seconds)
        reading = None
        if snapshot is None:
            obstacle = obstacle or Finding("metrics-outage", "the counters of the router could not be read")
        else:
            reading = self.counters.read(snapshot, candidate=self.candidate, stable=self.stable)
            pair = self.pairing.read(snapshot, self.candidate) if self.pairing is not None else None
            if reading is not None and self.step.weight > 0.0:
                self._gather(snapshot, *reading, pair=pair)
            frozen = self._watch_budget(snapshot)
            looked_at = at if looked_at is None else looked_at
            ejection = self._watch_ejections(snapshot, health, at=at, looked_at=looked_at)
            if self.pairing is not None:
                # After the evidence: what is known of the baseline applies from the next reading on.
                self.pairing.watch(health, snapshot, seconds=seconds)
            obstacle = obstacle or ejection or self._watch_traffic() or frozen
        self.obstacle = obstacle
        if reading is not None and self.reading_before and counting and obstacle is None:
            self.watched += reading[0]
        self.reading_before = snapshot is not None
        self.warm_left = max(0.0, self.warm_left - seconds)

    def assess(self, *, at: float, last: Assessment | None = None) -> Assessment:
        """What to do now. Changes nothing.

        Args:
            at: now, seconds since the epoch, UTC.
            last: what was said last. While nothing has changed but counts, its evidence and sentence are good enough
                for `SAID_FOR` seconds: to put them together costs more than to judge.
        """
        sufficient = self.step.weight <= 0.0 or (self._finished_enough() and not self._unmatched())
        if last is not None and self._is_still_said(last, sufficient, at):
            return replace(last, watched=self.watched, at=at, said_at=last.said_at or last.at)
        evidence = self.evidence()
        decision, rule, sentence = self._decide(evidence)
        return Assessment(decision, sufficient, rule, sentence, self.watched, at, evidence, before=self.before)

    def _is_still_said(self, last: Assessment, sufficient: bool, at: float) -> bool:
        """Nothing happened that would make the last assessment another one, but for counts and e-values."""
        evidence, over = last.evidence, 0.0 < self.step.bake <= self.watched
        return (
            self.verdict is None
            and self.obstacle is None
            and last.decision == "continue"
            and last.sufficient == sufficient
            and last.before == self.before
            and evidence.since == self.since
            and evidence.promotion is self.promotion.shown
            and over == (0.0 < self.step.bake <= last.watched)
            and 0.0 <= at - (last.said_at or last.at) < SAID_FOR
        )

    def e_value(self) -> float:
        """The odds against the candidate over the whole rollout."""
        return self.carried * sum(lane.weight * lane.e_value() for lane in self.lanes)

    def evidence(self) -> Evidence:
        """What all verdicts rest on."""
        t = self.tally
        return Evidence(
            e_value=min(self.e_value(), GREATEST_E_VALUE),
            threshold=1.0 / self.policy.alpha,
            since=self.since,
            weight=0.0 if self.step.copies else self.step.weight,
            candidate=Counts(t.candidate_finished, t.candidate_failed),
            stable=Counts(t.stable_finished, t.stable_failed),
            lanes=tuple(self._named(lane.evidence()) for lane in self.lanes),
            promotion=tuple(map(self._named, self.promotion.shown)) if self._paired else self.promotion.shown,
            budget=self.budget.spending() if self.budget is not None else None,
            reference="baseline" if self._paired else "stable",
        )

    @property
    def _paired(self) -> bool:
        """The candidate is compared with a baseline in this step."""
        return self.pairing is not None and not self.step.alone

    def _named(self, shown: _Shown) -> _Shown:
        """Margins are those of the policy, in words that name stable; here the baseline stands for it."""
        return replace(shown, margin=shown.margin.replace("stable", "the baseline")) if self._paired else shown

    def _unmatched(self) -> bool:
        """The baseline finished no request in this step, so that nothing was compared."""
        return self._paired and self.step.weight > 0.0 and self.tally.stable_finished == 0

    def to_json(self) -> dict[str, Any]:
        """The whole state as a JSON value; after `from_json` all further decisions are the same to the last bit."""
        lanes = [lane.to_json() for lane in self.lanes]
        kept = (name for name in self.__slots__ if name not in ("lanes", "well"))
        return {name: codec.to_json(getattr(self, name)) for name in kept} | {"lanes": lanes}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Analysis":
        """The analysis that `to_json` described.

        Raises:
            InvariantError: the value names a lane that does not exist.
        """
        restored = codec.from_json(cls, value | {"lanes": []})
        restored.lanes = restore_lanes(restored.policy, value["lanes"])
        return restored

    def _gather(
        self, snapshot: TrafficSnapshot, seconds: float, tally: Tally, *, pair: tuple[float, Tally] | None
    ) -> None:
        """Gives a reading to the lanes; only then to the watches, whose answers apply from the next reading on."""
        candidate = snapshot.of(self.candidate)
        stable = snapshot.of(self.stable) if self.stable is not None else NO_TRAFFIC
        reading = self._reading(candidate, stable, seconds, tally, self.counters.series)
        compared: Reading | None = reading
        if self.pairing is not None and not self.step.alone:
            compared = self._beside(self.pairing, snapshot, reading, pair)
        # Objectives are kept by stable, and by the baseline only where that serves in the place of stable.
        owed = compared if compared is not None and self.step.weight >= 50.0 and self._paired else reading
        for lane in self.lanes:
            given = owed if isinstance(lane, ObjectiveLane) else compared
            if given is not None:
                lane.observe(given)
        if compared is not None:
            self.tally.add(compared.tally)
            self.promotion.observe(compared, self.policy)
        self._look_on(candidate, owed, compared or reading)
        series, shared = self.counters.series, self.incident.shared
        self.own_dispersion.observe(seconds, candidate.instances, series=series, shared=shared)
        if self.pairing is None:
            self.share.observe(seconds, tally)
            self.dispersion.observe(seconds, stable.instances, series=series, shared=shared)
        else:
            if pair is not None:
                self.share.observe(seconds, with_others(tally, pair[1]))
            beside, series = snapshot.of(self.pairing.baseline), self.pairing.counters.series
            self.dispersion.observe(seconds, beside.instances, series=series, shared=shared)
        if not self._judge() and not shared:
            self.verdict = self.hang.finding(stable.latency)

    def _reading(
        self, candidate: RevisionTraffic, other: RevisionTraffic, seconds: float, tally: Tally, series: int
    ) -> Reading:
        """What the lanes are told of the candidate and of one other revision."""
        return Reading(
            seconds,
            tally,
            warming=self.warm_left > 0.0,
            incident=self.incident.shared,
            histograms=Histograms(
                series,
                Distribution(candidate.latency),
                Distribution(other.latency),
                other.instances,
                max(1, len(candidate.instances)),
            ),
            dispersion=self.dispersion.factor,
            calm=self.dispersion.calm,
            waiting=(sum(one.active for one in candidate.instances), sum(one.active for one in other.instances)),
        )

    def _beside(
        self, pairing: Pairing, snapshot: TrafficSnapshot, reading: Reading, pair: tuple[float, Tally] | None
    ) -> Reading | None:
        """The same with the baseline in the place of stable, from the first request on: both are as young."""
        if pair is None:
            return None
        seconds, tally = pair
        again = (reading.tally.again_finished, reading.tally.again_failed)
        both = replace(tally, again_finished=again[0], again_failed=again[1])
        candidate, baseline = snapshot.of(self.candidate), snapshot.of(pairing.baseline)
        compared = self._reading(candidate, baseline, seconds, both, pairing.counters.series)
        return replace(compared, warming=False, incident=compared.incident or pairing.trouble is not None)

    def _look_on(self, candidate: RevisionTraffic, owed: Reading, compared: Reading) -> None:
        """Gives a reading to the watches."""
        seconds, tally = owed.seconds, owed.tally
        self.incident.observe(seconds, tally, reference=self.policy.reference)
        if not self.step.copies:
            self.absence.observe(seconds, compared.tally, weight=self._share())
        silent = self.absence.silent or self.step.alone or (self.step.copies and compared.tally.stable_finished > 0)
        self.hang.observe(seconds, candidate, finished=tally.candidate_finished, silent=silent)

    def _share(self) -> float:
        """The candidate's percent of the requests that it and what it is compared with get together."""
        return share_of_the_pair(self.step.weight) if self._paired else self.step.weight

    def _judge(self) -> bool:
        """Whether the candidate is to be taken back; once yes, always yes."""
        if self.verdict is None and self.e_value() >= 1.0 / self.policy.alpha:
            lane = max(self.lanes, key=lambda one: one.weight * one.e_value())
            self.verdict = Finding(lane.name, "the candidate is worse than its margin allows")
        return self.verdict is not None

    def _watch_instances(self, health: tuple[InstanceHealth, ...], seconds: float) -> Finding | None:
        if health is self.well:
            return None  # what was seen a moment ago, and nothing in it that gets worse with time
        candidate = tuple(one for one in health if one.revision == self.candidate)
        stable = tuple(one for one in health if one.revision == self.stable)
        self.candidate_instances.observe(candidate, seconds=seconds)
        self.stable_instances.observe(stable, seconds=seconds)
        finding = self.candidate_instances.finding(candidate, not_ready=self.policy.not_ready)
        if finding is None:
            self.well = health if all(one.ready or not one.was_ready for one in health) else None
            return None
        if self.stable_instances.all_in_trouble(stable):
            return Finding("shared-incident", f"{finding.cause}, but stable is in the same trouble")
        told = self.pairing.in_trouble(health) if self.pairing is not None else ""
        self.verdict = replace(finding, cause=f"{finding.cause}{told}")
        return None

    def _watch_ejections(
        self, snapshot: TrafficSnapshot, health: tuple[InstanceHealth, ...], *, at: float, looked_at: float
    ) -> Finding | None:
        """An ejected instance ends the rollout, unless stable failed as well when it was ejected.

        One whose process ended is a crash. The proxy sees that earlier than whoever looks at processes.
        """
        if self.verdict is not None or self.step.weight <= 0.0:
            return None
        instances = snapshot.of(self.candidate).instances
        ejected = [one.instance for one in instances if one.ejected]
        stable = snapshot.of(self.stable).instances if self.stable is not None else ()
        if self.incident.stable_fails or any(one.ejected for one in stable):
            self.excused = ejected
        else:
            self.excused = [name for name in self.excused if name in ejected]
        blamed = [name for name in ejected if name not in self.excused]
        self.ejected_at = (at if self.ejected_at is None else self.ejected_at) if blamed else None
        if self.ejected_at is not None:
            ended = self.candidate_instances.ended(tuple(one for one in health if one.revision == self.candidate))
            crashed = {name: ended[name] for name in blamed if name in ended}
            if crashed or looked_at >= self.ejected_at or not 0.0 <= at - self.ejected_at < LOOK_PATIENCE:
                self.verdict = _crash(crashed) if crashed else _ejection(ejected, len(instances))
            return None
        if ejected:
            cause = f"the proxy ejected {', '.join(ejected)} of the candidate while stable was failing as well"
            return Finding("shared-incident", cause)
        return None

    def _watch_traffic(self) -> Finding | None:
        if self.step.weight <= 0.0:
            return None
        if self.incident.shared:
            return Finding("shared-incident", "candidate and stable are failing alike, so the cause lies elsewhere")
        if self.absence.silent:
            return Finding("no-candidate-traffic", "the candidate finishes no requests although stable does")
        missed = next((one for one in (lane.obstacle() for lane in self.lanes) if one is not None), None)
        beside = self.pairing.obstacle() if self.pairing is not None and self._paired else None
        return missed or beside or self.share.finding()

    def _watch_budget(self, snapshot: TrafficSnapshot) -> Finding | None:
        """A spent budget ends the rollout whatever the evidence says; at half of it the clock stands still."""
        if self.budget is None:
            return None
        # Nobody saw the failure of a copy.
        self.budget.observe(snapshot, self.candidate, shared=self.incident.shared or self.step.copies)
        self.verdict = self.verdict or self.budget.verdict()
        return self.budget.freeze(0.0 if self.step.copies else self.step.weight)

    def _finished_enough(self) -> bool:
        return self.tally.candidate_finished >= max(1, self.policy.min_requests)

    def _decide(self, evidence: Evidence) -> tuple[Decision, str, str]:
        """Decision, rule and sentence."""
        watched = self.before + self.watched
        if self.verdict is not None:
            lane = next((one for one in evidence.lanes if one.name == self.verdict.rule), None)
            if lane is None:
                return "roll-back", self.verdict.rule, sentences.by_rule(self.verdict, evidence)
            return "roll-back", lane.name, sentences.by_lane(lane, evidence, watched=watched)
        if self.obstacle is not None:
            absence, rule = self.absence, self.obstacle.rule
            if rule == "no-candidate-traffic" and absence.seconds >= self.policy.no_data:
                expected = absence.expected(self._share())
                return "inconclusive", rule, sentences.absent(evidence, seconds=absence.seconds, expected=expected)
            return "hold", rule, sentences.hold(self.obstacle, evidence)
        rule, sentence = self._go_on(evidence, watched)
        return "continue", rule, sentence

    def _go_on(self, evidence: Evidence, watched: float) -> tuple[str, str]:
        """Rule and sentence where nothing speaks against the candidate and nothing stops the clock."""
        silent = self.step.weight > 0.0 and self.tally.candidate_finished == 0
        if silent or self._unmatched():
            say = sentences.no_requests if silent else sentences.no_comparison
            return "no-requests", say(evidence, watched=watched)
        over = 0.0 < self.step.bake <= self.watched
        if over and self.step.weight > 0.0 and not self._finished_enough():
            wanted = self.policy.min_requests
            return "few-requests", sentences.few_requests(evidence, watched=watched, wanted=wanted)
        warming = self.warm_left > 0.0 and not self._paired
        return "watching", sentences.watching(evidence, watched=watched, warming=warming)


def _crash(ended: dict[str, str]) -> Finding:
    """Processes that ended under requests."""
    how = ", ".join(f"{name} ({words})" for name, words in ended.items())
    return Finding("crash", f"the process of the candidate's {how} ended, and the proxy could not reach it any more")


def _ejection(ejected: list[str], instances: int) -> Finding:
    """Processes that live, but fail."""
    cause = (
        f"the proxy ejected {len(ejected)} of {instances} instances of the candidate "
        f"({', '.join(ejected)}), because too many requests in a row failed there"
    )
    return Finding("ejected", cause)
