"""Assertions on answers: every operator, both ways, and what is said when one does not hold."""

import pytest

from fairway.domain.validation.assertions import holds, judge_answer
from fairway.domain.validation.exchange import Exchange
from fairway.domain.validation.expectation import Assertion, Expectation


@pytest.mark.parametrize(
    ("operator", "wanted", "true_of", "false_of"),
    [
        ("equals", 1, [1, 1.0], [True, "1", None, 2]),
        ("equals", True, [True], [1, "true"]),
        ("equals", None, [None], [0, ""]),
        ("equals", {"a": [1]}, [{"a": [1]}], [{"a": [1], "b": 2}]),
        ("not", None, [0, "", False], [None]),
        ("matches", "^v[0-9]+", ["v12"], ["12", 12, None]),
        ("contains", "ea", ["tea", ["ea"], {"ea": 1}], ["coffee", [], {}, None]),
        ("at_least", 3, [3, 4.5], [2, "3", True]),
        ("at_most", 3, [3, -1], [4, None]),
        ("length", 2, ["ab", [1, 2], {"a": 1, "b": 2}], ["a", 2, None]),
        ("type", "integer", [1], [1.5, True, "1"]),
        ("type", "number", [1, 1.5], [True, "1"]),
        ("type", "boolean", [False], [0]),
        ("type", "null", [None], [0]),
    ],
)
def test_an_operator_is_true_of_some_values_and_not_of_others(operator, wanted, true_of, false_of):
    assertion = Assertion("$.x", operator, wanted)
    assert [value for value in true_of if not holds(assertion, [value])] == []
    assert [value for value in false_of if holds(assertion, [value])] == []


def test_nothing_there_satisfies_only_that_nothing_be_there():
    for operator in ("equals", "not", "matches", "contains", "at_least", "length", "type"):
        assert not holds(Assertion("$.x", operator, "x"), [])
    assert holds(Assertion("$.x", "exists", False), [])
    assert not holds(Assertion("$.x", "exists", True), [])


def test_of_several_values_each_must_satisfy_it():
    assert holds(Assertion("$[*]", "at_least", 1), [1, 2])
    assert not holds(Assertion("$[*]", "at_least", 2), [1, 2])
    assert not holds(Assertion("$[*]", "not", 2), [1, 2])


def test_the_first_thing_that_is_wrong_is_told_the_status_before_all():
    exchange = Exchange("GET", "/", 500, (("content-type", "text/html"),), b"<h1>boom</h1>", seconds=2.0)
    wanted = Expectation(seconds=1.0, contains=("fine",), headers=(Assertion("Content-Type", "equals", "x"),))
    late = (Expectation(status, **_rest(wanted)) for status in ((), (500,)))
    codes = [judge_answer(exchange, "GET /", expectation, _find).code for expectation in late]
    fast = Exchange("GET", "/", 200, exchange.headers, exchange.body, seconds=0.1)
    codes.append(judge_answer(fast, "GET /", wanted, _find).code)
    codes.append(judge_answer(fast, "GET /", Expectation(contains=("fine",)), _find).code)
    codes.append(judge_answer(fast, "GET /", Expectation(body=(Assertion("$.a", "equals", 1),)), _find).code)
    assert codes == ["status-5xx", "slow", "header", "body", "body-not-json"]


def _rest(wanted):
    return {"seconds": wanted.seconds, "contains": wanted.contains, "headers": wanted.headers}


def _find(path, value):
    return [value[path.removeprefix("$.")]]
