"""What the sections about metrics become in the words of the domain."""

from typing import Any

from fairway.config.metrics import MetricsSection, RuleSection
from fairway.domain.analysis.metrics.names import metrics_in
from fairway.domain.analysis.metrics.policy import SHARE, Metric, MetricsPolicy, Rule, Source


def to_metrics_policy(
    section: MetricsSection, rules: dict[str, RuleSection], *, alpha: float, no_data: float
) -> MetricsPolicy:
    """The user's metrics and rules.

    Args:
        section: valid.
        rules: by name, valid.
        alpha: the whole alpha, of which a part belongs to what is judged here.
        no_data: seconds without an answer after which the answer is inconclusive.
    """
    metrics = _metrics(section)
    source = section.source
    settings: dict[str, Any] = (source.model_extra or {}) if source is not None else {}
    return MetricsPolicy(
        source=None if source is None else Source(source.kind, tuple(settings.items())),
        metrics=metrics,
        rules=tuple(
            Rule(name, rule.when, metrics_in(rule.when), rule.lasting, rule.then) for name, rule in rules.items()
        ),
        window=section.window,
        alpha=round(SHARE * alpha, 12) if any(metric.judged for metric in metrics) else 0.0,
        no_data=no_data,
    )


def _metrics(section: MetricsSection) -> tuple[Metric, ...]:
    gauges = (
        Metric(name, "gauge", query=one.query, interval=one.interval, ratio=one.ratio, worse=one.worse)
        for name, one in section.gauges.items()
    )
    counters = (
        Metric(
            name,
            "counter",
            failed=one.failed,
            total=one.total,
            interval=one.interval,
            ratio=one.ratio,
            points=round(one.points / 100, 12),
        )
        for name, one in section.counters.items()
    )
    probes = (
        Metric(name, "http", path=one.path, status=one.status, contains=one.contains, interval=one.interval)
        for name, one in section.probes.items()
    )
    return (*gauges, *counters, *probes)
