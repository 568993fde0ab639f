"""What the section `validation` becomes in the words of the domain."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fairway.config.section import Section
from fairway.config.validation import CHECK_KINDS, ValidationSection
from fairway.domain.validation import checks as domain
from fairway.domain.validation import needs, probes
from fairway.domain.validation.expectation import Assertion, Expectation
from fairway.domain.validation.secret import SecretSource

_DEFAULTS = domain.CheckSettings()
#: Keys that every check may have.
_COMMON = frozenset({"moments", "required", "url", "timeout"})
#: What a service needs is looked at before anything changes as well.
_NEEDS = frozenset({"postgres", "redis", "s3", "service", "dns"})


def to_suite(
    service: ValidationSection,
    environment: ValidationSection,
    variables: Mapping[str, str],
    folder: Path,
    sources: tuple[SecretSource, ...] = (),
) -> domain.Suite:
    """The checks of an environment: the service's, those of the same name replaced, and then its own.

    Args:
        service: the section of the whole service, valid.
        environment: that of the environment, valid.
        variables: of the environment.
        folder: of the file; paths are beside it.
        sources: of the environment's secrets.
    """
    named = {**service.checks, **environment.checks}
    checks = tuple(_check(name, section.kind, section.model_extra or {}) for name, section in named.items())
    settings = _settings(service, environment, variables, folder)
    names = tuple(dict.fromkeys((*service.secrets, *environment.secrets, *(one.name for one in sources))))
    return domain.Suite(checks, replace(settings, secrets=names, sources=sources))


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
        variables=tuple(sorted(variables.items())),
        ca=None if ca is None else str(folder / ca),
    )


def _check(name: str, kind: str, keys: Mapping[str, Any]) -> domain.Check:
    section: Any = CHECK_KINDS[kind].model_validate(keys)
    moments = ("before", *domain.AFTER) if kind in _NEEDS else domain.AFTER
    if section.moments is not None:
        moments = tuple(dict.fromkeys(section.moments))
    url = None if kind in _NEEDS | {"database"} else section.url
    return domain.Check(name, _PROBES[kind](section), moments, section.required, url, section.timeout)


def _same(kind: Callable[..., domain.Probe], *, keep: tuple[str, ...] = ()) -> Callable[[Any], domain.Probe]:
    """A kind whose keys are named as those of the domain."""

    def build(section: Any) -> domain.Probe:
        values = {}
        for name in type(section).model_fields:
            if name not in _COMMON or name in keep:
                values[_NAMES.get(name, name)] = _value(getattr(section, name))
        return kind(**values)

    return build


#: Keys whose name in the domain is another one.
_NAMES = {"schema_": "schema", "max_time": "seconds", "type": "kind"}


def _value(value: Any) -> Any:
    if isinstance(value, Section):
        return _expectation(value)
    if isinstance(value, dict):
        return tuple(value.items())
    return tuple(value) if isinstance(value, list) else value


def _expectation(section: Any) -> Expectation:
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


def _request(section: Any) -> probes.Request:
    method, _, path = section.send.partition(" ")
    return probes.Request(
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


def _flow(section: Any) -> domain.Probe:
    setup, requests, cleanup = (
        tuple(map(_request, part)) for part in (section.setup, section.requests, section.cleanup)
    )
    return probes.FlowCheck(requests, setup, cleanup, tuple(section.confidential))


def _http(section: Any) -> domain.Probe:
    headers = tuple(section.headers.items())
    request = probes.Request("GET", section.path, headers=headers, expect=_expectation(section.expect))
    return probes.FlowCheck((request,))


def _health(section: Any) -> domain.Probe:
    def endpoint(one: Any) -> probes.Endpoint | None:
        return None if one is None else probes.Endpoint(one.path, _expectation(one.expect) if one.expect else None)

    parts = (endpoint(section.basic), endpoint(section.ready), endpoint(section.live))
    return probes.HealthCheck(*parts, section.version, section.optional)


_PROBES: dict[str, Callable[[Any], domain.Probe]] = {
    "health": _health,
    "http": _http,
    "flow": _flow,
    "auth": _same(probes.AuthCheck),
    "headers": _same(probes.HeadersCheck),
    "cors": _same(probes.CorsCheck),
    "tls": _same(probes.TlsCheck),
    "http2": _same(probes.Http2Check),
    "redirect": _same(probes.RedirectCheck),
    "graphql": _same(probes.GraphqlCheck),
    "metrics": _same(probes.MetricsCheck),
    "response-time": _same(probes.ResponseTimeCheck),
    "burst": _same(probes.BurstCheck),
    "rate-limit": _same(probes.RateLimitCheck),
    "compression": _same(probes.CompressionCheck),
    "conditional": _same(probes.ConditionalCheck),
    "contract": _same(probes.ContractCheck),
    "postgres": _same(needs.PostgresCheck, keep=("url",)),
    "redis": _same(needs.RedisCheck, keep=("url",)),
    "s3": _same(needs.S3Check),
    "service": _same(needs.ServiceCheck, keep=("url",)),
    "dns": _same(needs.DnsCheck),
    "database": _same(needs.DatabaseCheck, keep=("url",)),
}
