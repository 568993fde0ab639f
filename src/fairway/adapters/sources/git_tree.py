"""The files of a commit, without a checkout; implements `Tree`."""

import os
from pathlib import Path

from fairway.adapters.sources.git_process import GitProcess
from fairway.ports.pipeline import Tree


class GitTree(Tree):
    """The files of commits of one repository.

    Args:
        folder: where the repository is.
    """

    def __init__(self, folder: Path) -> None:
        self._git = GitProcess(folder)

    def list_files(self, commit: str) -> tuple[tuple[str, str], ...]:
        """Path, and mode with object name, of each file, sorted by path; a submodule counts by its commit."""
        listed = self._git.run("ls-tree", "-r", "-z", "--full-tree", commit)
        files = []
        for line in listed.split(b"\0")[:-1]:
            facts, _, path = line.partition(b"\t")
            mode, _, name = facts.decode().split(" ")
            files.append((os.fsencode(os.fsdecode(path)).decode("utf-8", "backslashreplace"), f"{mode} {name}"))
        return tuple(sorted(files))

    def read_text(self, commit: str, path: str) -> str:
        """The text of one file; what is not UTF-8 in it is replaced."""
        return self._git.run("cat-file", "blob", f"{commit}:{path}").decode("utf-8", "replace")
