"""Scans of a release with a real scanner: passed, findings, or could not be run."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from test_workshop import Place

from fairway.domain.errors import PermanentError
from fairway.domain.pipeline.actions import RunSteps
from fairway.domain.pipeline.events import ReleaseStarted
from fairway.domain.pipeline.findings import ScanPolicy, Waiver
from fairway.domain.pipeline.plan import ReleasePlan, Task
from fairway.domain.pipeline.release import start
from fairway.engine.pipeline import Done, Refused, TaskPerformance

RUFF = str(Path(sys.executable).with_name("ruff"))
SCAN = f"{RUFF} check --isolated --no-cache --select S --output-format sarif --output-file report.sarif ."
BAD = "import subprocess\nassert True\nsubprocess.run('ls', shell=True)\n"
DAY = 1_800_000_000.0  # 2027-01-15


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def scan(place, *steps, waivers=(), block="warning", at=DAY):
    action = RunSteps(steps, scan=ScanPolicy("report.sarif", block, tuple(waivers)))
    task = Task("code", "security", action)
    turn = Task("turn", "queue", action)
    plan = ReleasePlan("shop", "1.0.0", "v1.0.0", place.job("x").commit.id, "", (turn, task))
    release = start("rel-1", ReleaseStarted(0.0, "ann", plan))
    bench = SimpleNamespace(workshop=place.workshop, log=lambda task, line: place.lines.append(line))
    return TaskPerformance(release, bench, lambda: at).perform(task)


def test_a_scan_that_finds_nothing_has_passed_and_keeps_its_report(place):
    outcome = scan(place, SCAN)
    assert isinstance(outcome, Done)
    assert outcome.detail == "no findings"
    assert [one.path for one in outcome.products] == ["report.sarif"]
    assert scan(place, SCAN) == outcome


def test_findings_are_told_with_rule_and_place(place):
    place.commit({"src/app.py": BAD})
    outcome = scan(place, SCAN)
    assert isinstance(outcome, Refused)
    assert outcome.rule == "findings"
    assert outcome.reason.startswith("3 findings\n  S101 src/app.py:2: Use of `assert` detected\n")
    assert any("S602" in line for line in place.lines)


def test_a_waiver_lets_its_finding_pass_until_its_day_is_over(place):
    place.commit({"src/app.py": "assert True\n"})
    waiver = Waiver("S101", "2027-01-15", "an example", "src/**")
    outcome = scan(place, SCAN, waivers=[waiver])
    assert isinstance(outcome, Done)
    assert outcome.data["waived"][0]["reason"] == "an example"
    late = scan(place, SCAN, waivers=[waiver], at=DAY + 86400)
    assert isinstance(late, Refused)
    assert "the waiver of S101 ended on 2027-01-15" in late.reason


@pytest.mark.parametrize(
    "step",
    [
        f"{RUFF} check --isolated --select NOPE --output-format sarif --output-file report.sarif .",
        "no-such-scanner --sarif report.sarif",
        "true",
        "sh -c 'echo {} > report.sarif'",
        """sh -c 'echo "{\\"version\\": \\"2.1.0\\", \\"runs\\": [{\\"tool\\": {\\"driver\\": {}}, """
        """\\"results\\": []}]}" > report.sarif; exit 1'""",
    ],
    ids=["wrong rule", "no scanner", "no report", "no sarif", "failed with an empty report"],
)
def test_a_scan_that_could_not_be_run_never_counts_as_passed(place, step):
    with pytest.raises(PermanentError, match="the scan code could not be run") as error:
        scan(place, step)
    assert error.value.code == "scan-not-run"
