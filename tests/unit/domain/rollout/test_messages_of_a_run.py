import pytest

from fairway.domain.rollout.events import (
    Advanced,
    Approved,
    AttentionNeeded,
    Held,
    Paused,
    RollbackStarted,
    RunEnded,
    RunStarted,
    StepFinished,
    StepStarted,
)
from fairway.domain.rollout.messages import message_for
from fairway.domain.rollout.run import evolve
from fairway.domain.rollout.steps import Announce, AwaitApprovals, Promote
from fairway.domain.rollout.strategy import Canary
from rollout_samples import BEGIN, NEW, begun, deployment, done, place, returning

PLAN = deployment(Canary(), approvals=2)


def told(event, plan=PLAN, *before):
    run = begun(plan, *before)
    message = message_for(run if isinstance(event, RunStarted) else evolve(run, event), event)
    return None if message is None else (message["event"], message["severity"], message["text"])


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (RunStarted(BEGIN, "ann", "new prices", PLAN), ("started", "info", "deploy started by ann: new prices")),
        (StepStarted(BEGIN, "forward", place(PLAN, Promote)), ("promoted", "info", "promoted")),
        (
            StepStarted(BEGIN, "forward", place(PLAN, AwaitApprovals)),
            ("waiting-approval", "warning", "waits for 2 approvals: fairway approve run-1"),
        ),
        (Paused(BEGIN, "fairway", "no requests"), ("inconclusive", "warning", "no requests")),
        (Held(BEGIN, "budget", "half is spent"), ("frozen", "warning", "half is spent")),
        (
            RollbackStarted(BEGIN, "failed", "hard-lane", "7 of 9 failed"),
            ("rolling-back", "critical", "rolling back: 7 of 9 failed"),
        ),
        (AttentionNeeded(BEGIN, "nobody answers"), ("attention-needed", "critical", "nobody answers")),
        (RunEnded(BEGIN, "completed", "1.1.0 is live"), ("completed", "info", "completed: 1.1.0 is live")),
        (RunEnded(BEGIN, "rolled-back", "7 of 9"), ("rolled-back", "critical", "rolled-back: 7 of 9")),
    ],
)
def test_people_are_told_what_matters(event, expected):
    name, severity, text = expected
    assert told(event) == (name, severity, f"shop 1.1.0 in production: {text}")


@pytest.mark.parametrize(
    "event",
    [
        StepStarted(BEGIN, "forward", 0),
        StepStarted(BEGIN, "rollback", 0),
        StepFinished(BEGIN, "forward", 0),
        Paused(BEGIN, "bob", "lunch"),
        Approved(BEGIN, "bob"),
        Advanced(BEGIN, "bob", 0),
        Held(BEGIN, "metrics-outage", "no counters"),
    ],
)
def test_people_are_not_told_the_rest(event):
    assert told(event) is None


def test_the_end_of_a_rollback_by_hand_is_announced_by_its_own_step():
    plan = returning()
    announce = place(plan, Announce)
    name, severity, text = told(StepStarted(BEGIN, "forward", announce), plan, *done(plan, announce))
    assert (name, severity) == ("rollback-verified", "critical")
    assert text == "shop 1.1.0 in production: back on this release, verified: new prices"


def test_a_message_says_which_run_it_is_about():
    message = message_for(begun(PLAN), RunStarted(BEGIN, "ann", "", PLAN))
    assert (message["run"], message["environment"], message["release"]) == ("run-1", "production", "1.1.0")
    assert (message["digest"], message["actor"], message["at"]) == (NEW.artifact.digest, "ann", BEGIN)
