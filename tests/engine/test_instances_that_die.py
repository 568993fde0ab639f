"""Instances that die on their own just when a step counts on them."""

import pytest
from engine_world import break_while, live_through

from fairway.domain.errors import TransientError
from fairway.domain.rollout.steps import Scale
from fairway.domain.rollout.strategy import Rolling
from rollout_samples import OLD, deployment, scaling

#: Looks that the dead instance takes to become ready again, and more than a whole run makes.
SOON, NEVER = 12, 10_000


def kill_when_scaling(street, looks):
    """The oldest instance of 1.0.0 dies as the run is about to let the younger one go; who died, once it has."""
    dead = []

    def dies():
        step = street.run().current.step
        if not dead and isinstance(step, Scale) and 0 < step.count < 2 and street.run().under_way:
            dead.append(f"{OLD.id}.1")
            street.target.kill(dead[0])
            street.target._observed[dead[0]] = -looks
        return False

    break_while(street, "target.observe_instances", TransientError("never", "raised by nobody"), dies)
    return dead


@pytest.mark.parametrize("plan", [deployment(Rolling()), scaling(1)], ids=["rolling", "scale"])
def test_none_is_let_go_while_those_that_stay_are_down(make, plan):
    street = make(plan)
    dead = kill_when_scaling(street, SOON)
    run = live_through(street)
    assert dead
    assert (run.outcome, street.faults) == ("completed", [])


def test_what_does_not_come_back_holds_up_nobody_for_ever(make):
    street = make(deployment(Rolling()))
    dead = kill_when_scaling(street, NEVER)
    run = live_through(street)
    assert dead
    assert run.outcome == "completed"
