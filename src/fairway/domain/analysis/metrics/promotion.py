"""What the user's metrics show for the candidate: they take part in promotion as the lanes do.

A counter or gauge that is compared with stable's must show that the candidate is within its promotion margin, before a
step may end early. One without data shows nothing. Metrics that only rules look at have no part in it: a rule that is
true holds the step by itself.
"""

from fairway.domain.analysis.evidence import Promotion
from fairway.domain.analysis.metrics.policy import Metric
from fairway.domain.analysis.metrics.ratios import RatioTest, promotion_margin
from fairway.domain.analysis.metrics.signs import SignTest
from fairway.domain.analysis.within import BETA

GAUGE = 1.25
"""The promotion margin of a gauge: this many times stable's, or its own margin where that is more."""


def gauge_margin(metric: Metric) -> float:
    """How many times stable's a gauge may be of a candidate that is promoted early."""
    return max(GAUGE, metric.ratio or 1.0)


def promotions(metrics: tuple[Metric, ...], tests: dict[str, SignTest | RatioTest]) -> tuple[Promotion, ...]:
    """One entry for each metric that is compared, in the order written."""
    return tuple(_promotion(metric, tests[metric.name]) for metric in metrics if metric.judged)


def _promotion(metric: Metric, test: SignTest | RatioTest) -> Promotion:
    name, threshold = f"metric-{metric.name.replace('_', '-')}", 1.0 / BETA
    if isinstance(test, SignTest):
        way = "more" if metric.worse == "higher" else "less"
        words = f"not {gauge_margin(metric):g} × {way} than stable's in most readings"
        return Promotion(name, test.promotion(), threshold, _missing(test.promotion()), words)
    margin = promotion_margin(metric)
    words = f"at most {margin.ratio:g} × stable's ratio + {margin.points * 100:g} points"
    value = test.promotion.e_value()
    return Promotion(name, value, threshold, _missing(value), words)


def _missing(value: float) -> int | None:
    """Events of the user's are not requests: how many are missing is not said."""
    return 0 if value >= 1.0 / BETA else None
