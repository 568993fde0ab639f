"""The sections `bench` and `indicators`: how a service is measured, and what is expected of it."""

from dataclasses import replace
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from fairway.config.section import AnyAdapter, Section
from fairway.config.types import Duration, HttpPath, Name, OneOrMore, Percentage, PositiveDuration, Token, refuse
from fairway.domain.analysis.metrics.policy import Source
from fairway.domain.insight.baseline import Load
from fairway.domain.insight.comparison import LOOKS, ComparisonPolicy
from fairway.domain.insight.expectations import Expectations
from fairway.domain.insight.indicators import DEFAULTS, Indicator
from fairway.domain.insight.spec import BenchSpec

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
Judged = Literal["mean", "p50", "p95", "p99", "processor", "throughput"]


def _only_get() -> dict[Method, int]:
    return {"GET": 1}


class ExpectSection(Section):
    """Limits of every measurement. What is not given is not expected."""

    rate: float | None = Field(default=None, description="Good answers a second, at least.", examples=[500], gt=0)
    mean: PositiveDuration | None = Field(default=None, description="Mean latency, at most.", examples=["100ms"])
    p50: PositiveDuration | None = Field(
        default=None, description="Latency that half of the requests keep, at most.", examples=["100ms"]
    )
    p95: PositiveDuration | None = Field(default=None, description="Likewise 95 %.", examples=["300ms"])
    p99: PositiveDuration | None = Field(default=None, description="Likewise 99 %.", examples=["500ms"])
    errors: Percentage | None = Field(default=None, description="Largest share of requests that fail.", examples=["0%"])
    processor: PositiveDuration | None = Field(
        default=None,
        description="Processor time that the service takes for a request, at most; known where a release runs for the "
        "measurement.",
        examples=["2ms"],
    )


class CompareSection(Section):
    """What counts as a regression."""

    judge: list[Judged] = Field(
        default_factory=lambda: list(ComparisonPolicy().judged),
        description="What can show a regression, beside the share of failed requests; the rest is for information.",
        examples=[["p50", "p99", "processor"]],
        min_length=1,
    )
    require: list[Judged] = Field(
        default_factory=lambda: list(ComparisonPolicy().required),
        description="In which of them its absence must be shown, as far as they can be measured.",
        examples=[["p50", "p95"]],
        min_length=1,
    )
    tolerance: Percentage = Field(default=0.1, description="How much worse each may be.", examples=["10%"])
    confidence: Percentage = Field(
        default=0.99, description="Of all intervals together, above 50 %.", examples=["99%"], gt=0.5, lt=1
    )
    patience: Duration = Field(
        default=600.0,
        description="Where `rounds` of each give no answer, there are twice and then four times as many, as far as "
        "that takes no longer than this in all. Intervals are a little wider for the further looks; `0s`: one look.",
        examples=["10m"],
    )
    drift: Percentage = Field(
        default=0.1,
        description="By how much two measurements made at different times may differ for reasons of the machine. "
        "Intervals are wider by so much where rounds were not run in turn.",
        examples=["10%"],
    )
    errors: Percentage = Field(
        default=0.001, description="How many points the share of failed requests may be larger.", examples=["0.1%"]
    )


class BenchSection(Section):
    """How the service is put under load and measured."""

    environment: Name | None = Field(
        default=None,
        description="The environment whose configuration a release runs with; by default the first one.",
        examples=["staging"],
    )
    paths: Annotated[list[HttpPath], OneOrMore()] = Field(
        default_factory=lambda: ["/"],
        description="Paths of the requests, in turn.",
        examples=[["/", "/api/v1/status"]],
        min_length=1,
        max_length=1000,
    )
    mix: dict[Method, int] = Field(
        default_factory=_only_get,
        description="Methods by weight.",
        examples=[{"GET": 9, "POST": 1}],
        min_length=1,
    )
    headers: dict[Token, str] = Field(
        default_factory=dict,
        description="Headers of every request; `${NAME}` is replaced by that variable of whoever measures. They are "
        "not kept with the measurement.",
        examples=[{"Authorization": "Bearer ${TOKEN}"}],
    )
    body: str = Field(
        default="", max_length=100_000, description="Body of POST, PUT and PATCH.", examples=['{"name": "test"}']
    )
    rate: float = Field(
        default=100.0,
        description="Requests a second, sent at fixed moments whatever became of the ones before. 0: as many as the "
        "connections carry, each after the answer to the one before.",
        examples=[500],
        ge=0,
        le=1_000_000,
    )
    connections: int = Field(default=32, description="Most requests at the same time.", examples=[64], ge=1, le=10_000)
    duration: PositiveDuration = Field(default=1.0, description="Length of one round.", examples=["1s"])
    warmup: Duration = Field(
        default=1.0, description="Load on a new instance before its first round that does not count.", examples=["1s"]
    )
    rounds: int = Field(
        default=40,
        description="Rounds of each measurement. Many short ones tell two releases apart better than few long ones.",
        examples=[40],
        ge=1,
        le=1000,
    )
    fresh: int = Field(
        default=10,
        description="Rounds that one instance serves before the next one is started, so that the luck of one start "
        "does not count for all.",
        examples=[10],
        ge=1,
        le=1000,
    )
    timeout: PositiveDuration = Field(default=10.0, description="Time for one request.", examples=["10s"])
    good: str = Field(
        default="200-399",
        description="Statuses that count as good.",
        examples=["200-399,404"],
        pattern=r"^[1-5][0-9]{2}(-[1-5][0-9]{2})?(,[1-5][0-9]{2}(-[1-5][0-9]{2})?)*$",
    )
    expect: ExpectSection = Field(
        default=ExpectSection(),
        description="Limits that every measurement must keep.",
        examples=[{"rate": 500, "p99": "500ms", "errors": "0%"}],
    )
    compare: CompareSection = Field(default=CompareSection(), description="What counts as a regression.")


class TimeRow(Section):
    """A row of the table whose figure is a time."""

    target: PositiveDuration | None = Field(default=None, description="Below it the row is good.", examples=["100ms"])
    critical: PositiveDuration | None = Field(
        default=None, description="From here on it is critical.", examples=["200ms"]
    )
    query: str | None = Field(
        default=None,
        description="Asks the source of metrics; must give one number, in seconds.",
        examples=["histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))"],
        min_length=1,
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.target is not None and self.critical is not None and self.target > self.critical:
            raise refuse("the target lies beyond the critical threshold", "exchange them")
        return self


class ShareRow(Section):
    """A row of the table whose figure is a share."""

    target: Percentage | None = Field(default=None, description="On its good side the row is good.", examples=["80%"])
    critical: Percentage | None = Field(default=None, description="From here on it is critical.", examples=["95%"])
    query: str | None = Field(
        default=None,
        description="Asks the source of metrics; must give one number, a fraction of 1.",
        examples=["sum(pg_stat_activity_count) / scalar(pg_settings_max_connections)"],
        min_length=1,
    )


class IndicatorsSection(Section):
    """The table of indicators. A row that is not given has the thresholds of the reference."""

    source: AnyAdapter | None = Field(
        default=None,
        description="What answers the queries; by default the environment's own source of metrics.",
        examples=[{"kind": "prometheus", "url": "http://127.0.0.1:9090"}],
    )
    p50: TimeRow = Field(default=TimeRow(), description="Latency, P50: target 100ms, critical 200ms.")
    p95: TimeRow = Field(default=TimeRow(), description="Latency, P95: 500ms, 1s.")
    p99: TimeRow = Field(default=TimeRow(), description="Latency, P99: 1s, 2s.")
    errors: ShareRow = Field(default=ShareRow(), description="Share of failed requests: 0.1%, 1%.")
    availability: ShareRow = Field(
        default=ShareRow(), description="Share of requests that the service answered well: 99.9%, 99%; more is better."
    )
    cpu: ShareRow = Field(default=ShareRow(), description="Use of processors: 70%, 90%.")
    memory: ShareRow = Field(default=ShareRow(), description="Use of memory: 80%, 95%.")
    connections: ShareRow = Field(
        default=ShareRow(), description="Database connections, of the most that are allowed: 80%, 95%."
    )


def to_bench(bench: BenchSection | None, indicators: IndicatorsSection | None) -> BenchSpec:
    """What the two sections say."""
    bench, indicators = bench or BenchSection(), indicators or IndicatorsSection()
    source = indicators.source
    return BenchSpec(
        load=_load(bench),
        rounds=bench.rounds,
        fresh=bench.fresh,
        patience=bench.compare.patience,
        environment=bench.environment,
        expect=_expectations(bench.expect),
        policy=_policy(bench.compare),
        indicators=tuple(_indicator(one, getattr(indicators, one.name)) for one in DEFAULTS),
        source=None if source is None else Source(source.kind, tuple((source.model_extra or {}).items())),
    )


def _load(bench: BenchSection) -> Load:
    return Load(
        paths=tuple(bench.paths),
        mix=",".join(f"{method}:{weight}" for method, weight in bench.mix.items()),
        headers=tuple(f"{name}: {value}" for name, value in bench.headers.items()),
        body=bench.body,
        rate=float(bench.rate),
        connections=bench.connections,
        duration=bench.duration,
        warmup=bench.warmup,
        timeout=bench.timeout,
        good=bench.good,
    )


def _expectations(section: ExpectSection) -> Expectations:
    times = {name: _scaled(getattr(section, name), 1000) for name in ("mean", "p50", "p95", "p99")}
    return Expectations(
        rate=section.rate, errors=section.errors, processor=_scaled(section.processor, 1_000_000), **times
    )


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _policy(section: CompareSection) -> ComparisonPolicy:
    return ComparisonPolicy(
        judged=tuple(dict.fromkeys((*section.judge, *section.require))),
        required=tuple(dict.fromkeys(section.require)),
        tolerance=section.tolerance,
        confidence=section.confidence,
        looks=LOOKS if section.patience else 1,
        drift=section.drift,
        error_points=section.errors,
    )


def _indicator(default: Indicator, row: TimeRow | ShareRow) -> Indicator:
    factor = 1000.0 if default.unit == "ms" else 1.0
    return replace(
        default,
        target=default.target if row.target is None else row.target * factor,
        critical=default.critical if row.critical is None else row.critical * factor,
        query=row.query,
    )
