"""A controller dies before and after each effect and each write; the next one ends the run as if nothing had been."""

import pytest
from boundaries import Crash
from matrix import Matrix
from scripts import SCRIPTS


def _die(street):
    def die():
        raise Crash

    return die


def _survive_everywhere(matrix):
    wrong = []
    for number in matrix.reference.boundaries.distinct():
        try:
            street = matrix.play({number: _die})
            problems = matrix.faults(street) + matrix.differences(street)
            if street.run().outcome != matrix.script.outcome:
                problems.insert(0, f"ended {street.run().outcome}: {street.run().ended_reason}")
        except AssertionError as error:
            problems = [str(error)]
        wrong += [f"{number} {matrix.names[number]}: {problem}" for problem in problems]
    assert not wrong, "\n".join(wrong[:20])


@pytest.mark.parametrize("script", SCRIPTS, ids=str)
def test_a_controller_may_die_anywhere(script, sqlite, clock):
    _survive_everywhere(Matrix(script, sqlite, clock))
