"""Checks of single requests: the simple one, health endpoints, endpoints that want a credential."""

import base64
from collections.abc import Iterator
from dataclasses import replace

from fairway.adapters.checks.asking import Asker
from fairway.adapters.checks.jsonpath import find
from fairway.domain.validation.assertions import judge_answer
from fairway.domain.validation.checks import HttpCheck
from fairway.domain.validation.exchange import Exchange
from fairway.domain.validation.expectation import Expectation
from fairway.domain.validation.findings import Finding, skipped
from fairway.domain.validation.health import Kind, judge_health
from fairway.domain.validation.probes import AuthCheck, Endpoint, HealthCheck
from fairway.domain.validation.status import describe_status, judge_status


def ask_simple(check: HttpCheck, asker: Asker) -> tuple[Finding, ...]:
    """A request with a status and a text."""
    contains = () if check.contains is None else (check.contains,)
    return (_ask(asker, check.path, Expectation((check.status,), contains)),)


def _ask(asker: Asker, path: str, expectation: Expectation) -> Finding:
    answer, subject = asker.get(path), f"GET {path}"
    if not isinstance(answer, Exchange):
        return answer.finding(subject, "an answer")
    return judge_answer(answer, subject, expectation, find)


def ask_health(check: HealthCheck, asker: Asker) -> tuple[Finding, ...]:
    """The health endpoints; when the first one finds nobody, the others need not be asked."""
    findings = tuple(_each_endpoint(check, asker))
    if not check.optional:
        return findings
    return tuple(skipped("absent", one.subject, one.came) if one.code == "status-404" else one for one in findings)


def _each_endpoint(check: HealthCheck, asker: Asker) -> Iterator[Finding]:
    endpoints: tuple[tuple[Kind, Endpoint | None], ...] = (
        ("basic", check.basic),
        ("ready", check.ready),
        ("live", check.live),
    )
    version = asker.place.version if check.version == "release" else check.version
    for kind, endpoint in endpoints:
        if endpoint is None:
            continue
        if endpoint.expect is not None:
            yield _ask(asker, endpoint.path, endpoint.expect)
            continue
        answer, subject = asker.get(endpoint.path), f"GET {endpoint.path}"
        if isinstance(answer, Exchange):
            yield replace(judge_health(kind, answer, subject, version=version), seconds=answer.seconds)
        else:
            finding = answer.finding(subject, "an answer")
            yield finding
            if finding.outcome == "errored":
                return


def ask_auth(check: AuthCheck, asker: Asker) -> tuple[Finding, ...]:
    """With the credential, without one, and with a wrong one of the same shape."""
    right = _credential(check, asker)
    wrong = {name: _spoilt(value) for name, value in right.items()}
    return (
        _try(check, asker, "with the credential", right, (check.status,)),
        _try(check, asker, "without a credential", {}, check.refused),
        _try(check, asker, "with a wrong credential", wrong, check.refused),
    )


def _credential(check: AuthCheck, asker: Asker) -> dict[str, str]:
    if check.bearer is not None:
        return {"authorization": f"Bearer {asker.fill(check.bearer)}"}
    if check.user is not None:
        pair = f"{asker.fill(check.user)}:{asker.fill(check.password or '')}"
        coded = base64.b64encode(pair.encode()).decode()
        asker.hidden.append(("password", coded))
        return {"authorization": f"Basic {coded}"}
    return {(check.header or "x-api-key").lower(): str(asker.fill(check.key or ""))}


def _spoilt(value: str) -> str:
    """A credential of the same length and scheme that is another one."""
    scheme, space, secret = value.rpartition(" ")
    if scheme == "Basic":
        return f"Basic {base64.b64encode(b'fairway:wrong-password').decode()}"
    return scheme + space + "".join("x" if c != "x" else "y" for c in secret)


def _try(check: AuthCheck, asker: Asker, how: str, headers: dict[str, str], wanted: tuple[int, ...]) -> Finding:
    subject = f"{check.method} {check.path} {how}"
    # A credential that all checks share would answer for the one that is tried here.
    client = asker.client(shared=False)
    shared = tuple((n, v) for n, v in asker.pairs(asker.place.settings.headers) if n.lower() not in _names(check))
    answer = client.send(check.method, asker.url(check.path), headers=(*shared, *headers.items()))
    if not isinstance(answer, Exchange):
        return answer.finding(subject, f"status {wanted[0]}")
    found = replace(judge_status(answer, subject, wanted), seconds=answer.seconds)
    if found.outcome == "passed" or (headers and how == "with the credential"):
        return found
    if 200 <= answer.status < 400:
        return replace(found, outcome="failed", code="auth-open", came=describe_status(answer))
    return found


def _names(check: AuthCheck) -> tuple[str, ...]:
    return ("authorization", (check.header or "").lower())
