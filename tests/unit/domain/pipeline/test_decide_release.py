import pytest

from fairway.domain.pipeline.compile import Subject, compile_release
from fairway.domain.pipeline.decide import Record, Rest, Work, decide
from fairway.domain.pipeline.events import (
    ReleaseEnded,
    ReleaseHalted,
    ReleaseResumed,
    ReleaseStarted,
    TaskFailed,
    TaskFinished,
    TaskStarted,
)
from fairway.domain.pipeline.release import fold
from fairway.domain.pipeline.spec import PipelineSpec, TaskSpec

PLAN = compile_release(
    Subject("shop", "1.0.0", "c" * 40),
    PipelineSpec((TaskSpec("a", "build", ("a",)), TaskSpec("b", "build", ("b",)), TaskSpec("unit", "test", ("t",)))),
)
BEGUN = (ReleaseStarted(0.0, "ann", PLAN), TaskStarted(1.0, "turn"), TaskFinished(2.0, "turn"))


def decided(*events):
    decision = decide(fold("rel-1", (*BEGUN, *events)), 9.0)
    return [task.id for task in decision.tasks] if isinstance(decision, Work) else decision


def test_what_may_begin_is_under_way_and_what_is_under_way_comes_first():
    assert decided() == ["a", "b"]
    assert decided(TaskStarted(3.0, "b")) == ["b", "a"]


def test_after_a_failure_nothing_begins_and_what_is_under_way_may_end():
    failed = TaskFailed(4.0, "a", "failed", "steps", "no")
    assert decided(TaskStarted(3.0, "a"), TaskStarted(3.0, "b"), failed) == ["b"]
    halted = decided(TaskStarted(3.0, "a"), TaskStarted(3.0, "b"), failed, TaskFinished(5.0, "b"))
    assert halted == Record(ReleaseHalted(9.0, "a", "failed", "build a: no"))


@pytest.mark.parametrize(
    "end", [ReleaseHalted(5.0, "a", "failed", "no"), ReleaseEnded(5.0, "abandoned", "enough")], ids=["halted", "over"]
)
def test_a_release_that_stands_still_begins_nothing(end):
    assert isinstance(decided(end), Rest)


def test_what_is_resumed_waits_for_its_turn_and_keeps_what_is_done():
    failed = (
        TaskStarted(3.0, "a"),
        TaskFinished(4.0, "a"),
        TaskStarted(4.0, "b"),
        TaskFailed(5.0, "b", "errored", "x", "no"),
    )
    events = (*failed, ReleaseHalted(6.0, "b", "errored", "no"), ReleaseResumed(7.0, "ann"))
    assert decided(*events) == ["turn"]
    release = fold("rel-1", (*BEGUN, *events))
    assert (release.phase, release.verdict, release.tasks["a"].phase, release.tasks["b"].phase) == (
        "queued",
        None,
        "done",
        "waiting",
    )


def test_a_release_is_over_when_everything_is_done():
    events = [TaskFinished(3.0, task) for task in ("a", "b", "unit", "tag")]
    assert decided(*events) == Record(ReleaseEnded(9.0, "completed", "shop 1.0.0 is released"))
