"""The section `validation`: the checks, and what they share."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Annotated

from pydantic import BeforeValidator, Field

from fairway.config.section import AdapterSection, Section
from fairway.config.types import Duration, FilePath, Name, PositiveDuration, bare_word

#: The model of each kind of check, in the order of the reference.
_PLACES = {
    "health": "check_kinds:HealthSection",
    "http": "check_kinds:HttpSection",
    "flow": "check_kinds:FlowSection",
    "auth": "check_kinds:AuthSection",
    "headers": "check_kinds:HeadersSection",
    "cors": "check_kinds:CorsSection",
    "tls": "check_kinds:TlsSection",
    "http2": "check_kinds:Http2Section",
    "redirect": "check_kinds:RedirectSection",
    "graphql": "check_kinds:GraphqlSection",
    "metrics": "check_kinds:MetricsKindSection",
    "response-time": "check_kinds:ResponseTimeSection",
    "burst": "check_kinds:BurstSection",
    "rate-limit": "check_kinds:RateLimitSection",
    "compression": "check_kinds:CompressionSection",
    "conditional": "check_kinds:ConditionalSection",
    "contract": "check_kinds:ContractSection",
    "postgres": "check_dependencies:PostgresSection",
    "redis": "check_dependencies:RedisSection",
    "s3": "check_dependencies:S3Section",
    "service": "check_dependencies:ServiceSection",
    "dns": "check_dependencies:DnsSection",
    "database": "check_dependencies:DatabaseSection",
}


class _Kinds(Mapping[str, type[Section]]):
    """Models by kind, each loaded when it is asked for: a file names few of them, most none."""

    def __getitem__(self, kind: str) -> type[Section]:
        module, _, name = _PLACES[kind].partition(":")
        found: type[Section] = getattr(import_module(f"fairway.config.{module}"), name)
        return found

    def __contains__(self, kind: object) -> bool:
        return kind in _PLACES

    def __iter__(self) -> Iterator[str]:
        return iter(_PLACES)

    def __len__(self) -> int:
        return len(_PLACES)


CHECK_KINDS = _Kinds()


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
    headers: dict[str, str] = Field(
        default_factory=dict,
        description="Headers of every request to the service.",
        examples=[{"X-API-KEY": "{{API_KEY}}"}],
    )
    secrets: list[VariableName] = Field(
        default_factory=list,
        description="Names of environment variables, of whoever runs the checks, whose values are secrets; those under "
        "`secrets` of the environment need not be repeated. Checks use them as `{{NAME}}`; no output shows them.",
        examples=[["API_KEY", "DB_PASSWORD"]],
    )
    ca: FilePath | None = Field(
        default=None,
        description="File of certificate authorities to trust beside those of the machine.",
        examples=["certs/ca.pem"],
    )
