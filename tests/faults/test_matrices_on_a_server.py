"""Deaths and aborts at every boundary of every script, with the journal on a real PostgreSQL.

The default suite plays all scripts on SQLite, and on PostgreSQL those of a canary and a rollback.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from engine_world import Clock
from matrix import Matrix
from scripts import SCRIPTS, named
from test_abort_matrix import ABORTED, abort_everywhere
from test_crash_matrix import survive_everywhere

from fairway.adapters.stores.sql import SqlStore

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def postgres(clock: Clock, postgres_url: str) -> Iterator[SqlStore]:
    """A journal on a server, whose leases end by the virtual clock."""
    with SqlStore.open(postgres_url, lease_clock=clock) as store:
        yield store


@pytest.mark.parametrize("script", SCRIPTS, ids=str)
def test_a_controller_may_die_anywhere(script, postgres, clock):
    survive_everywhere(Matrix(script, postgres, clock))


@pytest.mark.parametrize("script", named(*ABORTED), ids=str)
def test_an_abort_may_come_at_any_moment(script, postgres, clock):
    abort_everywhere(Matrix(script, postgres, clock))
