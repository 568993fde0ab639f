"""The latency lane: a candidate slower than its margin allows, found in the tails of both histograms.

Null hypothesis: for each of five edges near stable's quantiles, the candidate is above the edge times the margin no
more often than stable is above the edge. Failed requests count as slower than every edge, so that failing fast is no
merit.

Rules:
- Edges are chosen at the beginning of each step from what was counted of stable until then, also before the rollout;
  the tail share that a bet supposes comes from closed blocks. Both decide only how fast evidence grows.
- The candidate's edge lies at the next cell above `margin * edge` or `edge + slack`, whichever is more: whole cells,
  never less than the margin.
- Blocks close by time. A change of weight, and counters that begin again, discard the open one.
- Warm-up and shared incidents are left out; where stable has no requests of its own nothing is compared.
"""

from dataclasses import dataclass, field
from math import inf, log
from typing import Any

from fairway.domain import codec
from fairway.domain.analysis.capital import PATIENT, Capital, Schedule
from fairway.domain.analysis.distribution import Distribution
from fairway.domain.analysis.evidence import GREATEST_E_VALUE, Counts, Finding, LaneEvidence, Slowness
from fairway.domain.analysis.lanes.lane import NO_STEP, Histograms, Reading, Step, block_length
from fairway.domain.analysis.lanes.slowness import Comparison
from fairway.domain.analysis.lanes.tail_window import TailWindow
from fairway.domain.analysis.latency import allowed, quantile
from fairway.domain.analysis.margin import Margin
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.tail import Failures, log_tail_e_values

SHARES = (0.5, 0.25, 0.1, 0.05, 0.01)
"""Wanted tail shares of the edges: P50, P75, P90, P95, P99."""

ODDS = (1.15, 1.4, 2.0, 4.0, 12.0, 60.0)
"""Alternatives: odds ratios of being slow."""

KNOWN = 50
"""Requests of stable from which on edges can be chosen."""

BELIEVED = 200.0
"""What was counted before the step is worth so many requests for the share that a bet supposes."""

COMPARED = 30
"""Blocks after which the quantiles are computed anew while the evidence says nothing."""

FORGET, REMEMBER = 0.9, 500.0
"""Each block what is known of the shares loses a tenth of its worth, as long as it is worth so many requests."""


def _nothing() -> list[list[int]]:
    """Of both revisions, no requests and none above any edge."""
    return [[0] * (1 + len(SHARES)) for _ in range(2)]


@dataclass(frozen=True, slots=True)
class LatencyTest:
    """What the policy says about latency.

    Attributes:
        margin: how much slower the candidate may be, as a fraction …
        slack: … or in seconds, if that is more.
        cap: greatest e-value of one block.
        block: seconds.
        shortest: seconds; a bake may shorten the block down to this.
        failures: how the candidate's failures count.
    """

    margin: float
    slack: float
    cap: float
    block: float
    shortest: float
    schedule: Schedule
    failures: Failures

    def length(self, bake: float) -> float:
        """Seconds of a block in a step that is watched for `bake` seconds; 0: not known."""
        return block_length(self.block, shortest=self.shortest, bake=bake)


def latency_test(policy: AnalysisPolicy) -> LatencyTest:
    """The test of the latency lane under a policy."""
    cap = policy.alpha ** (-1.0 / 3.0)
    failures = Failures.within(Margin(policy.ratio_margin, policy.absolute_margin))
    return LatencyTest(policy.latency_margin, policy.latency_slack, cap, policy.block, policy.tick, PATIENT, failures)


@dataclass(slots=True)
class LatencyLane:
    """State of the latency lane.

    Attributes:
        step: where the rollout stands.
        seconds: age of the open block.
        margin: that applies in this step: the policy's, or more where the instances of stable differ that much.
        edges: of stable, in microseconds, chosen for this step; empty before.
        slow: requests of stable above each edge, of those in `known`; both fade.
        window: the open block.
        judged: of both revisions, what the closed blocks of this step have counted.
        comparison: quantiles of this step, to be shown.
        dispersion: by which the open block will be tempered, as known when it began.
        shown: the evidence as of the last closed block, once it was asked for.
    """

    name: str
    weight: float
    test: LatencyTest
    capital: Capital
    step: Step = NO_STEP
    seconds: float = 0.0
    margin: float = 0.0
    edges: list[float] = field(default_factory=list)
    slow: list[float] = field(default_factory=list)
    known: float = 0.0
    window: TailWindow = field(default_factory=TailWindow)
    judged: list[list[int]] = field(default_factory=_nothing)
    comparison: Comparison = field(default_factory=Comparison)
    dispersion: float = 1.0
    shown: LaneEvidence | None = field(default=None, compare=False)

    @classmethod
    def begin(cls, name: str, weight: float, test: LatencyTest) -> "LatencyLane":
        """The lane at the beginning of a rollout."""
        return cls(name, weight, test, Capital.begin(test.schedule, len(SHARES) * len(ODDS)))

    def close_block(self) -> None:
        """Nothing: what was counted since the last block is discarded by the new step."""

    def enter_step(self, step: Step) -> None:
        """Discards the open block; edges are chosen anew."""
        self.seconds, self.edges, self.judged = 0.0, [], _nothing()
        self.window.close()
        self.comparison, self.shown = Comparison(), None
        if self.capital.blocks:
            self.capital.enter_step()
        self.step = step

    def observe(self, reading: Reading) -> None:
        """Adds a reading; closes the block when its time has come."""
        histograms = reading.histograms
        left_out = reading.warming or reading.incident or self.step.alone or self.step.weight <= 0.0
        if self.window.series != histograms.series:
            self._open(histograms, left_out=left_out)
            return
        if self.seconds == 0.0:
            self.dispersion = reading.dispersion
        self.seconds += reading.seconds
        self.window.add(reading.tally)
        if self.seconds + reading.half < self.test.length(self.step.bake):
            return  # the next reading is as near to the block's end as this one, or nearer
        if self._close(reading):
            self.seconds = 0.0
            if left_out:
                self.window.close()

    def rest(self, *, left_out: bool) -> float:
        """Seconds until the open block may close; 0 where one may begin at the end of the next reading."""
        if not self.window.is_open:
            return inf if left_out else 0.0
        return self.test.length(self.step.bake) - self.seconds

    def e_value(self) -> float:
        """The odds against the candidate over the whole rollout."""
        return self.capital.total(self.test.schedule)

    def obstacle(self) -> Finding | None:
        """Nothing ever stops this lane."""
        return None

    def evidence(self) -> LaneEvidence:
        """What to show; counts and quantiles describe the present step."""
        if self.shown is None:
            self.shown = self._show()
        return self.shown

    def _show(self) -> LaneEvidence:
        """The evidence at the edge that tells most."""
        stakes = [sum(self.capital.stakes[i : i + len(ODDS)]) for i in range(0, len(self.capital.stakes), len(ODDS))]
        telling = stakes.index(max(stakes))
        (n_c, *slow_c), (n_s, *slow_s) = self.judged
        margin = self.margin or self.test.margin
        quantiles = self.comparison.quantiles
        told = quantiles[min(telling, len(quantiles) - 1)] if quantiles else None
        slowness = None
        if self.edges and n_c:
            edge = self.edges[telling]
            slowness = Slowness(self._allowed(edge) / 1000.0, edge / 1000.0, quantiles)
        return LaneEvidence(
            self.name,
            self.weight,
            min(self.e_value(), GREATEST_E_VALUE),
            Counts(n_c, slow_c[telling]),
            Counts(n_s, slow_s[telling]),
            told.ratio if told else None,
            told.low if told else None,
            told.high if told else None,
            f"at most {margin * 100:.3g} % or {self.test.slack * 1000:g} ms slower than stable",
            slowness=slowness,
        )

    def to_json(self) -> dict[str, Any]:
        """The whole state, but for the test, which follows from the policy."""
        value = _write(self)
        value["comparison"] = self.comparison.to_json()
        return value

    @classmethod
    def restore(cls, value: dict[str, Any], test: LatencyTest) -> "LatencyLane":
        """The lane that `to_json` described."""
        parts: dict[str, type] = {"capital": Capital, "step": Step, "window": TailWindow, "comparison": Comparison}
        plain = {name: value[name] for name in ("seconds", "margin", "edges", "slow", "known", "judged")}
        pieces: dict[str, Any] = {name: codec.from_json(kind, value[name]) for name, kind in parts.items()}
        return cls(value["name"], value["weight"], test, dispersion=value.get("dispersion", 1.0), **plain, **pieces)

    def _open(self, histograms: Histograms, *, left_out: bool) -> None:
        """Begins a block at the end of a reading, where one may begin."""
        self.seconds = 0.0
        self.window.close()
        if left_out or not (self.edges or self._choose(histograms)):
            return
        self.comparison.begin(histograms)
        self.window.open(histograms, [self._allowed(edge) for edge in self.edges], self.edges)

    def _allowed(self, edge: float) -> float:
        """The edge of the candidate that goes with one of stable, in microseconds."""
        return allowed(edge, margin=self.margin, slack=self.test.slack)

    def _choose(self, histograms: Histograms) -> bool:
        """Chooses the edges of this step; False while too little is known of stable."""
        stable: Distribution = histograms.stable
        if stable.total < KNOWN:
            return False
        chosen = stable.edges(SHARES)
        self.margin = max(self.test.margin, margin_of_instances(histograms))
        self.edges = [edge for edge, _ in chosen]
        self.known = min(float(stable.total), BELIEVED)
        self.shown = None
        self.slow = [share * self.known for _, share in chosen]
        return True

    def _close(self, reading: Reading) -> bool:
        """Judges the open block; False if it cannot be judged yet."""
        failed = self.window.candidate_failed
        counts = self.window.take(reading.histograms)
        if counts is None:
            return False
        (n_c, slow_c), (n_s, slow_s) = counts
        how, gains = self.test.failures, list[float]()
        for u, w, share in zip(slow_c, slow_s, self._shares(), strict=True):
            mine, theirs = (n_c, u), (n_s, w)
            block = log_tail_e_values(ODDS, share=share, candidate=mine, stable=theirs, failed=failed, failures=how)
            gains += block if self.dispersion == 1.0 else [gain / self.dispersion for gain in block]
        self.capital.grow(gains, schedule=self.test.schedule, cap=self.test.cap)
        fading = max(min(1.0, REMEMBER / self.known), FORGET)
        self.known = self.known * fading + n_s
        self.slow = [before * fading + w for before, w in zip(self.slow, slow_s, strict=True)]
        for kept, added in zip(self.judged, ((n_c, *slow_c), (n_s, *slow_s)), strict=True):
            kept[:] = [before + more for before, more in zip(kept, added, strict=True)]
        self.shown = None
        # They cost as much as all the rest, and are for people: always new only where there is something to explain.
        if self.e_value() > 1.0 or self.capital.blocks % COMPARED == 1:
            self.comparison.update(reading.histograms)
        return True

    def _shares(self) -> list[float]:
        """What stable's tail shares are taken for."""
        return [min(0.95, (slow + 0.1) / (self.known + 0.2)) for slow in self.slow]


_STORED = tuple(name for name in LatencyLane.__slots__ if name not in ("test", "shown", "comparison"))
_write = codec.writer(LatencyLane, _STORED)


def margin_of_instances(histograms: Histograms) -> float:
    """The margin below which the instances of stable differ among each other, as a fraction; 0 where unknown."""
    return least_margin(_medians(histograms), histograms.candidates)


def _medians(histograms: Histograms) -> list[float]:
    """Of the instances of stable that have answered enough requests to tell."""
    known = (one.latency for one in histograms.instances if sum(cell[2] for cell in one.latency) >= KNOWN)
    medians = (quantile(cells, 0.5) for cells in known)
    return [median for median in medians if median]


def least_margin(medians: list[float], candidates: int) -> float:
    """The margin below which instances of the same revision differ among each other by chance.

    2.33 standard deviations of the logarithm of the instances' median latencies, for the difference of two means.

    Args:
        medians: median latency of each instance of stable, above 0, in any unit.
        candidates: how many instances the candidate has, 1 or more.

    Returns:
        A fraction; 0 with fewer than three instances, whose spread says nothing.
    """
    if len(medians) < 3:
        return 0.0
    logs = [log(one) for one in medians]
    mean = sum(logs) / len(logs)
    variance = sum((one - mean) ** 2 for one in logs) / (len(logs) - 1)
    return 2.33 * float((variance * (1.0 / candidates + 1.0 / len(logs))) ** 0.5)
