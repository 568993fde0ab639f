"""The repository of the demonstration."""

import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

from fairway.demo.releases import DEAD, FIRST, GOOD, ONE_IN_TWENTY, SLOWER, Release, apply

_CONFIGURATION = """\
service: shop
build:
  steps: []  # nothing to install: the shop runs on the Python that Fairway runs on
run:
  command: {python} -m granian --interface asgi --no-ws --log-level warning --host {{host}} --port {{port}} shop:app
  health: {{ready: /health/ready, live: /health/live, timeout: 30s}}
  drain: 5s
  variables: {{SHOP_DATABASE: {data}}}
environments:
  production:
    target: local
    router: {{kind: envoy, listen: "127.0.0.1:{port}"}}
    instances: 2
    strategy: {{kind: canary, steps: [10, 50, 100], bake: 6s}}
    analysis: {{preset: balanced, warmup: 2s, block: 1s}}
    observe: 4s
"""

_AUTHOR = ("-c", "user.name=Fairway demo", "-c", "user.email=demo@localhost", "-c", "commit.gpgsign=false")


class Repository:
    """A git repository with the application and its releases, each a commit with a tag.

    Args:
        folder: where; must not exist or be empty.
        port: where users will connect.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self._port = port

    def create(self) -> None:
        """Makes the repository with all releases."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._git("init", "--quiet", "--initial-branch=main")
        data = self.folder.parent / "shop.db"
        configuration = _CONFIGURATION.format(python=sys.executable, port=self._port, data=data)
        (self.folder / "fairway.yaml").write_text(configuration)
        (self.folder / ".gitignore").write_text(".fairway/\n")
        first = files("fairway.demo").joinpath("application", "shop.py").read_text()
        good = apply(first, GOOD)
        for release, source in ((FIRST, first), (GOOD, good), (DEAD, apply(good, DEAD))):
            self._release(release, source)
        self._release(ONE_IN_TWENTY, apply(good, ONE_IN_TWENTY))
        self._release(SLOWER, apply(good, SLOWER))

    def _release(self, release: Release, source: str) -> None:
        (self.folder / "shop.py").write_text(source)
        self._git("add", ".")
        self._git(*_AUTHOR, "commit", "--quiet", "--message", release.subject)
        self._git(*_AUTHOR, "tag", "--no-sign", f"v{release.version}")

    def _git(self, *arguments: str) -> None:
        variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        subprocess.run(["git", *arguments], cwd=self.folder, env=variables, check=True, capture_output=True)
