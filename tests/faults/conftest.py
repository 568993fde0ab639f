"""What takes longer than the default suite may: `make test-faults` runs it.

FAULT_ROUNDS, FAULT_SEED and FAULT_SECONDS say how much (see `rounds.py` and the modules that read them).
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

from workshop import Workshop, workshop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    """A repository without a release; nothing of it runs afterwards."""
    with workshop(tmp_path / "repository") as made:
        yield made


@pytest.fixture(scope="module")
def shared_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """A repository that the tests of one file share; each leaves it without a run under way."""
    with workshop(tmp_path_factory.mktemp("shared") / "repository") as made:
        yield made
