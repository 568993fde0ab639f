"""What the user asked of the analysis."""

from dataclasses import dataclass, field
from typing import Literal

from fairway.domain.analysis.metrics.policy import MetricsPolicy


@dataclass(frozen=True, slots=True)
class AnalysisPolicy:
    """Margins, limits and times of one rollout's analysis. Ratios are fractions of 1, times are seconds.

    Attributes:
        name: the preset that the margins came from: strict, balanced, tolerant; `custom` if set one by one.
        ratio_margin: rho: the candidate's error ratio may be this many times stable's …
        absolute_margin: delta: … plus this much, as a fraction (0.0001 is 0.01 percentage points).
        abandoned_ratio: of the candidate's requests this many times the share of stable's may be given up by clients …
        abandoned_points: … plus this much, as a fraction.
        latency_margin: the candidate may be this much slower than stable, as a fraction (0.1 is 10 percent) …
        latency_slack: … or by these seconds, if that is more: a new instance with few requests answers some tenths of a
            millisecond later than a busy one, whatever its code.
        objective_errors: greatest share of the candidate's requests that may fail, whatever stable's do; None: any.
        objectives_latency: pairs `(share, seconds)`: at least this share of the candidate's requests, above 0 and below
            1, must be answered within these seconds.
        alpha: greatest probability of rolling back a candidate that is within the margins, over the whole rollout.
        warmup: how long after each scale-up of the candidate the error lane does not count; the hard lane does.
        block: length of one block of the error lane.
        tick: length of one block of the hard lane.
        reference: error ratio above which a revision counts as failing where no stable traffic can be compared with.
        min_requests: requests that the candidate must have finished at the end of a step, or there is no answer.
        inconclusive: what to do when a step ends without an answer.
        not_ready: how long an instance of the candidate may be unready after it was ready.
        no_data: how long the candidate may stay without requests while stable has some before the answer is
            inconclusive.
        metrics: the user's own metrics, and rules over them.
    """

    name: str = "balanced"
    ratio_margin: float = 1.25
    absolute_margin: float = 0.0001
    abandoned_ratio: float = 2.0
    abandoned_points: float = 0.005
    latency_margin: float = 0.1
    latency_slack: float = 0.002
    objective_errors: float | None = None
    objectives_latency: tuple[tuple[float, float], ...] = ()
    alpha: float = 0.01
    warmup: float = 60.0
    block: float = 10.0
    tick: float = 0.25
    reference: float = 0.01
    min_requests: int = 20
    inconclusive: Literal["pause", "extend", "promote", "rollback"] = "pause"
    not_ready: float = 30.0
    no_data: float = 300.0
    metrics: MetricsPolicy = field(default_factory=MetricsPolicy)


PRESETS: dict[str, AnalysisPolicy] = {
    "strict": AnalysisPolicy("strict", 1.0, 0.0, 1.25, 0.002, latency_margin=0.05, latency_slack=0.001),
    "balanced": AnalysisPolicy(),
    "tolerant": AnalysisPolicy("tolerant", 2.0, 0.001, 3.0, 0.01, latency_margin=0.2, latency_slack=0.005),
}
"""What the user may choose by name: the only place where the margins of the presets stand."""
