"""The branches of a repository: where they stand, and the ways in which they are changed without rewriting anything."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from fairway.domain.branching.work import BranchWork, Change


@dataclass(frozen=True, slots=True)
class Tip:
    """Where a branch stands.

    Attributes:
        local: full object name of its commit here; None: there is no such branch here.
        remote: the same as the remote repository was seen last; None: it was not seen there.
        folder: the work tree in which it is checked out; empty: none.
        dirty: files of that work tree differ from the last commit.
    """

    local: str | None
    remote: str | None = None
    folder: str = ""
    dirty: bool = False


@dataclass(frozen=True, slots=True)
class Conflict:
    """A change that does not fit onto what it should come on top of; nothing was left of it.

    Attributes:
        files: those in which it does not; none: the change would change nothing.
    """

    change: Change
    files: tuple[str, ...]


class Branches(Protocol):
    """Looks at branches; changes nothing."""

    def observe(self, branch: str) -> Tip:
        """Where the branch stands.

        Raises:
            UserError: no branch can have that name.
        """
        ...

    def holding(self, commit: str) -> tuple[str, ...]:
        """Names of the branches, here and in remote repositories as last seen, that hold the commit."""
        ...

    def matching(self, pattern: str) -> tuple[str, ...]:
        """Names of the branches here that fit a pattern such as `hotfix/*`."""
        ...

    def find_main(self) -> str | None:
        """The main branch, as the remote repository or the usual names say; None if that cannot be told."""
        ...

    def touching(self, files: Sequence[str], *, since: str, until: str) -> tuple[str, ...]:
        """Commits after one and up to another that change one of the files, the newest first, ten at most."""
        ...


class Rehearsal(Protocol):
    """Says beforehand what changes would come to; changes nothing."""

    def foresee(self, start: str, changes: Sequence[Change]) -> Conflict | None:
        """The first of the changes that does not fit onto a commit and those before it; None: all of them do.

        Raises:
            PermanentError: git refuses, or is too old to say.
        """
        ...


class BranchWriter(Protocol):
    """Changes branches: by one at a time in a repository, and never what was there before."""

    def exclusively(self) -> AbstractContextManager[None]:
        """Nobody else changes branches through Fairway meanwhile; what a killed process left is removed.

        Raises:
            TransientError: somebody else has done so for long.
        """
        ...

    def make(self, start: str, changes: Sequence[Change]) -> str | Conflict:
        """Makes the changes on top of a commit, on no branch, beside the user's work tree; the last commit's name.

        Raises:
            PermanentError: git refuses.
        """
        ...

    def put(self, made: Sequence[tuple[BranchWork, str]]) -> None:
        """Each branch is on its commit afterwards: it is made there, or goes forward from where it was.

        All of them or none; only where several are checked out, those may go forward without the others.

        Raises:
            TransientError: one has moved meanwhile.
            PermanentError: git refuses, as where it would overwrite a file of the user's.
        """
        ...

    def require(self, remote: str) -> None:
        """Refuses a remote that nothing can be sent to because nothing says where it is; asks nobody there.

        Raises:
            UserError: there is no such remote.
        """
        ...

    def push(self, remote: str, branches: Sequence[str]) -> None:
        """Sends branches; never replaces what is there.

        Raises:
            UserError: there is no such remote.
            PermanentError: the remote repository refuses, as where it has commits that are not here.
            TransientError: it did not answer.
        """
        ...
