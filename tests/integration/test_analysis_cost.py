"""The benchmark of the analysis works; what it measures is nobody's business here."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks import analysis_cost


def test_it_prints_what_it_measured_and_says_whether_the_limits_are_kept(monkeypatch, capsys):
    monkeypatch.setattr(analysis_cost, "SECONDS", 30)
    monkeypatch.setattr(analysis_cost, "REPEATS", 1)
    monkeypatch.setattr(analysis_cost, "ROLLOUTS", 20)
    status = analysis_cost.main()
    said = capsys.readouterr().out
    assert len(re.findall(r"one block of every lane +[0-9.]+ µs", said)) == 2
    assert len(re.findall(r"lanes of 20 rollouts at once +[0-9.]+% of a core", said)) == 2
    assert len(re.findall(r"their whole analysis +[0-9.]+% of a core", said)) == 2
    assert ("\nwithin the limits" in said) == (status == 0)


def test_a_limit_that_is_missed_ends_with_one(monkeypatch, capsys):
    monkeypatch.setattr(analysis_cost, "SECONDS", 30)
    monkeypatch.setattr(analysis_cost, "REPEATS", 1)
    monkeypatch.setattr(analysis_cost, "ROLLOUTS", 20)
    monkeypatch.setattr(analysis_cost, "BLOCK_LIMIT", 0.001)
    assert analysis_cost.main() == 1
    assert "NOT within the limits" in capsys.readouterr().out
