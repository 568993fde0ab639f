"""What changes of branches would come to; implements `Rehearsal`.

Merges are made without a work tree, by commits that nobody ever sees: whatever git writes for that goes into a folder
that is removed in the end, so that not even an object is left of it.
"""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from fairway.adapters.sources.git_process import GitProcess
from fairway.domain.branching.work import Change
from fairway.domain.errors import PermanentError
from fairway.ports.branches import Conflict, Rehearsal

#: In the name of nobody: these commits are gone in a moment.
_QUIETLY = ("-c", "user.name=fairway", "-c", "user.email=fairway@localhost", "-c", "core.hooksPath=/dev/null")
_MERGED, _CONFLICT = 0, 1


class GitRehearsal(Rehearsal):
    """Rehearses in the repository that a folder lies in.

    Args:
        folder: anywhere in the repository.
    """

    def __init__(self, folder: Path) -> None:
        self._git = GitProcess(folder)

    def foresee(self, start: str, changes: Sequence[Change]) -> Conflict | None:
        """The first of the changes that does not fit onto a commit and those before it; None: all of them do.

        Raises:
            PermanentError: git refuses, or is older than 2.38.
        """
        objects = self._git.run("rev-parse", "--path-format=absolute", "--git-path", "objects").removesuffix(b"\n")
        with tempfile.TemporaryDirectory(prefix="fairway-rehearsal-") as folder:
            aside = {"GIT_OBJECT_DIRECTORY": folder, "GIT_ALTERNATE_OBJECT_DIRECTORIES": _listed(os.fsdecode(objects))}
            there, onto = GitProcess(self._git.folder, variables=aside), start
            for change in changes:
                made = _merge(there, onto, change) if change.kind == "merge" else _revert(there, onto, change)
                if isinstance(made, Conflict):
                    return made
                onto = made
        return None


def _merge(git: GitProcess, onto: str, change: Change) -> str | Conflict:
    tree = _merged(git, onto, change.commit, change)
    return tree if isinstance(tree, Conflict) else _commit(git, tree, onto, change.commit)


def _revert(git: GitProcess, onto: str, change: Change) -> str | Conflict:
    """From what the commit made of its first parent, back: the commit is the ancestor, its parent one of the sides."""
    parent = git.attempt("rev-parse", "--verify", "--quiet", f"{change.commit}^1^{{tree}}")
    before = parent[1].decode().strip() if parent[0] == 0 else git.run("mktree").decode().strip()
    base = _commit(git, f"{change.commit}^{{tree}}")
    tree = _merged(git, _commit(git, f"{onto}^{{tree}}", base), _commit(git, before, base), change)
    if isinstance(tree, Conflict):
        return tree
    if tree == git.run("rev-parse", f"{onto}^{{tree}}").decode().strip():
        return Conflict(change, ())
    return _commit(git, tree, onto)


def _merged(git: GitProcess, ours: str, theirs: str, change: Change) -> str | Conflict:
    """The tree that two commits make together."""
    asked = ("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs)
    status, output, complaint = git.attempt(*_QUIETLY, *asked)
    if status not in (_MERGED, _CONFLICT):
        sentence = f"git cannot say beforehand what a {change.kind} of {change.commit[:12]} comes to: {complaint}"
        raise PermanentError("git-refused", sentence, "git 2.38 or later can; without --dry-run it is found out")
    tree, *files = [os.fsdecode(one) for one in output.split(b"\0") if one]
    return tree if status == _MERGED else Conflict(change, tuple(dict.fromkeys(files)))


def _commit(git: GitProcess, tree: str, *parents: str) -> str:
    named = [word for parent in parents for word in ("-p", parent)]
    return git.run(*_QUIETLY, "commit-tree", "-m", "rehearsal", *named, tree).decode().strip()


def _listed(folder: str) -> str:
    """The folder as an entry of a list, in which a colon would end it."""
    if ":" not in folder and not folder.startswith('"'):
        return folder
    return '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
