"""Checks of the service itself, by requests to its address."""

from dataclasses import dataclass, field
from typing import Any, Literal

from fairway.domain.validation.expectation import Expectation

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One health endpoint.

    Attributes:
        expect: the user's own expectation; None: the usual body of this endpoint.
    """

    path: str
    expect: Expectation | None = None


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """The health endpoints, by their content. None: the service has no such endpoint.

    Attributes:
        version: the version that must be told: `release` is the one that the rollout deploys; None: any.
        optional: an endpoint that does not exist is no fault.
    """

    basic: Endpoint | None = field(default_factory=lambda: Endpoint("/health"))
    ready: Endpoint | None = field(default_factory=lambda: Endpoint("/health/ready"))
    live: Endpoint | None = field(default_factory=lambda: Endpoint("/health/live"))
    version: str | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a flow.

    Attributes:
        path: with a leading slash, or a whole URL.
        headers: beside those of all checks.
        body: JSON value, or text if it is one; None: no body.
        expect: what must come back.
        capture: pairs of a name and a JSON path into the body; or `header:NAME`, or `status`.
        retries: how many more times it is sent while the answer is not as expected.
        pause: seconds between two of those.
    """

    method: str
    path: str
    name: str = ""
    headers: Pairs = ()
    body: Any = None
    expect: Expectation = field(default_factory=Expectation)
    capture: Pairs = ()
    retries: int = 0
    pause: float = 1.0


@dataclass(frozen=True, slots=True)
class FlowCheck:
    """Requests in order: a smoke or integration test.

    Attributes:
        setup: before the others; when one fails, the others are not sent.
        cleanup: always sent, whatever happened before; one whose values were never captured has nothing to clean up.
        confidential: names of captured values that must not be shown.
    """

    requests: tuple[Request, ...]
    setup: tuple[Request, ...] = ()
    cleanup: tuple[Request, ...] = ()
    confidential: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AuthCheck:
    """An endpoint that wants a credential: with it, without it, with a wrong one.

    Attributes:
        bearer: a token; or
        user: a name, with `password`; or
        header: the name of a header, with `key`.
        refused: what must come without, and with a wrong one.
    """

    path: str
    method: str = "GET"
    bearer: str | None = None
    user: str | None = None
    password: str | None = None
    header: str | None = None
    key: str | None = None
    status: int = 200
    refused: tuple[int, ...] = (401, 403)


@dataclass(frozen=True, slots=True)
class Http2Check:
    """HTTP/2 is negotiated by TLS."""

    path: str = "/"


@dataclass(frozen=True, slots=True)
class TlsCheck:
    """Versions, chain and name of the certificate, and days until it expires.

    Attributes:
        minimum: the oldest version of TLS that may be accepted.
        days: fewer days than that until the expiry are a failure.
    """

    minimum: Literal["1.2", "1.3"] = "1.2"
    days: int = 14


@dataclass(frozen=True, slots=True)
class RedirectCheck:
    """Plain HTTP leads to HTTPS.

    Attributes:
        start: the plain URL; None: that of the address, on port 80.
    """

    path: str = "/"
    start: str | None = None


@dataclass(frozen=True, slots=True)
class GraphqlCheck:
    """A query without errors; and no breaking change of the schema against the stable revision.

    Attributes:
        schema: compare the schema with that of the stable revision, where there is one.
        against: address of the schema to compare with, in place of the stable revision's.
        allowed: descriptions of breaking changes that are meant, or parts of them.
        optional: a service without GraphQL is no fault.
    """

    path: str = "/graphql"
    query: str = "{ __typename }"
    variables: tuple[tuple[str, Any], ...] = ()
    expect: Expectation = field(default_factory=Expectation)
    schema: bool = True
    against: str | None = None
    allowed: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True)
class MetricsCheck:
    """Metrics in the exposition format of Prometheus, and the series that must be among them."""

    path: str = "/metrics"
    series: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True)
class HeadersCheck:
    """Security headers as the OWASP Secure Headers Project lists them.

    Attributes:
        ignore: names of headers that are not looked at.
    """

    path: str = "/"
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CorsCheck:
    """Which origins browsers may send requests from.

    Attributes:
        allowed: origins that must be let in.
        refused: origins that must not be.
        method: of the request that the browser asks leave for.
        credentials: whether cookies must be allowed; None: either.
    """

    path: str = "/"
    allowed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ("https://fairway.invalid",)
    method: str = "GET"
    credentials: bool | None = None


@dataclass(frozen=True, slots=True)
class RateLimitCheck:
    """Too many requests are answered with 429.

    Attributes:
        requests: within so many the limit must show.
    """

    path: str = "/"
    requests: int = 100
    retry_after: bool = False


@dataclass(frozen=True, slots=True)
class ResponseTimeCheck:
    """The mean time of some requests, one after the other.

    Attributes:
        seconds: the mean may be as long; None: as in the settings.
    """

    path: str = "/"
    seconds: float | None = None
    samples: int = 5


@dataclass(frozen=True, slots=True)
class BurstCheck:
    """Requests at the same time are all answered.

    Attributes:
        requests: how many; None: as in the settings.
    """

    path: str = "/"
    requests: int | None = None


@dataclass(frozen=True, slots=True)
class CompressionCheck:
    """The answer is compressed where the client can read that."""

    path: str = "/"
    encodings: tuple[str, ...] = ("gzip", "br", "zstd", "deflate")


@dataclass(frozen=True, slots=True)
class ConditionalCheck:
    """An answer that the client has already is not sent again."""

    path: str = "/"


@dataclass(frozen=True, slots=True)
class ContractCheck:
    """Generated requests against the service's own OpenAPI description. They change data: for staging.

    Attributes:
        schema: path or URL of the description.
        examples: generated requests for each operation.
        checks: which of schemathesis' checks; empty: all.
        exclude: parts of paths that are left alone.
        seed: of the generation; the same one sends the same requests.
        limit: seconds for all of it.
    """

    schema: str = "/openapi.json"
    examples: int = 20
    checks: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    headers: Pairs = ()
    seed: int = 1
    limit: float = 300.0
