"""A controller that was stopped in the middle of something wakes up after another one has taken over."""

from dataclasses import replace

import pytest
from engine_world import DOWN, Controller, approve, begin, drive_until
from matrix import Matrix
from scripts import named

SCRIPTS = named("canary, good", "canary, dead", "rolling, good", "rollback, good")


class Sleep:
    """One street on which the first controller falls asleep at a boundary."""

    def __init__(self, matrix, number, happen):
        self.street = matrix.street()
        begin(self.street)
        assert self.street.boundaries.names == matrix.names[: matrix.names.index("after store.start") + 1]
        self.first, self.second = Controller(self.street, "the sleeper"), Controller(self.street, "the next")
        self.street.boundaries.planned = {number: lambda: happen(self)}
        self.left = None


class GaveUpError(Exception):
    """The first controller has found out that it lost the run."""


def give_up():
    raise GaveUpError


def boundaries(matrix):
    """Those at which the first controller holds the run."""
    first = matrix.names.index("after store.claim")
    last = max(n for n in range(len(matrix.names)) if matrix.names[n] == "after store.append")
    return [n for n in matrix.reference.boundaries.for_deaths() if first <= n <= last]


@pytest.mark.parametrize("script", SCRIPTS, ids=str)
def test_a_worker_that_wakes_up_after_the_end_changes_nothing(script, sqlite, clock):
    matrix = Matrix(script, sqlite, clock)

    def another_ends_the_run(sleep):
        sleep.street.pass_time(DOWN)
        sleep.second.drive(approve)
        sleep.left = sleep.street.picture(), sleep.street.run()

    def sleep_at(number):
        sleep = Sleep(matrix, number, another_ends_the_run)
        sleep.first.drive(approve)
        problems = matrix.astray(sleep.street) + matrix.differences(sleep.street)
        if (sleep.street.picture(), sleep.street.run()) != sleep.left:
            problems.append("the sleeper changed something when it woke up")
        return problems

    matrix.check(boundaries(matrix), sleep_at)


@pytest.mark.parametrize("script", named("canary, good", "rolling, good"), ids=str)
def test_a_worker_that_lost_the_run_in_its_sleep_writes_nothing_more(script, sqlite, clock):
    """The other one has taken the run, and nothing else: the fence alone tells the sleeper."""
    matrix, taken = Matrix(script, sqlite, clock), []

    def another_takes_the_run(sleep):
        sleep.street.pass_time(DOWN)
        if sleep.second.claim() is not None:
            sleep.left = sleep.street.store.list_events(sleep.street.id)

    def sleep_at(number):
        sleep = Sleep(matrix, number, another_takes_the_run)
        street, problems = sleep.street, []
        try:
            sleep.first.drive(lambda street: give_up() if sleep.left is not None else approve(street))
        except GaveUpError:
            taken.append(number)
        else:
            # Nobody can take a run that waits for a person.
            return matrix.astray(street) + matrix.differences(street)
        events = street.store.list_events(street.id)
        if events != sleep.left:
            problems.append(f"the sleeper wrote {events[len(sleep.left) :]}")
        sleep.second.drive(approve)
        return problems + matrix.astray(street) + matrix.differences(street)

    # After the last event there is nothing to take.
    matrix.check(boundaries(matrix)[:-1], sleep_at)
    assert len(taken) >= len(boundaries(matrix)) - 8


def test_a_worker_that_knows_more_than_the_journal_by_now_begins_again_with_what_that_says(make):
    """As when a standby took over that lacks the last events."""
    street = make()
    controller = Controller(street, "only")
    run = drive_until(controller, lambda: street.run().weight == 10.0)
    epoch = street.store.environment(run.plan.service, run.plan.environment).epoch
    ahead = replace(controller.engine._known[run.id], version=run.version + 3)
    controller.engine._known[run.id] = ahead
    for _ in range(20):
        street.pass_time(1.0)
        controller.engine.advance(street.id, epoch)
    assert street.run().version > run.version
    assert street.run().outcome == "completed"
