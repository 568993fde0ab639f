"""The store that artifacts are made in."""

import pytest
from artifact_world import World


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.store.prune(keep=())
    assert world.contents() == []
