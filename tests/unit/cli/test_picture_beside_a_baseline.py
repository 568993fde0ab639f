"""What the terminal, the report and the plan show of a baseline."""

from io import StringIO

from rich.console import Console

from fairway.cli.deploy import _plan_object, _plan_text
from fairway.cli.picture import draw
from fairway.domain.analysis.evidence import Assessment, Counts, Evidence
from fairway.domain.codec import to_json
from fairway.domain.rollout.events import RollbackStarted, StepStarted
from fairway.domain.rollout.steps import Watch
from fairway.domain.rollout.strategy import Canary
from fairway.usecases.report import describe_run
from rollout_samples import BEGIN, NEW, OLD, begun, deployment, done, place

PLAN = deployment(Canary(steps=(10.0, 75.0, 100.0), baseline=True))
BASELINE = PLAN.baseline.id


def run_at(number):
    watch = place(PLAN, Watch, number)
    return begun(PLAN, *done(PLAN, watch), StepStarted(BEGIN, "forward", watch))


def picture(run):
    known = Evidence(0.4, 100.0, BEGIN, 10.0, Counts(31, 0), Counts(30, 0), (), reference="baseline")
    assessment = to_json(Assessment("continue", True, "watching", "No sign of harm.", 12.0, BEGIN, known))
    seen = {"finished": 7, "failed": 0, "p50": 1.0, "p99": 2.0}
    evidence = {"assessment": assessment, "traffic": {NEW.id: seen, BASELINE: seen, OLD.id: seen}}
    console = Console(width=160, record=True, file=StringIO())
    console.print(draw(run, evidence, BEGIN))
    return console.export_text()


def test_the_picture_shows_the_share_and_the_requests_of_the_baseline():
    text = picture(run_at(0))
    assert "weight 10 %, baseline 10 %" in text
    rows = [line.split()[0] for line in text.splitlines() if " 1.0.0 " in line or " 1.1.0 " in line]
    assert rows[-3:] == ["candidate", "baseline", "stable"]
    assert "weight 75 %, baseline 25 %" in picture(run_at(1))


def test_the_report_holds_what_the_baseline_gets_and_nothing_on_the_way_back():
    run = run_at(1)
    assert describe_run(run, None)["baseline"] == {"revision": BASELINE, "weight": 25.0}
    back = begun(PLAN, *done(PLAN, 3), RollbackStarted(BEGIN, "aborted", "abort", "wrong day"))
    assert describe_run(back, None)["baseline"]["weight"] == 0.0
    assert describe_run(begun(deployment(Canary())), None)["baseline"] is None


def test_the_plan_names_it():
    assert _plan_object(PLAN)["baseline"] == BASELINE
    text = _plan_text(PLAN)
    assert "beside a baseline of the same age" in text
    assert "2 instances of the baseline" in text
    assert text.count("retire the baseline") == 2
