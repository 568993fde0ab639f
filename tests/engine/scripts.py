"""The rollouts that the matrices play: each strategy with a good candidate and with bad ones."""

from collections.abc import Callable
from dataclasses import dataclass, field

from fairway.domain.analysis.budget import Budget
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.rollout.plan import Plan
from fairway.domain.rollout.routes import Mirror
from fairway.domain.rollout.strategy import BlueGreen, Canary, Rehearsal, Rolling
from fairway.testing.target import Behaviour
from rollout_samples import NEW, OLD, deployment, returning, scaling

CANARY = Canary(steps=(10.0, 100.0), bake=2.0)
REHEARSED = Canary(steps=(10.0, 100.0), bake=2.0, rehearsal=Rehearsal(Mirror(50.0), bake=2.0))
BESIDE = Canary(steps=(10.0, 100.0), bake=1.5, baseline=True)
EVIDENCE = Canary(steps=(10.0, 100.0), bake=8.0, min_bake=1.0)
BLUE_GREEN = BlueGreen(keep=2.0)
ROLLING = Rolling(max_surge=1, max_unavailable=0, bake=1.5)


@dataclass(frozen=True)
class Script:
    """A rollout and how it has to end."""

    name: str
    plan: Callable[[], Plan]
    outcome: str = "completed"
    failing: dict[str, float] = field(default_factory=dict)
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


#: A margin wide enough that a few hundred requests show that a candidate is within it, and none is taken back at once.
WIDE = AnalysisPolicy(warmup=0.0, block=0.5, absolute_margin=0.05)


def on_evidence() -> Plan:
    """A canary whose step ends as soon as its candidate is shown to be good enough."""
    return deployment(EVIDENCE, analysis=WIDE)


def on_budget() -> Plan:
    """A canary that may fail eight requests."""
    return deployment(CANARY, analysis=WIDE, budget=Budget(8))


def beside() -> Plan:
    """A canary that is compared with fresh instances of the stable release."""
    return deployment(BESIDE)


def _baseline() -> str:
    baseline = beside().baseline
    assert baseline is not None
    return baseline.id


DEAD, POISON = {NEW.id: 1.0}, {NEW.id: 0.05}
UNREADY = {NEW.id: Behaviour(ready_after=None)}
CRASHING = {NEW.id: Behaviour(crashes=True)}
NO_BASELINE = {_baseline(): Behaviour(ready_after=None)}
LATE = {OLD.id: Behaviour(stops_after=2), NEW.id: Behaviour(stops_after=2)}

SCRIPTS = (
    Script("canary, good", lambda: deployment(CANARY, approvals=1)),
    Script("canary, dead", lambda: deployment(CANARY), "rolled-back", failing=DEAD),
    Script("canary, one in twenty", lambda: deployment(CANARY), "rolled-back", failing=POISON),
    Script("canary, rehearsed", lambda: deployment(REHEARSED)),
    Script("canary, dead in its rehearsal", lambda: deployment(REHEARSED), "rolled-back", failing=DEAD),
    Script("canary beside a baseline, good", beside),
    Script("canary beside a baseline, dead", beside, "rolled-back", failing=DEAD),
    Script("canary beside a baseline that never starts", beside, "rolled-back", behaviours=NO_BASELINE),
    Script("canary, migration fails", lambda: deployment(CANARY), "rolled-back", statuses={"migrate up": 1}),
    Script("blue-green, good", lambda: deployment(BLUE_GREEN)),
    Script("blue-green, dead", lambda: deployment(BLUE_GREEN), "rolled-back", failing=DEAD),
    Script("rolling, good", lambda: deployment(ROLLING)),
    Script("rolling, instances that end late", lambda: deployment(ROLLING), behaviours=LATE),
    Script("rolling, dead", lambda: deployment(ROLLING), "rolled-back", failing=DEAD),
    Script("rolling, crashing", lambda: deployment(ROLLING), "rolled-back", behaviours=CRASHING),
    Script("first, good", lambda: deployment(CANARY, first=True)),
    Script("first, never ready", lambda: deployment(CANARY, first=True), "rolled-back", behaviours=UNREADY),
    Script("rollback, good", returning),
    Script("rollback, dead", returning, "rolled-back", failing=DEAD),
    Script("scale up", lambda: scaling(3)),
    Script("scale down", lambda: scaling(1)),
    Script("canary, promoted on evidence", on_evidence),
    Script("canary, budget spent", on_budget, "rolled-back", failing=POISON),
)


def named(*names: str) -> tuple[Script, ...]:
    """The scripts of these names."""
    return tuple(script for script in SCRIPTS if script.name in names)
