"""A person says stop before and after each effect and each write: back before the commit point, no after it."""

import pytest
from matrix import Matrix
from scripts import named

from fairway.domain.rollout.run import Run
from fairway.usecases.answers import Declined

ABORTED = ("canary, good", "blue-green, good", "rolling, good", "first, good", "rollback, good", "scale up", "scale down")


class Person:
    """Asks for the way back from another terminal, and keeps the answer."""

    def __init__(self):
        self.answer = None

    def abort(self, street):
        self.answer = street.helm.abort_run(street.id, actor="bob", reason="wrong day")


def is_as_before(street):
    """What is not as it was before the run."""
    plan, picture = street.plan, street.picture()
    live = street.live
    count = plan.stable_instances or (plan.rollback[0].step.count if live is not None else 0)
    wanted = {live.id: [f"{live.id}.{number}" for number in range(1, count + 1)]} if live is not None else {}
    problems = []
    if len(picture["instances"].get(live.id if live else "", ())) != count or set(picture["instances"]) != set(wanted):
        problems.append(f"instances {picture['instances']}")
    routes = picture["routes"]
    backends = [backend.revision for backend in routes.backends] if routes is not None else []
    if (routes.stable if routes else None, backends) != (live.id if live else None, list(wanted)):
        problems.append(f"routes {routes}")
    if routes is not None and (routes.candidate, routes.weight) != (None, 0.0):
        problems.append(f"a candidate is left: {routes}")
    if (picture["live"], picture["wanted"]) != (live.id if live else None, count):
        problems.append(f"live is {picture['live']} with {picture['wanted']} instances")
    if picture["rejected"] or picture["under way"] is not None:
        problems.append(f"rejected {picture['rejected']}, under way {picture['under way']}")
    return problems


@pytest.mark.parametrize("script", named(*ABORTED), ids=str)
def test_an_abort_may_come_at_any_moment(script, sqlite, clock):
    matrix = Matrix(script, sqlite, clock)
    committed = []

    def abort_at(number):
        person = Person()
        street = matrix.play({number: person.abort})
        if isinstance(person.answer, Run):
            return matrix.astray(street, "rolled-back") + is_as_before(street)
        assert isinstance(person.answer, Declined)
        assert person.answer.code in {"committed", "ended"}
        committed.append(number)
        return matrix.astray(street) + matrix.differences(street)

    numbers = range(matrix.names.index("after store.start"), len(matrix.names))
    matrix.check(numbers, abort_at)
    assert committed == list(range(committed[0], len(matrix.names)))
    assert "store.append" in matrix.names[committed[0]]
