"""The scenarios: what is wrong with the candidate, if anything, and what the world does meanwhile."""

from dataclasses import dataclass
from typing import Literal

from benchmarks.canary_bench import latency
from benchmarks.canary_bench.latency import Change

Kind = Literal["healthy", "bad", "ambiguous", "too little traffic", "missing data"]
Noise = Literal[
    "none",
    "shared incidents",
    "traffic bursts",
    "clusters of 3 in 1 s",
    "clusters of 10 in 10 s",
    "hiccups",
    "cold start",
    "sticky clients",
    "clients leave",
    "recorded",
    "recorded, sticky",
]

BASE = 0.001
"""Error ratio of stable where nothing else is said."""

LATE = 900.0
"""Seconds at which a late fault begins."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row of the matrix.

    Attributes:
        kind: what a perfect judge would do follows from it: let a healthy one pass, take a bad one back.
        noise: what happens to both revisions, or to single instances.
        stable: error ratio of stable.
        candidate: the candidate's once its fault has begun; None: as stable.
        onset: seconds at which the fault begins.
        slower: what the fault does to the candidate's latency.
        hangs: part of the candidate's requests that are never answered; clients give them up after ten seconds.
        fault: crash: the processes die.
        spread: standard deviation of the logarithm of the instances' speeds.
        known: stable was brought by a rollout of its own, from which the analysis takes over what it needs to know.
        outage: seconds from and to which the counters cannot be read.
        covered: the guarantee of at most alpha wrong roll-backs holds here by its own words.
        note: what a reader should know.
    """

    name: str
    kind: Kind
    noise: Noise = "none"
    stable: float = BASE
    candidate: float | None = None
    onset: float = 0.0
    slower: Change | None = None
    hangs: float = 0.0
    fault: Literal["", "crash"] = ""
    spread: float = 0.0
    known: bool = True
    outage: tuple[float, float] | None = None
    covered: bool = False
    note: str = ""

    @property
    def harmless(self) -> bool:
        """A roll-back would be wrong."""
        return self.kind in ("healthy", "too little traffic", "missing data")

    @property
    def only_slower(self) -> bool:
        """Nothing but latency could show the fault."""
        return self.kind == "bad" and self.slower is not None and self.candidate is None

    @property
    def only_waiting(self) -> bool:
        """Nothing but requests given up could show the fault, which none of the others counts."""
        return 0.0 < self.hangs < 1.0


#: The spreads are those of the Azure VM Noise Dataset 2024: Redis, and PostgreSQL on small machines.
HEALTHY = (
    Scenario("healthy, clean", "healthy", covered=True),
    Scenario("healthy, shared incidents", "healthy", "shared incidents", covered=True),
    Scenario("healthy, traffic bursts", "healthy", "traffic bursts", covered=True),
    Scenario("healthy, 10 % more errors", "healthy", candidate=1.1 * BASE, covered=True, note="inside the margin"),
    Scenario("healthy, 3 % slower", "healthy", slower=latency.times(1.03), covered=True, note="inside the margin"),
    Scenario("healthy, clients leave early", "healthy", "clients leave", covered=True, note="10 % of all requests"),
    Scenario("healthy, clusters of 3 in 1 s", "healthy", "clusters of 3 in 1 s"),
    Scenario("healthy, clusters of 10 in 10 s", "healthy", "clusters of 10 in 10 s"),
    Scenario("first rollout, clusters of 10 in 10 s", "healthy", "clusters of 10 in 10 s", known=False),
    Scenario("healthy, hiccups", "healthy", "hiccups"),
    Scenario("healthy, cold start", "healthy", "cold start", note="+2 points, falling with 15 s"),
    Scenario("healthy, instance lottery 2.5 %", "healthy", spread=0.025),
    Scenario("healthy, instance lottery 8.7 %", "healthy", spread=0.087),
    Scenario("healthy, sticky clients", "healthy", "sticky clients"),
)
BAD = (
    Scenario("errors 0.1 → 0.3 %", "bad", candidate=0.003),
    Scenario("errors 0.1 → 1 %", "bad", candidate=0.01),
    Scenario("errors 0.1 → 5 %", "bad", candidate=0.05),
    Scenario("errors 0.1 → 100 %", "bad", candidate=1.0),
    Scenario("errors 0 → 5 %", "bad", stable=0.0, candidate=0.05),
    Scenario("P99 +20 %", "bad", slower=latency.tail(1.2)),
    Scenario("all 1.3 × slower", "bad", slower=latency.times(1.3)),
    Scenario("all 2 × slower", "bad", slower=latency.times(2.0)),
    Scenario("5 % of requests +1 s", "bad", slower=latency.some_slower(0.05, 1e6)),
    Scenario("crash", "bad", candidate=1.0, fault="crash"),
    Scenario("hang", "bad", hangs=1.0),
    Scenario("one request of five hangs", "bad", hangs=0.2),
    Scenario("late: errors 0.1 → 1 %", "bad", candidate=0.01, onset=LATE),
    Scenario("late: all 2 × slower", "bad", slower=latency.times(2.0), onset=LATE),
    Scenario("late: hang", "bad", hangs=1.0, onset=LATE, note="no request ends; to stop and ask is right too"),
    Scenario("in shared incidents: errors 0.1 → 1 %", "bad", "shared incidents", candidate=0.01),
)
UNCLEAR = (
    Scenario("between the margins: errors × 1.5", "ambiguous", candidate=1.5 * BASE),
    Scenario("at the margin: all 1.1 × slower", "ambiguous", slower=latency.times(1.1)),
    Scenario("counters unreadable for 6 min", "missing data", outage=(600.0, 960.0), covered=True),
)
SPARSE = Scenario("healthy, 1 request a second", "too little traffic", covered=True, note="nothing can be known")

RECORDED = (
    Scenario("recorded errors, drawn by request", "healthy", "recorded", covered=True),
    Scenario("recorded errors, sticky clients", "healthy", "recorded, sticky"),
)
"""Errors of a real access log, when one is given."""

SCENARIOS_BY_NAME = {one.name: one for one in (*HEALTHY, *BAD, *UNCLEAR, SPARSE, *RECORDED)}
