"""What is checked where nothing is configured: what most services have, by requests that change nothing."""

from fairway.domain.validation.checks import Check
from fairway.domain.validation.expectation import Expectation
from fairway.domain.validation.probes import (
    BurstCheck,
    FlowCheck,
    GraphqlCheck,
    HeadersCheck,
    HealthCheck,
    Http2Check,
    MetricsCheck,
    RedirectCheck,
    Request,
    ResponseTimeCheck,
    TlsCheck,
)

#: Any answer that is no fault of the server.
_ANSWERED = Expectation(status=tuple(range(200, 500)))


def default_checks(*, path: str, secure: bool) -> tuple[Check, ...]:
    """The checks.

    Args:
        path: where the service answers, for times and bursts.
        secure: the address begins with https.
    """
    everywhere = (
        Check("answers", FlowCheck((Request("GET", path, expect=_ANSWERED),))),
        Check("health", HealthCheck(optional=True)),
        Check("response-time", ResponseTimeCheck(path)),
        Check("burst", BurstCheck(path)),
        Check("metrics", MetricsCheck(optional=True), required=False),
        Check("graphql", GraphqlCheck(optional=True, schema=False), required=False),
        Check("headers", HeadersCheck(path), required=False),
    )
    if not secure:
        return everywhere
    return (
        *everywhere,
        Check("tls", TlsCheck()),
        Check("http2", Http2Check(path), required=False),
        Check("redirect", RedirectCheck(path), required=False),
    )
