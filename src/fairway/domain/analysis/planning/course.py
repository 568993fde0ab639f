"""One fault on its way through a rollout: when would the evidence be enough?

Each lane's capital grows by the expected logarithm of each block's e-value, block by block, until the weighted sum
reaches 1/alpha. That is the course of an ordinary rollout: about half of all are found earlier. With `doubt` above 0
the course is that of an unlucky one: the logarithm of each stake is held so many standard deviations below its
expectation (1.28: nine rollouts of ten do better).

Long stretches are not walked through block by block: from the fortieth block on, several are settled at once, the more
the longer it lasts, which costs at most five percent of exactness in time; and what shrinks goes to the end at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, exp, inf, log, sqrt

from fairway.domain.analysis.capital import Capital
from fairway.domain.analysis.planning.block import Block, PlannedLane
from fairway.domain.analysis.planning.lanes import planned_lanes
from fairway.domain.analysis.planning.objectives import PlannedObjective
from fairway.domain.analysis.planning.premises import HEALTHY, Fault, Stretch, Traffic
from fairway.domain.analysis.policy import AnalysisPolicy

READING = 0.25
"""Seconds between two readings of the counters."""

WARMUP_PART = 0.25
"""As in the analysis: warm-up takes at most this part of a stretch."""

STRIDE = 0.05
"""So large a part of the blocks already settled may be settled at once."""

SETTLED_IN = 5
"""Blocks after which stakes that shrink are taken to go on shrinking."""

STEADY = 0.02
"""Bets are made anew when what is known of stable has grown by this part."""

LARGEST = 600.0
"""Greatest logarithm by which a stake grows at once."""


@dataclass(frozen=True, slots=True)
class Detection:
    """The moment at which a fault is found.

    Attributes:
        stretch: index of the stretch.
        seconds: watched in that stretch until then.
        failed: requests that failed on the candidate since the fault began.
        served: requests that the candidate finished since then.
    """

    stretch: int
    seconds: float
    failed: float
    served: float


@dataclass(slots=True)
class LaneCourse:
    """One lane on its way.

    Attributes:
        opened: seconds into the stretch at which the open block began.
        settled: blocks settled in this stretch.
        spread: variance of each stake's logarithm since the fault began.
        growth: mean and variance of each stake's logarithm in one block.
        basis: requests of stable that were known when `growth` was computed.
    """

    lane: PlannedLane
    capital: Capital
    opened: float = 0.0
    settled: int = 0
    spread: list[float] = field(default_factory=list)
    growth: list[tuple[float, float]] = field(default_factory=list)
    basis: float = 0.0

    @classmethod
    def begin(cls, lane: PlannedLane, alternatives: int) -> "LaneCourse":
        """The lane at the beginning of a rollout."""
        return cls(lane, Capital.begin(lane.schedule, alternatives), spread=[0.0] * alternatives)

    def copy(self) -> "LaneCourse":
        """One that goes its own way from here."""
        c = self.capital
        capital = Capital(list(c.stakes), c.pending, c.entry_left, c.blocks)
        return LaneCourse(self.lane, capital, spread=list(self.spread))

    def enter(self, *, warmup: float) -> None:
        """Another stretch begins."""
        if self.capital.blocks:
            self.capital.enter_step()
        self.opened, self.settled = (warmup if self.lane.patient else 0.0), 0

    def ahead(self, pace: "Pace", end: float, *, doubt: float) -> tuple[float, float]:
        """When the next blocks are settled, in seconds into the stretch, and how many; at its end a part of one."""
        shrinks = self.settled >= SETTLED_IN and all(mean <= 0.0 for mean, _ in self.growth)
        left = (end - self.opened) / pace.length
        count = left if shrinks else float(max(1, int(self.settled * STRIDE)))
        late = doubt * pace.spread * (sqrt(self.settled + count) - sqrt(self.settled))
        until = self.opened + pace.length * count + late
        return (until, count) if until < end else (end, min(count, count * (end - self.opened) / (until - self.opened)))

    def settle(self, count: float, *, doubt: float) -> None:
        """Settles so many blocks at once, a part of one included."""
        schedule, capital = self.lane.schedule, self.capital
        skipped = max(0, ceil(count) - 1)
        late = schedule.late * schedule.pace
        capital.pending += late / (schedule.pace + capital.blocks) - late / (schedule.pace + capital.blocks + skipped)
        capital.blocks += skipped
        gains = []
        for place, (mean, variance) in enumerate(self.growth):
            before = self.spread[place]
            self.spread[place] = before + count * variance
            held = doubt * (sqrt(self.spread[place]) - sqrt(before)) if doubt else 0.0
            gains.append(min(LARGEST, count * mean - held))
        capital.grow(gains, schedule=schedule, cap=exp(LARGEST))
        self.settled += ceil(count)

    def e_value(self) -> float:
        """The lane's part of the sum."""
        return self.lane.weight * self.capital.total(self.lane.schedule)


@dataclass(slots=True)
class Course:
    """A rollout under a supposed traffic, as far as it has come.

    Attributes:
        known: requests of stable in the stretches that are over.
        warm_left: seconds of warm-up left.
    """

    policy: AnalysisPolicy
    traffic: Traffic
    lanes: tuple[LaneCourse, ...]
    known: float = 0.0
    warm_left: float = 0.0

    @classmethod
    def begin(cls, policy: AnalysisPolicy, traffic: Traffic) -> "Course":
        """Before the first stretch."""
        empty = Block(Stretch(50.0, 60.0), 1.0, 1.0, 0.0)
        lanes = [(lane, len(lane.wagers(empty, HEALTHY))) for lane in planned_lanes(policy, traffic)]
        return cls(policy, traffic, tuple(LaneCourse.begin(lane, alternatives) for lane, alternatives in lanes))

    def copy(self) -> "Course":
        """One that goes its own way from here."""
        lanes = tuple(lane.copy() for lane in self.lanes)
        return Course(self.policy, self.traffic, lanes, self.known, self.warm_left)

    def warmup(self, stretch: Stretch) -> float:
        """Seconds of warm-up with which a stretch begins."""
        return min(self.policy.warmup, stretch.seconds * WARMUP_PART) if stretch.scaled_up else self.warm_left

    def pass_through(self, stretch: Stretch, fault: Fault = HEALTHY, *, doubt: float = 0.0) -> float | None:
        """Goes through a stretch; seconds watched when the evidence was enough, None if it was not."""
        self.warm_left = self.warmup(stretch)
        for lane in self.lanes:
            # Beside a baseline nothing is left out of comparisons: both are as young.
            compares = stretch.baseline and not isinstance(lane.lane, PlannedObjective)
            lane.enter(warmup=0.0 if compares else self.warm_left)
        self.warm_left = max(0.0, self.warm_left - stretch.seconds)
        enough = 1.0 / self.policy.alpha
        paces = {id(lane): Pace.of(lane.lane.length(stretch), stretch, self.traffic) for lane in self.lanes}
        end = stretch.seconds
        under_way = [lane for lane in self.lanes if lane.opened + paces[id(lane)].length <= end + READING / 2.0]
        while under_way:
            nexts = [(lane.ahead(paces[id(lane)], end, doubt=doubt), lane) for lane in under_way]
            (until, count), lane = min(nexts, key=lambda one: one[0][0])
            self._bet(lane, stretch, paces[id(lane)].length, fault)
            lane.settle(count, doubt=doubt)
            lane.opened = until
            if sum(one.e_value() for one in self.lanes) >= enough:
                return until
            under_way = [one for one in under_way if one.opened < end - 1e-9]
        self.known += stretch.stable_rps(self.traffic) * stretch.seconds
        return None

    def _bet(self, lane: LaneCourse, stretch: Stretch, length: float, fault: Fault) -> None:
        """Makes the bets of the lane's next blocks, unless they would be the ones that it has."""
        candidate, stable = stretch.candidate_rps(self.traffic) * length, stretch.stable_rps(self.traffic) * length
        known = self.known + stretch.stable_rps(self.traffic) * lane.opened
        if lane.growth and lane.settled and known <= (1.0 + STEADY) * lane.basis:
            return
        lane.basis = known
        highest = log(lane.lane.cap)
        wagers = lane.lane.wagers(Block(stretch, candidate, stable, known), fault)
        lane.growth = [one.expect(candidate, stable, cap=highest) for one in wagers]


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a lane's blocks are, in seconds.

    Attributes:
        length: expected.
        spread: standard deviation, from waiting for requests.
    """

    length: float
    spread: float = 0.0

    @classmethod
    def of(cls, wanted: float | None, stretch: Stretch, traffic: Traffic) -> "Pace":
        """A block closes with a reading, and not before both revisions have finished a request.

        Args:
            wanted: the lane's own length; None: it does not judge.
            stretch: where the rollout stands.
            traffic: what is supposed.
        """
        mine, theirs = stretch.candidate_rps(traffic), stretch.stable_rps(traffic)
        rates = (mine,) if stretch.alone else (mine, theirs)
        if wanted is None or min(rates) <= 0.0:
            return cls(inf)
        wanted = max(wanted, READING)
        none = [exp(-rate * wanted) for rate in rates]
        waiting = sum(chance / rate for chance, rate in zip(none, rates, strict=True))
        square = sum(2.0 * chance / rate**2 for chance, rate in zip(none, rates, strict=True))
        if len(none) > 1:
            # The later of the two ends the waiting: that is the sum of both waits less the earlier.
            both, either = none[0] * none[1], sum(rates)
            waiting, square = waiting - both / either, square - 2.0 * both / either**2
        return cls(wanted + waiting, sqrt(max(0.0, square - waiting * waiting)))


def walk(
    course: Course, stretches: Sequence[Stretch], fault: Fault, *, first: int = 0, doubt: float = 0.0
) -> Detection | None:
    """Where a fault that begins with the stretch `first` would be found; None: nowhere.

    Args:
        course: what has happened until then; it is left as it is.
        stretches: all of the rollout.
        fault: what is wrong from then on.
        first: index of the stretch.
        doubt: see above.
    """
    course = course.copy()
    ratio, failed, served = fault.error_ratio(course.traffic), 0.0, 0.0
    for index in range(first, len(stretches)):
        stretch = stretches[index]
        at = course.pass_through(stretch, fault, doubt=doubt)
        requests = stretch.candidate_rps(course.traffic) * (stretch.seconds if at is None else at)
        failed, served = failed + requests * ratio, served + requests
        if at is not None:
            return Detection(index, at, failed, served)
    return None
