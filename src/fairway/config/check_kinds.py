"""The kinds of checks of a service by HTTP, each with the keys that it takes."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from fairway.config.check_values import (
    AnyRequest,
    CaptureName,
    CheckSection,
    Expect,
    ExpectSection,
    Headers,
    HttpUrl,
    PathSection,
    Statuses,
)
from fairway.config.section import Section
from fairway.config.types import Bare, HttpPath, PositiveDuration, Token, refuse


class EndpointSection(Section):
    """A health endpoint with an expectation of your own."""

    path: HttpPath = Field(description="Path of the endpoint.", examples=["/healthz"])
    expect: Expect | None = Field(
        default=None,
        description="What must come, in place of the usual body.",
        examples=[{"body": {"$.state": "UP"}}],
    )


AnyEndpoint = Annotated[EndpointSection, Bare("path")]


class HealthSection(CheckSection):
    """The health endpoints say that all is well, in the bodies that they should have."""

    basic: AnyEndpoint | None = Field(
        default=EndpointSection(path="/health"),
        description='Must answer `{"status": "ok", "version": …, "timestamp": …}`. Null: there is none.',
        examples=["/health"],
    )
    ready: AnyEndpoint | None = Field(
        default=EndpointSection(path="/health/ready"),
        description='Must answer `{"status": "ready", "checks": {…}}` with every check "ok".',
        examples=["/health/ready"],
    )
    live: AnyEndpoint | None = Field(
        default=EndpointSection(path="/health/live"),
        description='Must answer `{"status": "alive", "uptime": …}`.',
        examples=[{"path": "/livez", "expect": 200}],
    )
    version: str | None = Field(
        default=None,
        description="The version that `basic` must tell; `release` is the one that a rollout deploys.",
        examples=["release"],
    )
    optional: bool = Field(default=False, description="An endpoint that does not exist is skipped.", examples=[True])


class HttpSection(PathSection):
    """One request."""

    headers: Headers = Field(default_factory=dict, description="Headers of the request.", examples=[{"Accept": "*/*"}])
    expect: Expect = Field(default=ExpectSection(), description="What must come back.", examples=[200])


class FlowSection(CheckSection):
    """Requests in order, with values captured from one and used in the next: a smoke or integration test."""

    requests: list[AnyRequest] = Field(
        description="Sent in order; when one fails, the rest are skipped.",
        examples=[["GET /health", {"send": "GET /api/v1/status", "expect": {"body": {"$.online": True}}}]],
        min_length=1,
    )
    setup: list[AnyRequest] = Field(default_factory=list, description="Sent before the others.")
    cleanup: list[AnyRequest] = Field(
        default_factory=list,
        description="Always sent at the end, whatever failed before; one that needs a value which was never captured "
        "has nothing to clean up.",
        examples=[["DELETE /api/v1/resources/{{RESOURCE_ID}}"]],
    )
    confidential: list[CaptureName] = Field(
        default_factory=list,
        description="Names of captured values that no output may show.",
        examples=[["TOKEN"]],
    )


class AuthSection(CheckSection):
    """An endpoint opens with the credential, and neither without it nor with a wrong one."""

    path: HttpPath = Field(description="Path of the request.", examples=["/api/v1/me"])
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = Field(
        default="GET", description="Method of the request.", examples=["GET"]
    )
    bearer: str | None = Field(default=None, description="A bearer token; or …", examples=["{{API_KEY}}"])
    user: str | None = Field(default=None, description="… a name, with `password`; or …", examples=["checker"])
    password: str | None = Field(default=None, description="The password of `user`.", examples=["{{PASSWORD}}"])
    header: Token | None = Field(
        default=None, description="… the name of a header, with `key`.", examples=["X-API-KEY"]
    )
    key: str | None = Field(default=None, description="The value of `header`.", examples=["{{API_KEY}}"])
    status: int = Field(default=200, description="What must come with the credential.", examples=[200], ge=100, le=599)
    refused: Statuses = Field(
        default=[401, 403], description="What must come without it, and with a wrong one.", examples=[401]
    )

    @model_validator(mode="after")
    def _one_credential(self) -> "AuthSection":
        given = [name for name in ("bearer", "user", "header") if getattr(self, name) is not None]
        if len(given) != 1:
            raise refuse("needs one credential", "give bearer, or user and password, or header and key")
        if (self.user is None) != (self.password is None) or (self.header is None) != (self.key is None):
            raise refuse("half of the credential is missing", "user goes with password, header with key")
        return self


class Http2Section(PathSection):
    """HTTP/2 is negotiated by TLS."""


class TlsSection(CheckSection):
    """Versions of TLS, the certificate's chain and name, and the days until it expires."""

    minimum: Literal["1.2", "1.3"] = Field(
        default="1.2", description="Older versions must be refused.", examples=["1.3"]
    )
    days: int = Field(default=14, description="With fewer days left the check fails.", examples=[14], ge=0, le=10_000)


class RedirectSection(PathSection):
    """Plain HTTP leads to HTTPS for good."""

    start: HttpUrl | None = Field(
        default=None,
        description="The plain URL; by default that of the address, on port 80.",
        examples=["http://shop.example/"],
    )


class GraphqlSection(CheckSection):
    """A query comes back with data and without errors; the schema breaks nothing that stable offers."""

    path: HttpPath = Field(default="/graphql", description="Path of the service.", examples=["/graphql"])
    query: str = Field(default="{ __typename }", description="The query.", examples=["{ products { id } }"])
    variables: dict[str, Any] = Field(default_factory=dict, description="Its variables.", examples=[{"limit": 1}])
    expect: Expect = Field(
        default=ExpectSection(),
        description="What must come back beside data.",
        examples=[{"body": {"$.data.products": {"type": "array"}}}],
    )
    schema_: bool = Field(
        default=True,
        alias="schema",
        description="Look for breaking changes of the schema against the stable revision, while both run.",
        examples=[False],
    )
    against: HttpUrl | None = Field(
        default=None,
        description="The address of the schema to compare with, in place of the stable revision's.",
        examples=["https://shop.example"],
    )
    allowed: list[str] = Field(
        default_factory=list,
        description="Breaking changes that are meant: parts of their descriptions.",
        examples=[["Product.price was removed"]],
    )
    optional: bool = Field(default=False, description="A service without GraphQL is skipped.", examples=[True])


class MetricsKindSection(CheckSection):
    """Metrics are there, in the format that Prometheus reads."""

    path: HttpPath = Field(default="/metrics", description="Path of the metrics.", examples=["/metrics"])
    series: list[str] = Field(
        default_factory=list,
        description="Names of metrics that must be among them.",
        examples=[["http_requests_total", "process_resident_memory_bytes"]],
    )
    optional: bool = Field(default=False, description="A service without metrics is skipped.", examples=[True])


class HeadersSection(PathSection):
    """Security headers as the OWASP Secure Headers Project lists them."""

    ignore: list[str] = Field(
        default_factory=list, description="Headers that are not looked at.", examples=[["Permissions-Policy"]]
    )


class CorsSection(PathSection):
    """Browsers may send requests from the origins that are meant, and from no others."""

    allowed: list[str] = Field(
        default_factory=list, description="Origins that must be let in.", examples=[["https://www.shop.example"]]
    )
    refused: list[str] = Field(
        default=["https://fairway.invalid"],
        description="Origins that must not be.",
        examples=[["https://evil.example"]],
    )
    method: str = Field(default="GET", description="The method that leave is asked for.", examples=["PUT"])
    credentials: bool | None = Field(
        default=None, description="Whether cookies must be allowed, or must not; by default either.", examples=[True]
    )


class RateLimitSection(PathSection):
    """Too many requests are answered with 429."""

    requests: int = Field(
        default=100, description="Within so many the limit must show.", examples=[100], ge=1, le=10_000
    )
    retry_after: bool = Field(default=False, description="Retry-After must come with it.", examples=[True])


class ResponseTimeSection(PathSection):
    """The mean time of a few requests, one after the other."""

    max_time: PositiveDuration | None = Field(
        default=None,
        description="The mean may be as long; by default `validation.max_response_time`.",
        examples=["200ms"],
    )
    samples: int = Field(default=5, description="How many requests.", examples=[5], ge=1, le=1000)


class BurstSection(PathSection):
    """Requests at the same time are all answered."""

    requests: int | None = Field(
        default=None, description="How many; by default `validation.concurrent`.", examples=[50], ge=1, le=1000
    )


class CompressionSection(PathSection):
    """The answer is compressed where the client can read that, and caches are told so."""

    encodings: list[Literal["gzip", "br", "zstd", "deflate"]] = Field(
        default=["gzip", "br", "zstd", "deflate"],
        description="The encodings that the request offers.",
        examples=[["gzip"]],
        min_length=1,
    )


class ConditionalSection(PathSection):
    """What the client has already is not sent again: 304 for the tag or date of the answer before."""


class ContractSection(CheckSection):
    """Generated requests against the service's OpenAPI description, by schemathesis. They change data: for staging."""

    schema_: str = Field(
        default="/openapi.json",
        alias="schema",
        description="Path or URL of the description.",
        examples=["/openapi.json"],
    )
    examples: int = Field(
        default=20, description="Generated requests for each operation.", examples=[50], ge=1, le=10_000
    )
    checks: list[str] = Field(
        default_factory=list,
        description="Names of schemathesis' checks; by default all.",
        examples=[["not_a_server_error", "response_schema_conformance"]],
    )
    exclude: list[str] = Field(
        default_factory=list, description="Paths that are left alone.", examples=[["/api/v1/payments"]]
    )
    headers: Headers = Field(
        default_factory=dict,
        description="Headers of every request.",
        examples=[{"Authorization": "Bearer {{API_KEY}}"}],
    )
    seed: int = Field(default=1, description="The same seed sends the same requests.", examples=[1], ge=0)
    limit: PositiveDuration = Field(default=300.0, description="Time for all of it together.", examples=["5m"])
