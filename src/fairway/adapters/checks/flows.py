"""Requests in order, with values captured from one and used in the next."""

import time
from collections.abc import Iterator
from typing import Any

from fairway.adapters.checks.asking import Asker
from fairway.adapters.checks.jsonpath import find
from fairway.adapters.checks.secrets import NoSecret
from fairway.domain.errors import UserError
from fairway.domain.validation.assertions import judge_answer
from fairway.domain.validation.exchange import Exchange
from fairway.domain.validation.expectation import Assertion, Expectation
from fairway.domain.validation.findings import Finding, errored, failed, quoted, skipped
from fairway.domain.validation.probes import FlowCheck, Request
from fairway.domain.validation.template import UnknownName, names_in


def ask_flow(check: FlowCheck, asker: Asker) -> tuple[Finding, ...]:
    """Set-up, the requests until one fails, and the clean-up whatever happened before."""
    findings: list[Finding] = []
    try:
        findings += _run((*check.setup, *check.requests), check, asker)
    finally:
        # Also when a person stops the command: what was made must not stay.
        findings += _clean_up(check, asker)
    return tuple(findings)


def _run(requests: tuple[Request, ...], check: FlowCheck, asker: Asker) -> Iterator[Finding]:
    stopped = False
    for request in requests:
        if stopped:
            yield skipped("unanswered", _subject(request), "an earlier request failed")
            continue
        finding = _perform(request, check, asker)
        yield finding
        stopped = finding.outcome != "passed"


def _clean_up(check: FlowCheck, asker: Asker) -> list[Finding]:
    findings = []
    captures = {name for request in (*check.setup, *check.requests) for name, _ in request.capture}
    for request in check.cleanup:
        wanted = names_in((request.path, request.body, [value for _, value in request.headers]))
        if wanted & captures - set(asker.captured):
            findings.append(skipped("nothing-made", _subject(request), "there is nothing to clean up"))
        else:
            findings.append(_perform(request, check, asker))
    return findings


def _subject(request: Request) -> str:
    return request.name or f"{request.method} {request.path}"


def _perform(request: Request, check: FlowCheck, asker: Asker) -> Finding:
    """Sends a request, again where that was asked for, and keeps what it gave."""
    subject = _subject(request)
    for left in range(request.retries, -1, -1):
        finding, answer = _send(request, asker, subject)
        if finding.outcome == "passed" and answer is not None:
            return _capture(request, check, asker, answer) or finding
        if left:
            time.sleep(request.pause)
    return finding


def _send(request: Request, asker: Asker, subject: str) -> tuple[Finding, Exchange | None]:
    try:
        url, body, headers = asker.url(request.path), asker.fill(request.body), asker.pairs(request.headers)
        expectation = _filled(request.expect, asker)
    except NoSecret as error:
        return error.finding(subject), None
    except UnknownName as error:
        return errored("unknown-name", subject, "a name that is known", f"{{{{{error.args[0]}}}}}"), None
    # What all checks send to the service goes to no stranger.
    client = asker.client(shared=url.startswith(f"{asker.base}/"))
    answer = client.send(request.method, url, headers=headers, body=body)
    if not isinstance(answer, Exchange):
        return answer.finding(subject, "an answer"), None
    return judge_answer(answer, subject, expectation, find), answer


def _filled(expect: Expectation, asker: Asker) -> Expectation:
    """What is expected, with values that only this run knows."""

    def fill(assertions: tuple[Assertion, ...]) -> tuple[Assertion, ...]:
        return tuple(Assertion(one.path, one.operator, asker.fill(one.value)) for one in assertions)

    contains = tuple(str(asker.fill(text)) for text in expect.contains)
    return Expectation(expect.status, contains, expect.seconds, fill(expect.headers), fill(expect.body))


def _capture(request: Request, check: FlowCheck, asker: Asker, answer: Exchange) -> Finding | None:
    """Keeps values; what is wrong if there are none."""
    for name, source in request.capture:
        values = _values(source, answer)
        if not values or values[0] is None:
            expected = f"a value for {name} at {source}"
            return failed("not-captured", _subject(request), expected, quoted(answer.text) or "an empty body")
        asker.captured[name] = values[0]
        if name in check.confidential:
            asker.hidden.append((name, str(values[0])))
    return None


def _values(source: str, answer: Exchange) -> list[Any]:
    if source == "status":
        return [answer.status]
    if source.startswith("header:"):
        value = answer.header(source.removeprefix("header:").strip())
        return [] if value is None else [value]
    try:
        return find(source, answer.json())
    except (ValueError, UserError):
        return []
