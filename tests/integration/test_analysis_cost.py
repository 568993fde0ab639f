"""The benchmark of the analysis works; what it measures is nobody's business here."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import pytest
from benchmarks import analysis_cost, analysis_cost_delay


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(analysis_cost, "SECONDS", 30)
    monkeypatch.setattr(analysis_cost, "REPEATS", 1)
    monkeypatch.setattr(analysis_cost, "ROLLOUTS", 20)
    monkeypatch.setattr(analysis_cost_delay, "PHASES", 4)


def test_it_prints_what_it_measured_and_says_whether_the_limits_are_kept(capsys):
    status = analysis_cost.main()
    said = capsys.readouterr().out
    assert len(re.findall(r"one block of every lane +[0-9.]+ µs", said)) == 2
    assert len(re.findall(r"lanes of 20 rollouts at once +[0-9.]+% of a core", said)) == 2
    assert len(re.findall(r"their whole analysis +[0-9.]+% of a core", said)) == 2
    assert len(re.findall(r"one of +[0-9]+ rollouts: noticed after [0-9.]+ s", said)) == 2
    assert ("\nwithin the limits" in said) == (status == 0)


def test_a_limit_that_is_missed_ends_with_one(monkeypatch, capsys):
    monkeypatch.setattr(analysis_cost, "BLOCK_LIMIT", 0.001)
    assert analysis_cost.main() == 1
    assert "NOT within the limits" in capsys.readouterr().out


def test_one_of_a_thousand_that_dies_is_noticed_within_a_second_and_taken_back_less_than_a_second_later():
    few, many = analysis_cost_delay.delay(1), analysis_cost_delay.delay(1000)
    assert max(few.noticed) <= 0.25
    assert 0.25 < max(many.noticed) <= 1.0
    assert max(many.decided) < max(few.decided) + 1.0
