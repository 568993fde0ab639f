"""What `analysis` may say about metrics of the user's own, and rules over them."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from fairway.config.problems import quote
from fairway.config.section import AnyAdapter, Section
from fairway.config.types import Duration, HttpPath, Name, PositiveDuration, refuse

_METRIC = re.compile(r"[a-z][a-z0-9_]{0,39}")


def _metric_name(value: str) -> str:
    if _METRIC.fullmatch(value):
        return value
    hint = "names of metrics begin with a letter a to z and go on with at most 39 of a to z, 0 to 9 and _"
    raise refuse(f"{quote(value)} is not a valid name for a metric", hint)


def _one_line(value: str) -> str:
    text = " ".join(value.split())
    if not text:
        raise refuse("is empty", "write a query or a condition")
    return text


def _bare_query(value: Any) -> Any:
    return {"query": value} if isinstance(value, str) else value


def _bare_condition(value: Any) -> Any:
    return {"when": value} if isinstance(value, str) else value


MetricName = Annotated[str, AfterValidator(_metric_name), Field(json_schema_extra={"pattern": f"^{_METRIC.pattern}$"})]
Text = Annotated[str, AfterValidator(_one_line)]


class GaugeSection(Section):
    """A number that a query gives, such as the use of memory or a quantile of latency."""

    query: Text = Field(
        description="Must give one number. `{{revision}}` and `{{version}}` are replaced by those of candidate and "
        "stable in turn; also known are `{{candidate}}`, `{{stable}}`, `{{service}}` and `{{environment}}`.",
        examples=['max(process_resident_memory_bytes{revision="{{revision}}"})'],
    )
    interval: PositiveDuration = Field(
        default=15.0,
        description="Time between two readings; not shorter than that between two scrapes.",
        examples=["15s"],
    )
    ratio: float | None = Field(
        default=None,
        description="The candidate may be this many times stable: above that in most readings it is taken back. "
        "By default only rules look at it.",
        examples=[1.2],
        ge=1,
        le=1000,
    )
    worse: Literal["higher", "lower"] = Field(default="higher", description="Which way is worse.", examples=["higher"])


class CounterSection(Section):
    """Events that are counted, and those of them that failed; the candidate's ratio is compared with stable's."""

    total: Text = Field(
        description="Query for all events of a revision, cumulative and raw: no `rate`, no `increase`. Several series "
        "are differenced one by one.",
        examples=['orders_total{revision="{{revision}}"}'],
    )
    failed: Text = Field(
        description="Likewise for those that failed; no series means none.",
        examples=['orders_total{revision="{{revision}}", outcome="failed"}'],
    )
    interval: PositiveDuration = Field(
        default=15.0,
        description="Time between two readings; not shorter than that between two scrapes. Four make a block.",
        examples=["15s"],
    )
    ratio: float = Field(
        default=1.25,
        description="The candidate's ratio of failed events may be this many times stable's …",
        examples=[1.25],
        ge=1,
        le=100,
    )
    points: float = Field(default=0.1, description="… plus this many percentage points.", examples=[0.1], ge=0, le=100)


class ProbeSection(Section):
    """A request to the candidate's own address; the metric is 1 if the answer is as said, else 0."""

    path: HttpPath = Field(description="Path of the request.", examples=["/health/dependencies"])
    status: int = Field(default=200, description="The status that must come.", examples=[200], ge=100, le=599)
    contains: str | None = Field(
        default=None, description="Text that the body must contain.", examples=["ok"], min_length=1
    )
    interval: PositiveDuration = Field(default=5.0, description="Time between two requests.", examples=["5s"])


class RuleSection(Section):
    """A condition that must be true for a while, and what follows then."""

    when: Text = Field(
        description="A condition in CEL over metrics: `candidate.NAME`, `stable.NAME`, or `NAME` for what both share. "
        "Without data it has no answer.",
        examples=["candidate.error_ratio > 0.01"],
    )
    lasting: Duration = Field(
        default=0.0,
        alias="for",
        description="How long it must be true at every look, once a second.",
        examples=["5m"],
    )
    then: Literal["rollback", "hold"] = Field(
        default="rollback",
        description="`rollback` takes the candidate back; `hold` stops the clock while it is true.",
        examples=["rollback"],
    )


class MetricsSection(Section):
    """Metrics of the user's own, by name."""

    source: AnyAdapter | None = Field(
        default=None,
        description="What answers the queries.",
        examples=[{"kind": "prometheus", "url": "http://127.0.0.1:9090"}],
    )
    window: PositiveDuration = Field(
        default=60.0,
        description="Time over which the router's own metrics are taken: `error_ratio` (a fraction), `request_rate` "
        "(requests a second), `p50`, `p95` and `p99` (milliseconds). They need no source.",
        examples=["1m"],
    )
    gauges: dict[MetricName, Annotated[GaugeSection, BeforeValidator(_bare_query)]] = Field(
        default_factory=dict,
        description="Numbers; a bare query stands for a mapping.",
        examples=[{"connections": "sum(pg_stat_activity_count)"}],
    )
    counters: dict[MetricName, CounterSection] = Field(
        default_factory=dict, description="Events and failed events, compared between candidate and stable."
    )
    probes: dict[MetricName, ProbeSection] = Field(
        default_factory=dict, description="Requests to the candidate, again and again while it is watched."
    )


Rules = dict[Name, Annotated[RuleSection, BeforeValidator(_bare_condition)]]
