"""A controller dies before and after each effect and each write; the next one ends the run as if nothing had been."""

import pytest
from boundaries import Crash
from matrix import Matrix
from scripts import SCRIPTS, named


def die(street):
    raise Crash


def survive_everywhere(matrix):
    def survive(number):
        street = matrix.play({number: die})
        return matrix.astray(street) + matrix.differences(street)

    matrix.check(matrix.reference.boundaries.for_deaths(), survive)


@pytest.mark.parametrize("script", SCRIPTS, ids=str)
def test_a_controller_may_die_anywhere(script, sqlite, clock):
    survive_everywhere(Matrix(script, sqlite, clock))


@pytest.mark.parametrize("script", named("canary, dead", "rollback, good"), ids=str)
def test_a_controller_may_die_anywhere_with_its_journal_in_postgresql(script, postgres, clock):
    survive_everywhere(Matrix(script, postgres, clock))
