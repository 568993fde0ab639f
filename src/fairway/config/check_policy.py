"""What the section `validation` becomes in the words of the domain."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fairway.config.check_dependencies import (
    DatabaseSection,
    DnsSection,
    PostgresSection,
    RedisSection,
    S3Section,
    ServiceSection,
)
from fairway.config.check_kinds import (
    AuthSection,
    BurstSection,
    CompressionSection,
    ConditionalSection,
    ContractSection,
    CorsSection,
    EndpointSection,
    FlowSection,
    GraphqlSection,
    HeadersSection,
    HealthSection,
    Http2Section,
    HttpSection,
    MetricsKindSection,
    RateLimitSection,
    RedirectSection,
    ResponseTimeSection,
    TlsSection,
)
from fairway.config.check_values import CheckSection, ExpectSection, RequestSection
from fairway.config.validation import CHECK_KINDS, ValidationSection
from fairway.domain.validation import checks as domain
from fairway.domain.validation.assertions import Assertion, Expectation

_DEFAULTS = domain.CheckSettings()
#: Keys that every check may have.
_COMMON = frozenset(CheckSection.model_fields)
#: What a service needs is looked at before anything changes as well.
_NEEDS = (PostgresSection, RedisSection, S3Section, ServiceSection, DnsSection)


def to_suite(
    service: ValidationSection, environment: ValidationSection, variables: Mapping[str, str], folder: Path
) -> domain.Suite:
    """The checks of an environment: the service's, those of the same name replaced, and then its own.

    Args:
        service: the section of the whole service, valid.
        environment: that of the environment, valid.
        variables: of the environment.
        folder: of the file; paths are beside it.
    """
    named = {**service.checks, **environment.checks}
    checks = tuple(_check(name, section.kind, section.model_extra or {}) for name, section in named.items())
    return domain.Suite(checks, _settings(service, environment, variables, folder))


def _settings(
    service: ValidationSection, environment: ValidationSection, variables: Mapping[str, str], folder: Path
) -> domain.CheckSettings:
    def pick(key: str, default: Any) -> Any:
        own = getattr(environment, key)
        general = getattr(service, key)
        return own if own is not None else default if general is None else general

    ca = pick("ca", None)
    return domain.CheckSettings(
        timeout=pick("timeout", _DEFAULTS.timeout),
        max_response_time=pick("max_response_time", _DEFAULTS.max_response_time),
        concurrent=pick("concurrent", _DEFAULTS.concurrent),
        patience=pick("patience", _DEFAULTS.patience),
        headers=tuple({**service.headers, **environment.headers}.items()),
        secrets=tuple(dict.fromkeys((*service.secrets, *environment.secrets))),
        variables=tuple(sorted(variables.items())),
        ca=None if ca is None else str(folder / ca),
    )


def _check(name: str, kind: str, keys: Mapping[str, Any]) -> domain.Check:
    section = CHECK_KINDS[kind].model_validate(keys)
    after = ("before", *domain.AFTER) if isinstance(section, _NEEDS) else domain.AFTER
    moments = after if section.moments is None else tuple(dict.fromkeys(section.moments))
    own = isinstance(section, (*_NEEDS, DatabaseSection))
    url = None if own else section.url
    return domain.Check(name, _probe(section), moments, section.required, url, section.timeout)


def _probe(section: CheckSection) -> domain.Probe:
    return _PROBES[type(section)](section)


def _same(kind: Callable[..., domain.Probe], *, keep: tuple[str, ...] = ()) -> Callable[[Any], domain.Probe]:
    """A kind whose keys are named as those of the domain."""

    def build(section: CheckSection) -> domain.Probe:
        values = {}
        for name in type(section).model_fields:
            if name not in _COMMON or name in keep:
                values[_NAMES.get(name, name)] = _value(getattr(section, name))
        return kind(**values)

    return build


#: Keys whose name in the domain is another one.
_NAMES = {"schema_": "schema", "max_time": "seconds"}


def _value(value: Any) -> Any:
    if isinstance(value, ExpectSection):
        return _expectation(value)
    if isinstance(value, dict):
        return tuple(value.items())
    return tuple(value) if isinstance(value, list) else value


def _expectation(section: ExpectSection) -> Expectation:
    return Expectation(
        status=tuple(section.status),
        contains=tuple(section.contains),
        seconds=section.max_time,
        headers=_assertions(section.headers),
        body=_assertions(section.body),
    )


def _assertions(values: Mapping[str, Mapping[Any, Any]]) -> tuple[Assertion, ...]:
    return tuple(
        Assertion(path, operator, wanted) for path, all_ in values.items() for operator, wanted in all_.items()
    )


def _request(section: RequestSection) -> domain.Request:
    method, _, path = section.send.partition(" ")
    return domain.Request(
        method,
        path.strip(),
        section.name or "",
        tuple(section.headers.items()),
        section.body,
        _expectation(section.expect),
        tuple(section.capture.items()),
        section.retries,
        section.pause,
    )


def _flow(section: FlowSection) -> domain.Probe:
    setup, requests, cleanup = (
        tuple(map(_request, part)) for part in (section.setup, section.requests, section.cleanup)
    )
    return domain.FlowCheck(requests, setup, cleanup, tuple(section.confidential))


def _http(section: HttpSection) -> domain.Probe:
    headers = tuple(section.headers.items())
    request = domain.Request("GET", section.path, headers=headers, expect=_expectation(section.expect))
    return domain.FlowCheck((request,))


def _health(section: HealthSection) -> domain.Probe:
    def endpoint(one: EndpointSection | None) -> domain.Endpoint | None:
        return None if one is None else domain.Endpoint(one.path, _expectation(one.expect) if one.expect else None)

    parts = (endpoint(section.basic), endpoint(section.ready), endpoint(section.live))
    return domain.HealthCheck(*parts, section.version, section.optional)


_PROBES: dict[type[CheckSection], Callable[[Any], domain.Probe]] = {
    HealthSection: _health,
    HttpSection: _http,
    FlowSection: _flow,
    AuthSection: _same(domain.AuthCheck),
    HeadersSection: _same(domain.HeadersCheck),
    CorsSection: _same(domain.CorsCheck),
    TlsSection: _same(domain.TlsCheck),
    Http2Section: _same(domain.Http2Check),
    RedirectSection: _same(domain.RedirectCheck),
    GraphqlSection: _same(domain.GraphqlCheck),
    MetricsKindSection: _same(domain.MetricsCheck),
    ResponseTimeSection: _same(domain.ResponseTimeCheck),
    BurstSection: _same(domain.BurstCheck),
    RateLimitSection: _same(domain.RateLimitCheck),
    CompressionSection: _same(domain.CompressionCheck),
    ConditionalSection: _same(domain.ConditionalCheck),
    ContractSection: _same(domain.ContractCheck),
    PostgresSection: _same(domain.PostgresCheck, keep=("url",)),
    RedisSection: _same(domain.RedisCheck, keep=("url",)),
    S3Section: _same(domain.S3Check),
    ServiceSection: _same(domain.ServiceCheck, keep=("url",)),
    DnsSection: _same(domain.DnsCheck),
    DatabaseSection: _same(domain.DatabaseCheck, keep=("url",)),
}
