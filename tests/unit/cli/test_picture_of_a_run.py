"""What the terminal shows of a candidate that has to be shown to be good, and of a budget."""

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from fairway.cli.picture import draw
from fairway.domain.analysis.budget import Budget
from fairway.domain.analysis.evidence import Assessment, Counts, Evidence, Promotion, Spending
from fairway.domain.codec import to_json
from fairway.domain.rollout.events import StepStarted
from fairway.domain.rollout.steps import Watch
from fairway.domain.rollout.strategy import Canary
from fairway.usecases.report import describe_run
from rollout_samples import BEGIN, begun, deployment, done, place

TESTS = (
    Promotion("errors", 31.0, 20.0, 0, "at most twice stable's"),
    Promotion("latency", 4.2, 20.0, 1250, "at most 20 % slower"),
)


def picture(strategy, *, spending=None):
    plan = deployment(strategy, budget=Budget(50) if spending else None)
    watch = place(plan, Watch)
    run = begun(plan, *done(plan, watch), StepStarted(BEGIN, "forward", watch))
    known = Evidence(0.4, 100.0, BEGIN, 10.0, Counts(31, 0), Counts(280, 0), (), TESTS, spending)
    assessment = Assessment("continue", True, "watching", "No sign of harm.", 12.0, BEGIN, known)
    console = Console(width=160, record=True, file=StringIO())
    console.print(draw(run, {"assessment": to_json(assessment), "traffic": {}}, BEGIN))
    return console.export_text()


def test_what_has_to_be_shown_is_told_with_what_is_missing():
    text = picture(Canary(bake=60.0, min_bake=10.0))
    assert "good enough in errors" in text
    assert "e 31 of 20" in text
    latency = next(line for line in text.splitlines() if "good enough in latency" in line)
    assert "about 1,250 missing" in latency
    assert "e 4.2 of 20" in latency


@pytest.mark.parametrize(("spending", "shown"), [(Spending(12, 50), "12 of 50"), (None, None)])
def test_a_budget_is_told_where_there_is_one(spending, shown):
    text = picture(Canary(), spending=spending)
    assert ("budget of failed requests" in text) == (shown is not None)
    assert shown is None or shown in text
    assert "good enough" not in text


def test_when_the_evidence_is_expected_is_said_in_one_sentence_in_the_picture_and_in_the_report():
    plan = deployment(Canary(bake=60.0, min_bake=10.0))
    watch = place(plan, Watch)
    run = begun(plan, *done(plan, watch), StepStarted(BEGIN, "forward", watch))
    known = Evidence(0.4, 100.0, BEGIN, 10.0, Counts(310, 0), Counts(2800, 0), (), TESTS)
    assessment = Assessment("continue", True, "watching", "No sign of harm.", 12.0, BEGIN + 12.0, known)
    saved = {"assessment": to_json(assessment), "traffic": {}}
    said = "Enough evidence to go on takes about 1,200 more requests of the candidate"
    assert describe_run(run, saved)["reason"].startswith(f"bake at 10 % until it is shown to be good. {said}")
    console = Console(width=300, record=True, file=StringIO())
    console.print(draw(run, saved, BEGIN))
    assert f"No sign of harm. {said}" in console.export_text()
    before = {"assessment": to_json(replace(assessment, at=BEGIN - 1.0)), "traffic": {}}
    assert describe_run(run, before)["reason"] == "bake at 10 % until it is shown to be good", "of the step before"
