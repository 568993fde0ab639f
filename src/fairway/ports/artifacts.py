"""Where artifacts come from and where they are kept."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from fairway.domain.rollout.revision import Artifact


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit that a release name resolved to.

    Attributes:
        id: full object name.
        version: the version that the name stands for: the tag without a leading `v`, else the first 12 digits of
            the id.
        tag: the tag it was resolved by, None if it was named by its object name.
        subject: first line of its message.
        committed: seconds since the epoch, UTC.
    """

    id: str
    version: str
    tag: str | None
    subject: str
    committed: float


class Source(Protocol):
    """The history that releases are named in."""

    def resolve(self, release: str) -> Commit:
        """The commit that a version, tag or (abbreviated) commit names.

        Raises:
            UserError: nothing or more than one thing has that name; the sentence lists near names.
            PermanentError: the folder is not a repository, or a shallow one in which the name cannot be decided.
        """
        ...

    def export(self, commit: str, folder: str) -> None:
        """Writes a clean checkout of the commit into the folder, which is empty or does not exist."""
        ...


class ArtifactStore(Protocol):
    """Keeps sealed artifacts."""

    def build(self, commit: Commit, steps: tuple[str, ...], *, timeout: float, log: Callable[[str], None]) -> Artifact:
        """The artifact of the commit: built in the folder where it will run and sealed, or the one built before.

        A build that was interrupted begins again; two builds of the same commit at once yield one artifact.

        Args:
            commit: what to build.
            steps: commands run in the checkout, one after the other.
            timeout: seconds for all steps together.
            log: receives each line of output as it comes.

        Raises:
            PermanentError: a step failed or took too long; the sentence names it and its last lines of output.
        """
        ...

    def adopt(self, folder: str, *, version: str) -> Artifact:
        """Takes the content of a folder, built elsewhere, as an artifact."""
        ...

    def find(self, digest: str) -> Artifact | None:
        """The artifact with this digest, None if it is not kept."""
        ...

    def verify(self, digest: str) -> str | None:
        """None if the artifact is kept and unaltered, else one sentence that says what is wrong."""
        ...
