"""Which commits are meant, and which of them are taken back already."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fairway.domain.versioning.commits import Commit, newest_first, reachable
from fairway.domain.versioning.reverts import Reverts, find_reverts


@dataclass(frozen=True, slots=True)
class Log:
    """The commits of a branch.

    Attributes:
        commits: by id.
        newest: each before its parents.
        reverts: what takes back what.
    """

    commits: Mapping[str, Commit]
    newest: Sequence[Commit]
    reverts: Reverts

    @classmethod
    def of(cls, commits: Mapping[str, Commit]) -> "Log":
        """The log of these commits."""
        newest = [commits[one] for one in newest_first(commits, commits)]
        return cls(commits, newest, find_reverts(newest))

    def ordered(self, ids: Iterable[str]) -> list[Commit]:
        """These commits, the newest first, each once."""
        wanted = set(ids)
        return [one for one in self.newest if one.id in wanted]

    def of_request(self, number: str) -> list[Commit]:
        """The commits that brought a pull or merge request, the newest first.

        A merge brings what lies on the branch that it merged, so that commits there are not named again.

        Args:
            number: with or without `#` or `!` before it.
        """
        names = {number} if number[:1] in "#!" else {f"#{number}", f"!{number}"}
        found = [one for one in self.newest if names & set(one.message.references.requests)]
        merges = [one for one in found if one.is_merge]
        if not merges:
            return found
        brought: set[str] = set()
        for merge in merges:
            brought |= reachable(merge.parents[1:], self.commits) - reachable(merge.parents[:1], self.commits)
        return [one for one in found if one.id not in brought]

    def taken_back(self, commit: str) -> str | None:
        """The revert that takes a commit back at present; None if it is there."""
        return self.reverts.undone.get(commit)
