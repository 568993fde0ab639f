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

from typing import Any

from fairway.domain import codec
from fairway.domain.analysis.absence import AbsenceWatch
from fairway.domain.analysis.counters import trusted
from fairway.domain.analysis.evidence import Assessment, Evidence, Finding
from fairway.domain.analysis.gathering import Tick, gather
from fairway.domain.analysis.hang import HangWatch
from fairway.domain.analysis.instances import InstanceHealth
from fairway.domain.analysis.lanes import restore_lanes
from fairway.domain.analysis.lanes.lane import Step
from fairway.domain.analysis.pace import is_clean
from fairway.domain.analysis.rules import watch_budget, watch_ejections, watch_instances, watch_traffic
from fairway.domain.analysis.same_age import baseline_share
from fairway.domain.analysis.saying import decide, gather_evidence, is_still_said, said_again
from fairway.domain.analysis.state import AnalysisState
from fairway.domain.analysis.tally import Tally
from fairway.domain.analysis.traffic import TrafficSnapshot
from fairway.domain.analysis.waiting import catch_up, may_wait, rest_of, wait

SAID_FOR = 1.0
"""Seconds for which evidence and sentence of an assessment are good enough while nothing happens."""

STORED = tuple(
    name
    for name in AnalysisState.__slots__
    if name not in {"policy", "policy_written", "lanes", "well", "patience", "waiting", "waited", "latest", "rest"}
    and name not in {"odds", "clean"}
)
"""Of the state: policy and lanes are stored by themselves, nothing waits when the rest is stored, and what is known of
the last reading alone is known again after the next."""

_write = codec.writer(AnalysisState, STORED)

AWAY = 1.0
"""Readings of more seconds are those of a reader that was away for a while."""

WARMUP_PART = 0.25
"""Warm-up takes at most this part of a bake, so that the error lane sees the rest of it."""


class Analysis(AnalysisState):
    """The analysis of one rollout. Changed in place; not shared between threads."""

    __slots__ = ()

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
        self.catch_up()
        if self.verdict is not None:
            return
        for lane in self.lanes:
            lane.close_block()
        self.rest = 0.0
        if self.judge():
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
        self.catch_up()
        self.before, self.watched = self.before + self.watched, 0.0
        self.absence, self.hang, self.rest = AbsenceWatch(), HangWatch(), 0.0

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
        seconds, self.last, self.clean = trusted(self.last, at), at, False
        if self.verdict is not None:
            return
        reading = None
        if snapshot is not None:
            reading = self.counters.read(snapshot, candidate=self.candidate, stable=self.stable)
            self.clean = is_clean(self, snapshot, reading, health)
            if reading is not None and may_wait(self, reading, counting=counting):
                wait(self, snapshot, reading, seconds)
                return
        self.catch_up()
        if self.verdict is None:
            self._take_in(snapshot, reading, health, seconds, counting=counting, looked_at=looked_at)

    def _take_in(
        self,
        snapshot: TrafficSnapshot | None,
        reading: Tick | None,
        health: tuple[InstanceHealth, ...],
        seconds: float,
        *,
        counting: bool,
        looked_at: float | None,
    ) -> None:
        """Takes in one reading by itself; the arguments are those of `observe`, and what follows from them."""
        at = self.last or 0.0
        obstacle = watch_instances(self, health, seconds)
        if snapshot is None:
            obstacle = obstacle or Finding("metrics-outage", "the counters of the router could not be read")
        else:
            pair = self.pairing.read(snapshot, self.candidate) if self.pairing is not None else None
            if reading is not None and self.step.weight > 0.0:
                gather(self, snapshot, reading, pair=pair)
            frozen = watch_budget(self, snapshot)
            looked_at = at if looked_at is None else looked_at
            ejection = watch_ejections(self, snapshot, health, at=at, looked_at=looked_at)
            if self.pairing is not None:
                # After the evidence: what is known of the baseline applies from the next reading on.
                self.pairing.watch(health, snapshot, seconds=seconds)
            obstacle = obstacle or ejection or watch_traffic(self) or frozen
        self.obstacle = obstacle
        if (
            reading is not None
            and self.reading_before
            and counting
            and obstacle is None
            and not self._doubtful(reading)
        ):
            self.watched += reading[0]
        self.reading_before = snapshot is not None
        self.warm_left = max(0.0, self.warm_left - seconds)
        self.rest = rest_of(self)

    def _doubtful(self, reading: Tick) -> bool:
        """No step may end with this reading: more is about to be known.

        Whether the process of an ejected instance ended is being asked. And failures in one long reading, after the
        reader was away, are one look at all of them, where the hard lane needs several.
        """
        seconds, tally = reading
        return self.ejected_at is not None or (tally.candidate_failed > 0 and seconds > AWAY)

    def catch_up(self) -> None:
        """Takes in what waits. Nothing is decided, shown or stored before; a second call does nothing."""
        if self.waiting:
            catch_up(self)

    def assess(
        self, *, at: float, last: Assessment | None = None, good_for: float = SAID_FOR, promoting: bool = True
    ) -> Assessment:
        """What to do now. Changes nothing.

        Args:
            at: now, seconds since the epoch, UTC.
            last: what was said last. While nothing has changed but counts, its evidence and sentence are good enough
                for a while: to put them together costs more than to judge.
            good_for: that while, in seconds.
            promoting: what speaks for the candidate may end the step early; else it is like counts.
        """
        sufficient = self.step.weight <= 0.0 or (self.finished_enough and not self.unmatched)
        if (
            last is not None
            and not (promoting and (self.promotion.unshown or last.evidence.promotion is not self.promotion.shown))
            and is_still_said(self, last, at=at, sufficient=sufficient, good_for=good_for)
        ):
            return said_again(last, watched=self.watched, at=at, said_at=last.said_at or last.at)
        evidence = self.evidence()
        sufficient = self.step.weight <= 0.0 or (self.finished_enough and not self.unmatched)
        decision, rule, sentence = decide(self, evidence)
        return Assessment(decision, sufficient, rule, sentence, self.watched, at, evidence, before=self.before)

    def evidence(self) -> Evidence:
        """What all verdicts rest on."""
        self.catch_up()
        return gather_evidence(self)

    def to_json(self) -> dict[str, Any]:
        """The whole state as a JSON value; after `from_json` all further decisions are the same to the last bit."""
        self.catch_up()
        self.promotion.bring_up_to_date(self.policy)
        if self.policy_written is None:
            self.policy_written = codec.to_json(self.policy)
        value = {"policy": self.policy_written} | _write(self)
        value["lanes"] = [lane.to_json() for lane in self.lanes]
        return value

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Analysis":
        """The analysis that `to_json` described.

        Raises:
            InvariantError: the value names a lane that does not exist.
        """
        restored = codec.from_json(cls, value | {"lanes": []})
        restored.lanes = restore_lanes(restored.policy, value["lanes"])
        restored.odds = restored.e_value()
        return restored
