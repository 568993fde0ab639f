"""Histories that another project recorded, with the version of each release; every one is answered as recorded.

The stories under tests/scenarios/versioning hold histories of the same make in words of our own.
"""

from pathlib import Path

import pytest
from recorded import DATA, Recording, load

NAMES = sorted(one.name for one in DATA.glob("psr-*.json"))


@pytest.mark.parametrize("name", NAMES)
def test_every_release_of_a_recorded_history_gets_its_version(name: str, tmp_path: Path) -> None:
    outcomes = list(Recording(load(name), tmp_path / "repository").replay())
    assert [one.said for one in outcomes] == [one.recorded for one in outcomes], [one.why for one in outcomes]
    assert outcomes or "initial_commit" in name, "a history without a release shows nothing"
