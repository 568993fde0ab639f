"""A person pauses before and after each effect and each write: nothing goes on until the run is resumed."""

import pytest
from engine_world import approve
from matrix import Matrix
from scripts import named

from fairway.domain.rollout.run import Run
from fairway.domain.rollout.steps import AwaitApprovals, Watch

PAUSED = (
    "canary, good",
    "canary, dead",
    "canary, promoted on evidence",
    "canary beside a baseline, good",
    "rolling, good",
    "rollback, good",
)
#: Virtual seconds for which the run stays paused.
PAUSE = 10.0


class Person:
    """Pauses once, waits, looks whether anything went on, and resumes."""

    def __init__(self):
        self.paused, self.since, self.problems = None, 0.0, []

    def pause(self, street):
        answer = street.helm.pause_run(street.id, actor="bob", reason="lunch")
        if isinstance(answer, Run) and answer.outcome is None:
            self.paused, self.since = answer, street.clock()
            street.clock.alarm = (self.since + PAUSE, lambda: self.resume(street))

    def resume(self, street):
        run, then = street.run(), self.paused
        self.paused, street.clock.alarm = None, None
        if run.track == "rollback" or run.outcome is not None:
            return
        allowed = then.cursor + (then.under_way and not isinstance(then.current.step, (Watch, AwaitApprovals)))
        if run.cursor > allowed or run.paused is None:
            self.problems.append(f"went on from step {then.cursor} to {run.cursor} while paused")
        street.helm.resume_run(street.id, actor="bob")

    def act(self, street):
        """The run waits: for this person, or for an approval."""
        if self.paused is not None:
            street.pass_time(self.since + PAUSE - street.clock())
            return True
        return approve(street)


@pytest.mark.parametrize("script", named(*PAUSED), ids=str)
def test_a_pause_may_come_at_any_moment(script, sqlite, clock):
    matrix = Matrix(script, sqlite, clock)

    def pause_at(number):
        person = Person()
        street = matrix.play({number: person.pause}, person.act)
        return person.problems + matrix.astray(street) + matrix.differences(street)

    numbers = [n for n in range(len(matrix.names)) if matrix.names[n].startswith("after store")]
    matrix.check(numbers, pause_at)
