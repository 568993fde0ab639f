"""Conditions in CEL: what they answer, and what is refused."""

import sys

import pytest

from fairway.adapters.metrics.conditions import CelConditions
from fairway.domain.analysis.metrics.names import longest_range, metrics_in, unknown_placeholders
from fairway.domain.errors import UserError

VALUES = {
    "candidate": {"error_ratio": 0.03, "p99": 1500.0},
    "stable": {"error_ratio": 0.01, "p99": 1000.0},
    "connections": 5.0,
}


def _ask(condition, values=VALUES):
    return CelConditions().compile(condition).ask(values)


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        ("candidate.error_ratio > 0.01", "true"),
        ("candidate.p99 > 2000", "false"),
        ("candidate.error_ratio > stable.error_ratio * 2", "true"),
        ("candidate.p99 > stable.p99 * 2 || connections < 3", "false"),
        ("candidate.p99 / 1000 > 1 && !(connections > 10)", "true"),
        ("candidate.p99 > 2e3 ? true : connections == 5", "true"),
    ],
)
def test_a_condition_is_true_or_false(condition, answer):
    assert _ask(condition) == (answer, "")


@pytest.mark.parametrize("condition", ["candidate.queue > 1", "candidate.queue < 1", "!(queue > 1)", "queue == 0"])
def test_a_missing_number_is_no_data_and_never_zero(condition):
    answer, why = _ask(condition)
    assert answer == "no-data"
    assert "queue" in why


def test_where_the_others_decide_alone_a_missing_number_does_not_matter():
    assert _ask("candidate.queue > 1 || candidate.p99 > 1000")[0] == "true"
    assert _ask("candidate.queue > 1 && candidate.p99 > 2000")[0] == "false"
    assert _ask("candidate.queue > 1 || candidate.p99 > 2000")[0] == "no-data"


def test_without_any_number_there_is_no_data():
    assert _ask("candidate.p99 > 1", {})[0] == "no-data"


@pytest.mark.parametrize("condition", ["candidate.p99 > 'much'", "candidate.p99 + 1", "speed(candidate.p99) > 1"])
def test_a_condition_that_is_neither_is_an_error_and_no_answer(condition):
    answer, why = _ask(condition)
    assert answer == "error"
    assert why


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("candidate.p99 >", "is not a condition"),
        ("candidate.error_ratio > 1%", "percent sign"),
        ("has(candidate.p99)", "an answer out of missing data"),
        ("candidate.p99 / stable.p99 > 1.2", "has no answer where it is 0"),
        ("candidate.p99 / 0 > 1", "has no answer where it is 0"),
        ("connections > " + "1" * 2000, "too long"),
    ],
)
def test_what_could_never_be_answered_is_refused(condition, said):
    with pytest.raises(UserError) as refused:
        CelConditions().compile(condition)
    assert said in refused.value.message
    assert refused.value.hint


def test_the_names_in_a_condition_are_found():
    found = metrics_in("candidate . p99 > stable.p99 * 2.5e3 && connections < 3 && min(x, 'candidate.text') in [true]")
    assert found == ("candidate.p99", "connections", "stable.p99", "x")


def test_ranges_and_placeholders_in_a_query_are_found():
    assert longest_range("rate(x[5m]) / rate(y[1h30m:10s])") == 5400.0
    assert longest_range("sum(x)") == 0.0
    assert unknown_placeholders('x{a="{{revision}}", b="{{revison}}"}') == ("{{revison}}",)


def test_the_library_is_loaded_without_its_command_line():
    _ask("connections > 1")
    assert "typer" not in sys.modules
    assert "cel.cli" not in sys.modules
