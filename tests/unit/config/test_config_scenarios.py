"""Each folder under tests/scenarios/config holds a fairway.yaml and what must come of it."""

import dataclasses
import json
from pathlib import Path

import pytest

from fairway.config import ConfigError, Known, load, render

SCENARIOS = Path(__file__).parents[2] / "scenarios" / "config"
KNOWN = Known(targets={"local": None}, routers={"envoy": None}, notifiers={"webhook": None, "command": None})


def outcome(folder: Path) -> str:
    try:
        return json.dumps(told(load(folder / "fairway.yaml", KNOWN)), indent=1).replace(str(folder), "FOLDER") + "\n"
    except ConfigError as error:
        return render(error.problems).replace(f"{folder}/", "") + "\n"


def told(value):
    if dataclasses.is_dataclass(value):
        fields = {field.name: told(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"": type(value).__name__, **fields}
    if isinstance(value, tuple | list):
        return [told(item) for item in value]
    return {key: told(item) for key, item in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("folder", sorted(SCENARIOS.iterdir()), ids=lambda folder: folder.name)
def test_a_file_gives_what_is_expected(folder):
    assert outcome(folder) == (folder / "expected.txt").read_text()
