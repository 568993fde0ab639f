"""Each folder under tests/scenarios/versioning is one history with its questions, and the rules that it is asked by."""

from pathlib import Path

import pytest
from stories import Story

FOLDER = Path(__file__).parents[1] / "scenarios" / "versioning"
NAMES = sorted(one.name for one in FOLDER.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_a_history_is_answered_as_its_story_says(name: str, tmp_path: Path) -> None:
    config = FOLDER / name / "fairway.yaml"
    story = Story(tmp_path / "repository", config if config.exists() else None)
    lines = (FOLDER / name / "story.txt").read_text().splitlines()
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            try:
                story.tell(line)
            except AssertionError as error:
                raise AssertionError(f"{name}, line {number}: {error}") from None


def test_every_story_asks_something() -> None:
    for name in NAMES:
        text = (FOLDER / name / "story.txt").read_text()
        assert " -> " in text, name
        assert text.startswith("# "), f"{name} does not say what it is about"
