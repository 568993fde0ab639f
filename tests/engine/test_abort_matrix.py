"""A person says stop before and after each effect and each write: back before the commit point, no after it."""

import random

import pytest
from boundaries import Crash
from matrix import Matrix
from scripts import named

from fairway.domain.rollout.run import Run
from fairway.usecases.answers import Declined

ABORTED = (
    "canary, good",
    "canary, promoted on evidence",
    "canary beside a baseline, good",
    "blue-green, good",
    "rolling, good",
    "first, good",
    "rollback, good",
    "scale up",
    "scale down",
)


def die(street):
    raise Crash


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
    if picture["under way"] is not None:
        problems.append(f"{picture['under way']} is under way")
    return problems


def abort_everywhere(matrix):
    committed = []

    def abort_at(number):
        person = Person()
        street = matrix.play({number: person.abort})
        if isinstance(person.answer, Run):
            rejected = [f"{release} was rejected" for release in street.picture()["rejected"]]
            return matrix.astray(street, "rolled-back") + is_as_before(street) + rejected
        assert isinstance(person.answer, Declined)
        assert person.answer.code in {"committed", "ended"}
        committed.append(number)
        return matrix.astray(street) + matrix.differences(street)

    first = matrix.names.index("after store.start")
    numbers = [number for number in matrix.reference.boundaries.for_facts() if number >= first]
    matrix.check(numbers, abort_at)
    assert committed == [number for number in numbers if number >= committed[0]]
    assert matrix.names[committed[0]] == "after store.append"


@pytest.mark.parametrize("script", named(*ABORTED), ids=str)
def test_an_abort_may_come_at_any_moment(script, sqlite, clock):
    abort_everywhere(Matrix(script, sqlite, clock))


@pytest.mark.parametrize("script", named("canary, good"), ids=str)
def test_an_abort_may_come_at_any_moment_with_the_journal_in_postgresql(script, postgres, clock):
    abort_everywhere(Matrix(script, postgres, clock))


@pytest.mark.parametrize("script", named("canary, good", "rolling, good", "rolling, dead", "rollback, good"), ids=str)
def test_a_controller_may_die_before_or_after_an_abort(script, sqlite, clock):
    """Pairs of boundaries; those after the death are numbered as the next controller goes on."""
    matrix, chance = Matrix(script, sqlite, clock), random.Random(script.name)
    first = matrix.names.index("after store.start")

    def abort_and_die(number):
        person, other = Person(), chance.randrange(first, len(matrix.names))
        street = matrix.play({number: person.abort, other if other != number else number + 1: die})
        if isinstance(person.answer, Run):
            problems = matrix.astray(street, "rolled-back") + is_as_before(street)
        else:
            problems = matrix.astray(street) + matrix.differences(street)
        return [f"with a death at {other}: {problem}" for problem in problems]

    matrix.check(sorted(chance.sample(range(first, len(matrix.names)), 20)), abort_and_die)
