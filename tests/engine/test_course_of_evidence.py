"""The course of a run's evidence as the engine writes it down: complete, bounded, through every death."""

import json
from itertools import pairwise

import pytest
from boundaries import Crash
from engine_world import Controller, drive_until, facts, live_through
from matrix import Matrix
from rich.console import Console
from scripts import DEAD, named

from fairway.cli.plot.scene import explanation
from fairway.cli.plot.terminal import draw_text
from fairway.domain.rollout.events import RollbackStarted, StepFailed
from fairway.domain.rollout.strategy import Canary
from fairway.engine.judge import SAVE_EVERY
from fairway.usecases.course import tell_course
from fairway.usecases.report import describe_run
from rollout_samples import deployment


def test_each_second_of_a_rollout_is_kept_with_its_verdict_at_the_end(make):
    street = make(failing=DEAD)
    live_through(street)
    course = tell_course(street.store, street.id)
    times = [point.at for point in course.points]
    assert times == sorted(times)
    assert max(b - a for a, b in pairwise(times)) <= 2.0 * SAVE_EVERY
    assert (course.points[-1].decision, course.points[-1].weight) == ("roll-back", 10.0)
    assert course.points[-1].e_value >= course.threshold
    assert [mark.kind for mark in course.marks] == ["roll-back", "end"]
    assert course.marks[0].reason == street.run().failure.reason
    assert [weight for _, weight in course.weights] == [0.0, 10.0, 0.0]


def test_every_step_of_a_promotion_is_marked_and_has_its_own_stretch_of_evidence(make):
    street = make()
    live_through(street)
    course = tell_course(street.store, street.id)
    assert [mark.label for mark in course.marks] == [
        "bake at 10 % passed",
        "promoted",
        "observe at 100 % passed",
        "completed",
    ]
    assert {point.weight for point in course.points} >= {10.0, 100.0}
    assert len({point.since for point in course.points}) >= 2


def test_the_next_controller_goes_on_with_the_history(make):
    street = make(deployment(Canary(steps=(10.0, 100.0), bake=20.0)))
    first = Controller(street, "first")
    drive_until(first, lambda: street.share() == 10.0)
    begun = street.clock()
    drive_until(first, lambda: street.clock() >= begun + 5.0)
    before = tell_course(street.store, street.id).points
    street.pass_time(9.0)
    second = Controller(street, "second")
    drive_until(second, lambda: street.clock() >= begun + 18.0)
    after = tell_course(street.store, street.id).points
    assert after[: len(before) - 1] == before[:-1]
    assert len(after) > len(before) + 2
    assert len({point.at for point in after}) == len(after)


def test_after_a_death_at_any_save_the_last_point_is_the_moment_of_the_evidence(sqlite, clock):
    (script,) = named("canary, one in twenty")
    matrix = Matrix(script, sqlite, clock)

    def die(street):
        raise Crash

    saves = [n for n, name in enumerate(matrix.names) if name.endswith("store.save_evidence")]
    assert len(saves) >= 4
    for number in saves:
        street = matrix.play({number: die}, down=0.0)
        points = tell_course(sqlite, street.id).points
        times = [point.at for point in points]
        assert times[-1] == pytest.approx(sqlite.load_evidence(street.id)["at"], abs=0.002)
        assert times == sorted(set(times))
        assert points[-1].decision == "roll-back"


def test_what_is_written_each_second_is_small(make):
    street = make(failing=DEAD)
    live_through(street)
    points = tell_course(street.store, street.id).points
    assert max(len(json.dumps(point.to_json())) for point in points) < 800


def test_a_run_that_was_never_judged_has_an_empty_course(make, sqlite, clock):
    street = make(deployment(Canary(steps=(10.0, 100.0), bake=1.0), first=True))
    course = tell_course(street.store, street.id)
    assert (course.points, course.margin) == ((), None)
    live_through(street)
    assert "first deployment" in tell_course(street.store, street.id).silence


def test_journal_state_evidence_and_picture_say_the_same_sentence(make):
    street = make(failing=DEAD)
    run = live_through(street)
    course = tell_course(street.store, street.id)
    (failed,) = facts(street, StepFailed)
    (taken_back,) = facts(street, RollbackStarted)
    saved = street.store.load_evidence(street.id)
    told = describe_run(run, saved)
    sentences = {failed.reason, taken_back.reason, failed.evidence["sentence"], told["reason"], course.marks[0].reason}
    sentences |= {told["evidence"]["sentence"], saved["assessment"]["sentence"], explanation(course)}
    assert len(sentences) == 1
    (sentence,) = sentences
    assert sentence.startswith("Roll back after")
    console = Console(width=80, color_system=None)
    with console.capture() as drawn:
        console.print(draw_text(course))
    assert sentence in " ".join(drawn.get().split())
