"""Fixtures of the end-to-end tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from workshop import Workshop, workshop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    """A repository without a release; nothing of it runs afterwards."""
    with workshop(tmp_path / "repository") as made:
        yield made
