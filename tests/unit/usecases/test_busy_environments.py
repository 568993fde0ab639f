"""What is advised where a run is under way already: only what that run would accept."""

from collections.abc import Sequence

import pytest

from fairway.domain.rollout.events import AbortRequested, Event, Paused, RollbackStarted, RunEnded, StepStarted
from fairway.domain.rollout.steps import AwaitApprovals, Scale, Watch
from fairway.domain.rollout.strategy import Canary
from fairway.usecases.deploy import busy
from rollout_samples import BEGIN, begun, deployment, done, place

PLAN = deployment(Canary(), approvals=1)
ABORT = AbortRequested(BEGIN, "ann", "wrong day")
BACK = RollbackStarted(BEGIN, "aborted", "aborted", "wrong day")


def hint(step: type, *more: Event) -> str:
    index = place(PLAN, step)
    before: Sequence[Event] = (*done(PLAN, index), StepStarted(BEGIN, "forward", index), *more)
    answer = busy(begun(PLAN, *before))
    assert (answer.code, answer.sentence) == ("busy", "run run-1 is under way in production")
    return answer.hint


@pytest.mark.parametrize(
    ("step", "more", "ways"),
    [
        (Watch, (), ["watch", "promote", "abort"]),
        (Watch, (Paused(BEGIN, "ann", "lunch"),), ["watch", "resume", "abort"]),
        (AwaitApprovals, (), ["watch", "approve", "abort"]),
        (Scale, (), ["watch", "abort"]),
        (Watch, (ABORT,), ["watch"]),
        (Watch, (ABORT, BACK), ["watch"]),
        (Watch, (ABORT, BACK, RunEnded(BEGIN, "aborted", "wrong day")), ["watch"]),
    ],
)
def test_the_ways_to_end_a_run_are_those_that_are_open_where_it_stands(step, more, ways):
    said = hint(step, *more)
    assert [way for way in ("watch", "promote", "resume", "approve", "abort") if f"fairway {way} run-1" in said] == ways


def test_a_run_on_its_way_back_needs_nobody():
    assert hint(Watch, ABORT, BACK) == "fairway watch run-1, which is on its way back and needs nobody; then try again"
