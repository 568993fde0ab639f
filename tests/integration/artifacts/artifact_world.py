"""A repository with one release, a store for it, and what the tests of it ask of the machine."""

from pathlib import Path

from fairway.adapters.artifacts.local.store import LocalArtifacts
from fairway.adapters.sources.git import GitSource
from git_history import History

FILES = {"app.py": "print('hello')\n", "lib/code.py": "x = 1\n", "lib/data.bin": bytes(range(256)) * 40}


class World:
    """A repository with one release, and a store for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.history = History(folder / "repository")
        self.history.commit(FILES, tag="v1.0.0")
        self.source = GitSource(self.history.folder)
        self.store = LocalArtifacts(folder / "artifacts", "shop", self.source, clock=lambda: 1000.0)
        self.lines: list[str] = []

    def build(self, *steps: str, release: str = "1.0.0", timeout: float = 30.0):
        return self.store.build(self.source.resolve(release), steps, timeout=timeout, log=self.lines.append)

    def contents(self) -> list[Path]:
        """Folders of artifacts, finished or not."""
        return [path for path in (self.folder / "artifacts/shop").glob("*") if path.name != ".store"]
