"""The section `validation`: the checks, and what they share."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from fairway.config import check_dependencies as needs
from fairway.config import check_kinds as kinds
from fairway.config.check_values import CheckSection, Headers
from fairway.config.section import AdapterSection, Section
from fairway.config.types import Duration, FilePath, Name, PositiveDuration, bare_word

#: The model of each kind of check, in the order of the reference.
CHECK_KINDS: dict[str, type[CheckSection]] = {
    "health": kinds.HealthSection,
    "http": kinds.HttpSection,
    "flow": kinds.FlowSection,
    "auth": kinds.AuthSection,
    "headers": kinds.HeadersSection,
    "cors": kinds.CorsSection,
    "tls": kinds.TlsSection,
    "http2": kinds.Http2Section,
    "redirect": kinds.RedirectSection,
    "graphql": kinds.GraphqlSection,
    "metrics": kinds.MetricsKindSection,
    "response-time": kinds.ResponseTimeSection,
    "burst": kinds.BurstSection,
    "rate-limit": kinds.RateLimitSection,
    "compression": kinds.CompressionSection,
    "conditional": kinds.ConditionalSection,
    "contract": kinds.ContractSection,
    "postgres": needs.PostgresSection,
    "redis": needs.RedisSection,
    "s3": needs.S3Section,
    "service": needs.ServiceSection,
    "dns": needs.DnsSection,
    "database": needs.DatabaseSection,
}


class AnyCheckSection(AdapterSection):
    """A check: its kind, and the keys of that kind."""


AnyCheck = Annotated[AnyCheckSection, BeforeValidator(bare_word("kind"))]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class ValidationSection(Section):
    """What is checked of the running service, and how. An environment's section goes over the service's."""

    checks: dict[Name, AnyCheck] = Field(
        default_factory=dict,
        description="The checks by name, in the order in which they run: a kind, or a mapping.",
        examples=[{"health": "health", "api": {"kind": "http", "path": "/api/v1/status"}}],
    )
    timeout: PositiveDuration | None = Field(
        default=None, description="Time for each request until it is complete; 10s.", examples=["10s"]
    )
    max_response_time: PositiveDuration | None = Field(
        default=None, description="For checks of response times that say nothing else; 500ms.", examples=["500ms"]
    )
    concurrent: int | None = Field(
        default=None, description="Requests of a burst that says nothing else; 10.", examples=[10], ge=1, le=1000
    )
    patience: Duration | None = Field(
        default=None,
        description="How long `fairway validate` waits until the address answers for the first time; 0s.",
        examples=["60s"],
    )
    headers: Headers = Field(
        default_factory=dict,
        description="Headers of every request to the service.",
        examples=[{"X-API-KEY": "{{API_KEY}}"}],
    )
    secrets: list[VariableName] = Field(
        default_factory=list,
        description="Names of environment variables, of whoever runs the checks, whose values are secrets. Checks use "
        "them as `{{NAME}}`; no output shows them.",
        examples=[["API_KEY", "DB_PASSWORD"]],
    )
    ca: FilePath | None = Field(
        default=None,
        description="File of certificate authorities to trust beside those of the machine.",
        examples=["certs/ca.pem"],
    )
