"""Journals for whole matrices: one file or one database holds many environments."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_world import Clock

from fairway.adapters.stores.sql import SqlStore


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sqlite(clock: Clock) -> Iterator[SqlStore]:
    """A journal in a file, held by the only controller; in memory where the machine offers that."""
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp(prefix="fairway-engine-", dir=memory if memory.is_dir() else None)
    with SqlStore.open(f"{folder}/journal.db", exclusive=True) as store:
        yield store
    shutil.rmtree(folder)


@pytest.fixture
def postgres(clock: Clock, postgres_url: str) -> Iterator[SqlStore]:
    """A journal on a server, whose leases end by the virtual clock."""
    with SqlStore.open(postgres_url, lease_clock=clock) as store:
        yield store
