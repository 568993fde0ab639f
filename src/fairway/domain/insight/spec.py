"""How a service is measured and what is expected of it: the sections `bench` and `indicators` as a value."""

from dataclasses import dataclass, field

from fairway.domain.analysis.metrics.policy import Source
from fairway.domain.insight.baseline import Load
from fairway.domain.insight.comparison import LOOKS, ComparisonPolicy
from fairway.domain.insight.expectations import Expectations
from fairway.domain.insight.indicators import DEFAULTS, Indicator


@dataclass(frozen=True, slots=True)
class BenchSpec:
    """What the configuration says.

    Attributes:
        rounds: of each measurement.
        fresh: rounds that one instance serves before the next one is started.
        patience: seconds that a comparison may take until it ends without an answer.
        environment: whose configuration a release runs with; None: the first one.
        source: answers the indicators' queries; None: the environment's own source of metrics.
    """

    load: Load = field(default_factory=Load)
    rounds: int = 40
    fresh: int = 10
    patience: float = 600.0
    environment: str | None = None
    expect: Expectations = field(default_factory=Expectations)
    policy: ComparisonPolicy = field(default_factory=lambda: ComparisonPolicy(looks=LOOKS))
    indicators: tuple[Indicator, ...] = DEFAULTS
    source: Source | None = None
