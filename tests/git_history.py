"""Makes real git repositories for tests."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path


class History:
    """A repository in a folder; every commit holds exactly the files given. Independent of the user's git settings."""

    def __init__(self, folder: Path, *, branch: str = "main") -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", f"--initial-branch={branch}")

    def git(self, *arguments: str, stdin: str | bytes | None = None) -> str:
        """Runs git there and returns what it printed, without the last newline."""
        variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        variables |= {
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            **{f"GIT_{who}_NAME": "A Tester" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "tester@example.org" for who in ("AUTHOR", "COMMITTER")},
        }
        done = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *arguments],
            cwd=self.folder,
            env=variables,
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, (arguments, done.stderr.decode())
        return done.stdout.decode(errors="surrogateescape").rstrip("\n")

    def commit(self, files: Mapping[str, str | bytes], *, tag: str | None = None, message: str = "change") -> str:
        """Replaces all content by the files, commits, tags if asked, and returns the full object name."""
        for path in self.folder.iterdir():
            if path.name != ".git":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return self.record(tag=tag, message=message)

    def record(self, *, tag: str | None = None, message: str = "change") -> str:
        """Commits the work tree as it is."""
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "--no-verify", f"--message={message}")
        if tag:
            self.git("tag", tag)
        return self.git("rev-parse", "HEAD")

    def release(self, version: str, files: Mapping[str, str]) -> str:
        """Commits the files and tags them `v<version>`."""
        return self.commit(files, tag=f"v{version}", message=f"release {version}")
