"""Checks of how a service answers browsers and caches: security headers, CORS, compression, conditions, redirects."""

from urllib.parse import urlsplit

from fairway.adapters.checks.asking import Asker
from fairway.domain.validation.cors import judge_allowed, judge_refused
from fairway.domain.validation.delivery import judge_compression, judge_conditional, judge_redirect, judge_validator
from fairway.domain.validation.exchange import Exchange
from fairway.domain.validation.findings import Finding, errored
from fairway.domain.validation.owasp import judge_headers
from fairway.domain.validation.probes import CompressionCheck, ConditionalCheck, CorsCheck, HeadersCheck, RedirectCheck
from fairway.domain.validation.status import describe_status, status_code


def ask_headers(check: HeadersCheck, asker: Asker) -> tuple[Finding, ...]:
    """The headers of one answer, whatever its status."""
    answer, subject = asker.get(check.path), f"headers of GET {check.path}"
    if not isinstance(answer, Exchange):
        return (answer.finding(subject, "an answer"),)
    secure = urlsplit(answer.url).scheme == "https"
    return judge_headers(answer, subject, secure=secure, ignore=check.ignore)


def ask_cors(check: CorsCheck, asker: Asker) -> tuple[Finding, ...]:
    """A preflight request for each origin."""
    return tuple(_ask_origin(check, asker, origin) for origin in (*check.allowed, *check.refused))


def _ask_origin(check: CorsCheck, asker: Asker, origin: str) -> Finding:
    subject = f"OPTIONS {check.path} from {origin}"
    headers = (("Origin", origin), ("Access-Control-Request-Method", check.method))
    answer = asker.client().send("OPTIONS", asker.url(check.path), headers=headers)
    if not isinstance(answer, Exchange):
        return answer.finding(subject, "an answer")
    if answer.status >= 500:
        # A proxy's error page has no such header either, and says nothing about the service.
        return errored(status_code(answer.status), subject, "an answer to the preflight", describe_status(answer))
    if origin in check.allowed:
        return judge_allowed(answer, subject, origin, check.method, check.credentials)
    return judge_refused(answer, subject, origin)


def ask_compression(check: CompressionCheck, asker: Asker) -> tuple[Finding, ...]:
    """One request that offers encodings."""
    subject = f"GET {check.path} compressed"
    answer = asker.get(check.path, (("Accept-Encoding", ", ".join(check.encodings)),))
    if not isinstance(answer, Exchange):
        return (answer.finding(subject, "a compressed answer"),)
    if answer.status >= 400:
        return (errored(status_code(answer.status), subject, "status 2xx", describe_status(answer)),)
    return (judge_compression(answer, subject, check.encodings),)


def ask_conditional(check: ConditionalCheck, asker: Asker) -> tuple[Finding, ...]:
    """A request, and the same one with what it said about its answer."""
    subject = f"GET {check.path} once more"
    first = asker.get(check.path)
    if not isinstance(first, Exchange):
        return (first.finding(subject, "an answer"),)
    if first.status >= 400:
        return (errored(status_code(first.status), subject, "status 2xx", describe_status(first)),)
    condition = judge_validator(first, subject)
    if isinstance(condition, Finding):
        return (condition,)
    second = asker.get(check.path, condition)
    if not isinstance(second, Exchange):
        return (second.finding(subject, "status 304"),)
    return (judge_conditional(second, subject),)


def ask_redirect(check: RedirectCheck, asker: Asker) -> tuple[Finding, ...]:
    """A plain request; the redirect is not followed."""
    parts = urlsplit(asker.base)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    url = str(asker.fill(check.start)) if check.start else f"http://{host}{check.path}"
    subject = f"GET {url}"
    answer = asker.client(shared=False).send("GET", url)
    if not isinstance(answer, Exchange):
        return (answer.finding(subject, "a redirect to https"),)
    return (judge_redirect(answer, subject),)
