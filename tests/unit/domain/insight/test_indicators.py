"""The table of indicators."""

import math

import pytest

from fairway.domain.insight.indicators import DEFAULTS, Reading, fill, overall


def status_of(name: str, value: float | None) -> str:
    (row,) = [row for row in fill(DEFAULTS, {name: Reading(value, "test")}) if row.indicator.name == name]
    return row.status


@pytest.mark.parametrize(
    ("name", "good", "warning", "critical"),
    [
        ("p50", 99.9, 100.0, 200.0),
        ("p95", 499.9, 500.0, 1000.0),
        ("p99", 999.9, 1000.0, 2000.0),
        ("errors", 0.0009, 0.001, 0.01),
        ("availability", 0.9991, 0.999, 0.99),
        ("cpu", 0.69, 0.7, 0.9),
        ("memory", 0.79, 0.8, 0.95),
        ("connections", 0.79, 0.8, 0.95),
    ],
)
def test_each_row_turns_at_its_target_and_at_its_critical_threshold(name, good, warning, critical):
    assert [status_of(name, value) for value in (good, warning, critical)] == ["good", "warning", "critical"]


@pytest.mark.parametrize("value", [None, math.nan])
def test_a_row_without_a_number_is_unknown(value):
    assert status_of("p50", value) == "unknown"


def test_a_row_that_nothing_measures_says_so():
    (row, *_) = fill(DEFAULTS)
    assert (row.status, row.value, row.source) == ("unknown", None, "nothing measures it")


def test_the_first_source_with_a_figure_gives_it():
    rows = fill(
        DEFAULTS, {"p50": Reading(None, "silent")}, {"p50": Reading(5.0, "second")}, {"p50": Reading(9.0, "third")}
    )
    assert (rows[0].value, rows[0].source) == (5.0, "second")


def test_without_any_figure_all_reasons_are_told_once():
    rows = fill(
        DEFAULTS, {"p50": Reading(None, "down")}, {"p50": Reading(None, "down")}, {"p50": Reading(None, "empty")}
    )
    assert rows[0].source == "down; empty"


def test_the_table_is_as_good_as_its_worst_row_and_unknown_without_any():
    assert overall(fill(DEFAULTS)) == "unknown"
    assert overall(fill(DEFAULTS, {"p50": Reading(1.0, "")})) == "good"
    assert overall(fill(DEFAULTS, {"p50": Reading(150.0, ""), "p99": Reading(1.0, "")})) == "warning"
    assert overall(fill(DEFAULTS, {"p50": Reading(150.0, ""), "memory": Reading(0.99, "")})) == "critical"
