"""What a command says line by line where nobody watches a terminal: each thing once."""

import pytest

from fairway.cli.follow import _lines
from fairway.domain.rollout.events import (
    Held,
    Paused,
    Released,
    RollbackStarted,
    RunEnded,
    StepFailed,
    StepFinished,
    StepStarted,
)
from fairway.domain.rollout.steps import Watch
from fairway.domain.rollout.strategy import Canary
from rollout_samples import BEGIN, begun, deployment, done, place

REASON = "Roll back after 12 s at 10 %: the candidate is worse than its margin allows."
PLAN = deployment(Canary())
WATCH = place(PLAN, Watch)


def told(capsys: pytest.CaptureFixture[str], *moments: tuple) -> list[str]:
    """The lines that a run makes which is looked at after each of these groups of events."""
    lines, events = _lines(), []
    next(lines)
    for moment in moments:
        events += moment
        lines.send((begun(PLAN, *events), None, BEGIN))
    return capsys.readouterr().err.splitlines()


def test_why_a_run_goes_back_is_said_once_before_its_result(capsys):
    before = (*done(PLAN, WATCH), StepStarted(BEGIN, "forward", WATCH))
    failed = StepFailed(BEGIN + 12.0, "forward", WATCH, "failed", "error-lane", REASON)
    back = RollbackStarted(BEGIN + 12.0, "failed", "error-lane", REASON)
    returned = [
        event
        for index in range(len(PLAN.rollback))
        for event in (StepStarted(BEGIN, "rollback", index), StepFinished(BEGIN, "rollback", index))
    ]
    lines = told(capsys, before, (failed,), (back,), returned, (RunEnded(BEGIN + 20.0, "rolled-back", REASON),))
    assert sum("worse than its margin" in line for line in lines) == 1
    assert [line for line in lines if line.endswith("rolling-back")] == ["run-1 rolling-back"]
    assert lines[-1] == "run-1 rolled-back"


def test_a_pause_for_another_reason_says_it(capsys):
    before = (*done(PLAN, WATCH), StepStarted(BEGIN, "forward", WATCH))
    held = Held(BEGIN, "metrics-outage", "the counters of the router could not be read")
    lines = told(capsys, before, (held,), (Released(BEGIN),), (Paused(BEGIN, "ann", "lunch"),))
    assert [line for line in lines if " held" in line] == [f"run-1 held: {begun(PLAN, *before, held).held_reason}"]
    assert lines[-1] == "run-1 paused: lunch"


def test_a_hold_for_another_reason_is_said_although_the_run_is_held_already(capsys):
    before = (*done(PLAN, WATCH), StepStarted(BEGIN, "forward", WATCH))
    outage, wrong = Held(BEGIN, "metrics-outage", "no counters"), Held(BEGIN, "traffic-share", "a wrong share")
    lines = told(capsys, before, (outage,), (wrong,))
    assert lines[-2:] == ["run-1 held: no counters", "run-1 held: a wrong share"]
