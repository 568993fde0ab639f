"""A controller that was stopped in the middle of something wakes up after another one has taken over."""

import pytest
from engine_world import DOWN, Controller, approve, begin
from matrix import Matrix
from scripts import named


class Sleeper:
    """Puts the controller to sleep at a boundary until another one has brought the run to its end."""

    def __init__(self):
        self.left = None

    def sleep(self, street):
        street.pass_time(DOWN)
        Controller(street, "the next").drive(approve)
        self.left = street.picture(), street.run().version


@pytest.mark.parametrize("script", named("canary, good", "canary, dead", "rolling, good", "rollback, good"), ids=str)
def test_a_late_worker_changes_nothing(script, sqlite, clock):
    matrix = Matrix(script, sqlite, clock)

    def sleep_at(number):
        sleeper, street = Sleeper(), matrix.street()
        begin(street)
        offset = matrix.names.index("after store.start") + 1
        assert len(street.boundaries.names) == offset
        street.boundaries.planned = {number: lambda: sleeper.sleep(street)}
        Controller(street, "the sleeper").drive(approve)
        assert sleeper.left is not None
        problems = matrix.astray(street) + matrix.differences(street)
        if (street.picture(), street.run().version) != sleeper.left:
            problems.append("the sleeper changed something when it woke up")
        return problems

    first = matrix.names.index("after store.claim")
    last = max(n for n in range(len(matrix.names)) if matrix.names[n] == "after store.append")
    matrix.check([n for n in matrix.reference.boundaries.distinct() if first <= n <= last], sleep_at)
