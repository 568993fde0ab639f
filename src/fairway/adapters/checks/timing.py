"""Checks of time and number: response times, requests at the same time, rate limits."""

import threading
from concurrent.futures import ThreadPoolExecutor
from statistics import fmean

from fairway.adapters.checks.asking import Asker
from fairway.domain.validation.exchange import Answer, Exchange
from fairway.domain.validation.findings import Finding, errored, failed, passed
from fairway.domain.validation.probes import BurstCheck, RateLimitCheck, ResponseTimeCheck
from fairway.domain.validation.status import describe_status, status_code


def ask_response_time(check: ResponseTimeCheck, asker: Asker) -> tuple[Finding, ...]:
    """Requests one after the other; connections are part of the time, as they are for a user."""
    limit = check.seconds if check.seconds is not None else asker.place.settings.max_response_time
    subject = f"time of GET {check.path}"
    expected = f"mean of {check.samples} within {limit * 1000:.0f} ms"
    times = []
    for _ in range(check.samples):
        answer = asker.get(check.path)
        if not isinstance(answer, Exchange):
            return (answer.finding(subject, expected),)
        if answer.status >= 400:
            return (errored(status_code(answer.status), subject, expected, describe_status(answer)),)
        times.append(answer.seconds)
    came = f"mean {_ms(fmean(times))}, fastest {_ms(min(times))}, slowest {_ms(max(times))}"
    found = passed if fmean(times) <= limit else _slow
    return (found(subject, expected, came),)


def _slow(subject: str, expected: str, came: str) -> Finding:
    return failed("slow", subject, expected, came)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def ask_burst(check: BurstCheck, asker: Asker) -> tuple[Finding, ...]:
    """Requests that all begin at the same time, each on a connection of its own."""
    count = check.requests or asker.place.settings.concurrent
    subject, expected = f"{count} requests at once to {check.path}", f"{count} answers without a fault"
    client, url, gate = asker.client(), asker.url(check.path), threading.Barrier(count)

    def ask(_: int) -> Answer:
        gate.wait()
        return client.send("GET", url)

    with ThreadPoolExecutor(count, "burst") as threads:
        answers = list(threads.map(ask, range(count)))
    bad = [one for one in answers if not isinstance(one, Exchange) or one.status >= 400]
    if not bad:
        slowest = max(one.seconds for one in answers)
        return (passed(subject, expected, f"all answered, the slowest after {_ms(slowest)}"),)
    first = bad[0]
    why = describe_status(first) if isinstance(first, Exchange) else first.sentence
    came = f"{len(bad)} of {count} failed; the first: {why}"
    return (failed("burst", subject, expected, came),)


def ask_rate_limit(check: RateLimitCheck, asker: Asker) -> tuple[Finding, ...]:
    """Requests one after the other until one is refused."""
    subject = f"{check.requests} requests to {check.path}"
    expected = "status 429 before the last" + (", with Retry-After" if check.retry_after else "")
    client, url, last = asker.client(), asker.url(check.path), 0
    for number in range(1, check.requests + 1):
        answer = client.send("GET", url)
        if not isinstance(answer, Exchange):
            return (answer.finding(subject, expected),)
        if answer.status == 429:
            after = answer.header("retry-after")
            if check.retry_after and after is None:
                return (failed("no-retry-after", subject, expected, f"429 at request {number} without Retry-After"),)
            wait = f", Retry-After {after}" if after else ""
            return (passed(subject, expected, f"429 at request {number}{wait}"),)
        # Who is refused may be limited too, and what does not exist is nobody's limit.
        if answer.status >= 500 or answer.status in (404, 405):
            return (failed(status_code(answer.status), subject, expected, describe_status(answer)),)
        last = answer.status
    return (failed("no-limit", subject, expected, f"{check.requests} answers, the last with {last}"),)
