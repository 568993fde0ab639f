"""What is to be done to branches, as data: computed first, shown, and then done."""

import shlex
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Change:
    """One commit that is to be made.

    Attributes:
        kind: `revert` takes a commit back; `merge` merges one.
        commit: full object name.
        subject: its first line, for people.
        is_merge: it has several parents; what it brought to the first one is taken back.
        message: of the merge; empty for reverts, which say what they take back.
    """

    kind: Literal["revert", "merge"]
    commit: str
    subject: str
    is_merge: bool = False
    message: str = ""

    @property
    def command(self) -> tuple[str, ...]:
        """The git command that makes it, in a work tree of its own."""
        if self.kind == "merge":
            return ("merge", "--no-ff", "--no-edit", "-m", self.message, self.commit)
        return ("revert", "--no-edit", *(("-m", "1") if self.is_merge else ()), self.commit)


@dataclass(frozen=True, slots=True)
class BranchWork:
    """A branch that is made, or moved forward.

    Attributes:
        start: full object name of the commit that the changes come on top of.
        before: the commit that the branch is on now; None: it is made.
        folder: the work tree in which it is checked out; empty: none.
    """

    branch: str
    start: str
    changes: tuple[Change, ...] = ()
    before: str | None = None
    folder: str = ""


@dataclass(frozen=True, slots=True)
class BranchPlan:
    """Everything that one command does to git.

    Attributes:
        title: what for, in a sentence.
        works: none: everything is so already.
        push: the remote that the branches are sent to; None: none.
        branches: those that are sent.
        afterwards: what to do next, in words or commands.
    """

    title: str
    works: tuple[BranchWork, ...]
    push: str | None = None
    branches: tuple[str, ...] = ()
    afterwards: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """The git commands in their order, as people read them."""
        made = [line for work in self.works for line in _made(work)]
        return (*made, *(line for work in self.works for line in _moved(work)), *self._pushed)

    @property
    def _pushed(self) -> tuple[str, ...]:
        if self.push is None:
            return ()
        return (f"git push {self.push} {' '.join(self.branches)}",)


def _made(work: BranchWork) -> list[str]:
    """The commits are made in a work tree beside the user's, on no branch."""
    if not work.changes:
        return []
    lines = [f"git worktree add --detach WORK {work.start[:12]}"]
    for change in work.changes:
        words = shlex.join((*change.command[:-1], change.commit[:12]))
        lines.append(f"git -C WORK {words}  # {change.subject[:60]}")
    return [*lines, "git worktree remove WORK"]


def _moved(work: BranchWork) -> list[str]:
    made = f"what was made on {work.start[:12]}" if work.changes else work.start[:12]
    if work.before is None:
        return [f"git branch --no-track {work.branch} {_angled(made)}"]
    if work.folder:
        return [f"git -C {work.folder} merge --ff-only {_angled(made)}  # {work.branch} is checked out there"]
    return [f"git update-ref refs/heads/{work.branch} {_angled(made)} {work.before[:12]}"]


def _angled(made: str) -> str:
    return f"<{made}>" if " " in made else made
