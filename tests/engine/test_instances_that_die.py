"""Instances that die on their own just when a step counts on them."""

import pytest
from engine_world import Controller, break_while, drive_until, live_through

from fairway.domain.errors import TransientError
from fairway.domain.rollout.steps import Scale, Watch
from fairway.domain.rollout.strategy import Canary, Rolling
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


@pytest.mark.parametrize("plan", [deployment(Rolling()), scaling(1)], ids=["rolling", "scale"])
def test_none_is_let_go_while_the_proxy_sends_nothing_to_those_that_stay(make, plan):
    street = make(plan)
    controller = Controller(street, "only")
    street.router.ejected.add(f"{OLD.id}.1")

    lets_go = Scale("candidate" if street.plan.candidate.id == OLD.id else "stable", 1)
    drive_until(controller, lambda: getattr(street.run().current, "step", None) == lets_go)
    begun = street.clock()
    drive_until(controller, lambda: street.clock() - begun > 1.0)
    assert [one.state for one in street.target.observe_instances(OLD.id)] == ["ready", "ready"]
    street.router.ejected.clear()
    run = live_through(street)
    assert (run.outcome, street.faults) == ("completed", [])


def test_instances_that_took_the_place_of_others_in_a_watch_get_requests_at_once(make):
    street = make(deployment(Canary(steps=(10.0, 100.0), bake=6.0)))
    controller = Controller(street, "only")
    run = drive_until(controller, lambda: street.run().weight == 10.0 and isinstance(street.run().current.step, Watch))
    epoch = street.store.environment(run.plan.service, run.plan.environment).epoch
    # As after a reboot at which somebody else has taken their ports.
    for count in (0, 2):
        street.target.ensure_instances(street.plan.stable, count, epoch=epoch)
    others = {f"{street.plan.stable.id}.{number}" for number in (3, 4)}

    def serve():
        backend = next(one for one in street.router.observe().routes.backends if one.revision == street.plan.stable.id)
        return {endpoint.instance for endpoint in backend.endpoints} == others

    drive_until(controller, serve, seconds=4.0)
    assert street.run().weight == 10.0


def test_what_does_not_come_back_holds_up_nobody_for_ever(make):
    street = make(deployment(Rolling()))
    dead = kill_when_scaling(street, NEVER)
    run = live_through(street)
    assert dead
    assert run.outcome == "completed"
