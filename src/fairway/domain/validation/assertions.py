"""Judging an answer by what was expected of it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from fairway.domain.validation.exchange import Exchange
from fairway.domain.validation.expectation import Assertion, Expectation
from fairway.domain.validation.findings import Finding, failed, passed, quoted
from fairway.domain.validation.status import judge_status

#: Finds the values that a JSON path names.
Find = Callable[[str, Any], list[Any]]

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def judge_answer(exchange: Exchange, subject: str, expectation: Expectation, find: Find) -> Finding:
    """The first thing that is not as expected, or that all of it is."""
    return replace(_judge(exchange, subject, expectation, find), seconds=exchange.seconds)


def _judge(exchange: Exchange, subject: str, expectation: Expectation, find: Find) -> Finding:
    status = _status(exchange, subject, expectation.status)
    if status.outcome == "failed":
        return status
    wrong = next(_wrong(exchange, subject, expectation, find), None)
    if wrong is not None:
        return wrong
    expected = [status.expected, *(f"text {text!r}" for text in expectation.contains)]
    expected += [one.describe() for one in (*expectation.headers, *expectation.body)]
    return passed(subject, ", ".join(expected), status.came)


def _status(exchange: Exchange, subject: str, wanted: tuple[int, ...]) -> Finding:
    if wanted:
        return judge_status(exchange, subject, wanted)
    if 200 <= exchange.status < 300:
        return passed(subject, "status 2xx", f"status {exchange.status}")
    found = judge_status(exchange, subject, (200,))
    return failed(found.code, subject, "status 2xx", found.came)


def _wrong(exchange: Exchange, subject: str, wanted: Expectation, find: Find) -> Iterator[Finding]:
    if wanted.seconds is not None and exchange.seconds > wanted.seconds:
        expected = f"within {wanted.seconds * 1000:.0f} ms"
        yield failed("slow", subject, expected, f"answered after {exchange.seconds * 1000:.0f} ms")
    for header in wanted.headers:
        value = exchange.header(header.path)
        if not holds(header, [] if value is None else [value]):
            came = f"{header.path}: {value}" if value is not None else f"no header {header.path}"
            yield failed("header", subject, f"header {header.describe()}", came)
    for text in wanted.contains:
        if text not in exchange.text:
            yield failed("body", subject, f"text {text!r}", quoted(exchange.text))
    if wanted.body:
        yield from _wrong_body(exchange, subject, wanted.body, find)


def _wrong_body(exchange: Exchange, subject: str, wanted: tuple[Assertion, ...], find: Find) -> Iterator[Finding]:
    try:
        value = exchange.json()
    except ValueError:
        kind = exchange.header("content-type") or "no Content-Type"
        yield failed("body-not-json", subject, "a JSON body", f"{kind}: {quoted(exchange.text)}")
        return
    for assertion in wanted:
        found = find(assertion.path, value)
        if not holds(assertion, found):
            came = ", ".join(quoted(repr(one)) for one in found[:3]) if found else f"nothing at {assertion.path}"
            yield failed("body", subject, assertion.describe(), f"{came} in {quoted(exchange.text)}")


def holds(assertion: Assertion, values: list[Any]) -> bool:
    """Whether the assertion is true of the values found; of several, each must satisfy it."""
    if assertion.operator == "exists":
        return bool(values) == bool(assertion.value)
    if assertion.operator == "not":
        # Nothing there is not something else.
        return bool(values) and all(not _same(value, assertion.value) for value in values)
    return bool(values) and all(_compare(assertion.operator, value, assertion.value) for value in values)


def _compare(operator: str, value: Any, wanted: Any) -> bool:  # noqa: PLR0911 -- one return an operator
    match operator:
        case "matches":
            return isinstance(value, str) and re.search(str(wanted), value) is not None
        case "contains":
            return wanted in value if isinstance(value, (str, list, dict)) and _fits(wanted, value) else False
        case "at_least":
            return _is_number(value) and value >= wanted
        case "at_most":
            return _is_number(value) and value <= wanted
        case "length":
            return isinstance(value, (str, list, dict)) and len(value) == wanted
        case "type":
            kinds = _TYPES.get(str(wanted), ())
            return isinstance(value, kinds) and (not isinstance(value, bool) or wanted == "boolean")
    return _same(value, wanted)


def _fits(wanted: Any, value: Any) -> bool:
    return isinstance(value, list) or isinstance(wanted, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _same(value: Any, wanted: Any) -> bool:
    """Equal, and true is not 1."""
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    return bool(value == wanted)
