"""The history that versions are decided from."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from fairway.domain.versioning.commits import Commit


class Place(NamedTuple):
    """Where a repository stands.

    Attributes:
        head: full object name of the commit that is asked about.
        branch: name of its branch, None where that cannot be told.
        tags: name and commit of every tag, annotated ones followed to their commit.
        branches: name and commit of every other branch, local or of a remote, without the remote's name.
    """

    head: str
    branch: str | None
    tags: Sequence[tuple[str, str]]
    branches: Sequence[tuple[str, str]]


class History(Protocol):
    """The commits of a repository; reads only, and never changes what git knows."""

    def locate(self) -> Place:
        """Where it stands.

        Raises:
            UserError: there is no commit yet.
            PermanentError: no repository, or a shallow clone, in which no version can be decided.
        """
        ...

    def read(self, include: Iterable[str], exclude: Iterable[str] = ()) -> dict[str, Commit]:
        """The commits that can be reached from some and not from others, by id, roughly the newest first."""
        ...

    def touching(self, paths: Sequence[str], include: str, exclude: str | None) -> frozenset[str]:
        """Which of the commits between two change a file below one of the paths, given from the top."""
        ...

    def holds(self, commit: str, other: str) -> bool | None:
        """The other one is the commit or can be reached from it; None if the other one is no commit at all."""
        ...

    def merged(self, commit: str) -> frozenset[str]:
        """The commits with tags that can be reached from the commit."""
        ...

    def held(self, names: Sequence[str], by: str) -> frozenset[str]:
        """Full object names of those (abbreviated) ones that are the commit or can be reached from it."""
        ...
