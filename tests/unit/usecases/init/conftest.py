"""Projects as they are found."""

import pytest

from fairway.adapters.machine import LocalFolder


@pytest.fixture
def repository(tmp_path):
    def make(files: dict[str, str], name: str = "shop") -> LocalFolder:
        top = tmp_path / name
        top.mkdir()
        for path, text in files.items():
            (top / path).parent.mkdir(parents=True, exist_ok=True)
            (top / path).write_text(text)
        return LocalFolder(top)

    return make
