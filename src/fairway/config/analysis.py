"""The section `analysis`: how a candidate is judged, and how much harm it may do."""

from typing import Literal

from pydantic import Field

from fairway.config.metrics import MetricsSection, Rules
from fairway.config.section import Section
from fairway.config.types import (
    Duration,
    Percentage,
    PositiveDuration,
    PresetName,
)


class ObjectivesSection(Section):
    """What the candidate must keep whatever stable does. Where stable misses it as well, the rollout is held."""

    errors: Percentage | None = Field(
        default=None, description="Greatest share of its requests that may fail.", examples=["1%"]
    )
    p50: PositiveDuration | None = Field(
        default=None, description="Within this time half of its requests are answered.", examples=["100ms"]
    )
    p90: PositiveDuration | None = Field(default=None, description="Likewise 90 %.", examples=["200ms"])
    p95: PositiveDuration | None = Field(default=None, description="Likewise 95 %.", examples=["300ms"])
    p99: PositiveDuration | None = Field(default=None, description="Likewise 99 %.", examples=["500ms"])


class AnalysisSection(Section):
    """How candidate and stable are compared, and when the candidate is taken back."""

    preset: PresetName = Field(default="balanced", description="Where the margins come from.", examples=["strict"])
    ratio: float | None = Field(
        default=None,
        description="The candidate's error ratio may be this many times stable's: strict 1, balanced 1.25, tolerant 2.",
        examples=[1.25],
        ge=1,
        le=100,
    )
    points: float | None = Field(
        default=None,
        description="… plus this many percentage points: strict 0, balanced 0.01, tolerant 0.1.",
        examples=[0.01],
        ge=0,
        le=100,
    )
    latency: Percentage | None = Field(
        default=None,
        description="The candidate may be this much slower than stable: strict 5%, balanced 10%, tolerant 20%. More "
        "where instances of stable differ more than that among each other.",
        examples=["10%"],
    )
    latency_slack: Duration | None = Field(
        default=None,
        description="… or slower by this time, if that is more: strict 1ms, balanced 2ms, tolerant 5ms.",
        examples=["2ms"],
    )
    abandoned_ratio: float | None = Field(
        default=None,
        description="Clients may give up the candidate's requests this many times as often as stable's, before an "
        "answer comes: strict 1.25, balanced 2, tolerant 3.",
        examples=[2],
        ge=1,
        le=100,
    )
    abandoned_points: float | None = Field(
        default=None,
        description="… plus this many percentage points: strict 0.2, balanced 0.5, tolerant 1.",
        examples=[0.5],
        ge=0,
        le=100,
    )
    slo: ObjectivesSection | None = Field(
        default=None,
        description="Objectives that the candidate must keep whatever stable does.",
        examples=[{"errors": "1%", "p99": "500ms"}],
    )
    alpha: float = Field(
        default=0.01,
        description="Greatest probability of taking back a candidate that is within the margins.",
        examples=[0.01],
        gt=0,
        le=0.5,
    )
    warmup: Duration = Field(
        default=60.0,
        description="How long after each scale-up of the candidate its errors do not count as evidence.",
        examples=["60s"],
    )
    block: PositiveDuration = Field(default=10.0, description="Length of one block of evidence.", examples=["10s"])
    reference: Percentage = Field(
        default=0.01,
        description="Error ratio above which a revision counts as failing where there is no stable traffic.",
        examples=["1%"],
    )
    min_requests: int = Field(
        default=20,
        description="Requests that the candidate must have finished at the end of a step. With fewer there is no "
        "answer.",
        examples=[50],
        ge=1,
        le=1_000_000,
    )
    inconclusive: Literal["pause", "extend", "promote", "rollback"] = Field(
        default="pause",
        description="What to do when a step ends without an answer. `extend` watches for the same time again, three "
        "times at most, then pauses.",
        examples=["pause"],
    )
    not_ready: PositiveDuration = Field(
        default=30.0,
        description="How long an instance of the candidate may be unready after it was ready.",
        examples=["30s"],
    )
    no_data: PositiveDuration = Field(
        default=300.0,
        description="How long the candidate may stay without requests while stable has some, and a metric without "
        "data.",
        examples=["5m"],
    )
    metrics: MetricsSection = Field(
        default=MetricsSection(), description="Metrics of your own, compared by themselves or used in `rules`."
    )
    rules: Rules = Field(
        default_factory=dict,
        description="Conditions over metrics, by name: what takes the candidate back, or holds the rollout.",
        examples=[{"errors": {"when": "candidate.error_ratio > 0.01", "for": "5m"}}],
    )


class BudgetSection(Section):
    """How much harm a candidate may do in one rollout, whatever the evidence says."""

    failed_requests: int = Field(
        description="How many requests may fail on the candidate, those that stable then answered among them. At half "
        "of it the weight rises no more until a person promotes; with all of it the candidate is taken back.",
        examples=[50],
        ge=1,
        le=1_000_000_000,
    )
