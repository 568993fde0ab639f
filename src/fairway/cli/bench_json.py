"""Measurements, comparisons and indicators for programs."""

from collections.abc import Sequence
from dataclasses import asdict
from math import isfinite
from typing import Any

from fairway.domain.insight.baseline import Baseline
from fairway.domain.insight.comparison import Comparison
from fairway.domain.insight.expectations import Expected
from fairway.domain.insight.indicators import Row, overall

_FIGURES = ("throughput", "mean", "p50", "p90", "p95", "p99", "p999", "longest", "processor", "errors", "availability")


def baseline_json(baseline: Baseline, expected: tuple[Expected, ...], *, rounds: bool = True) -> dict[str, Any]:
    """A measurement, with all its rounds or with their number."""
    content = asdict(baseline)
    kept = content.pop("rounds")
    content["measured"] = {name: baseline.value(name) for name in _FIGURES}
    content["expected"] = [asdict(one) for one in expected]
    content["remarks"] = list(baseline.remarks)
    return content | ({"rounds": kept} if rounds else {"rounds": len(kept)})


def comparison_json(found: Comparison) -> dict[str, Any]:
    """A comparison."""
    content = asdict(found)
    for change in content["changes"]:
        # JSON knows no infinity.
        change |= {end: change[end] if isfinite(change[end]) else None for end in ("lower", "upper")}
    return content


def indicators_json(environment: str, rows: Sequence[Row]) -> dict[str, Any]:
    """The table of an environment."""
    content = [
        {"name": row.indicator.name, **asdict(row.indicator), "value": row.value, "source": row.source}
        | {"status": row.status, "code": row.code}
        for row in rows
    ]
    return {"environment": environment, "status": overall(tuple(rows)), "indicators": content}
