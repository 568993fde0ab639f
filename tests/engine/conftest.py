"""Journals for whole matrices: one file or one database holds many environments."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_world import Clock, Street, begin

from fairway.adapters.stores.sql import SqlStore
from fairway.domain.rollout.plan import Plan
from fairway.domain.rollout.strategy import Canary
from rollout_samples import deployment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sqlite(clock: Clock) -> Iterator[SqlStore]:
    """A journal in a file, held by the only controller; in memory where the machine offers that."""
    memory = Path("/dev/shm")
    place = memory if memory.is_dir() else None
    with (
        tempfile.TemporaryDirectory(prefix="fairway-engine-", dir=place) as folder,
        SqlStore.open(f"{folder}/journal.db", exclusive=True) as store,
    ):
        yield store


@pytest.fixture
def postgres(clock: Clock, postgres_url: str) -> Iterator[SqlStore]:
    """A journal on a server, whose leases end by the virtual clock."""
    with SqlStore.open(postgres_url, lease_clock=clock) as store:
        yield store


@pytest.fixture
def make(sqlite: SqlStore, clock: Clock) -> Callable[..., Street]:
    """Makes the one street of a test, a canary unless said otherwise; its run has begun."""

    def make(plan: Plan | None = None, **world: Any) -> Street:
        street = Street(plan or deployment(Canary(steps=(10.0, 100.0), bake=4.0)), sqlite, clock, "e1", **world)
        begin(street)
        return street

    return make
