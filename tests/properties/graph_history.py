"""A history in memory: implements `History` over a graph of commits, for thousands of histories in a second."""

from collections.abc import Iterable, Sequence

from fairway.domain.versioning.commits import Commit
from fairway.domain.versioning.packed import pack
from fairway.ports.history import Place


class GraphHistory:
    """Branches, merges and tags; the ids of commits count up, so that each is above its parents."""

    def __init__(self) -> None:
        self.commits: dict[str, Commit] = {}
        self.tips: dict[str, str] = {}
        self.tags: list[tuple[str, str]] = []
        self.branch = "main"

    def commit(self, message: str, *further: str) -> str:
        """A commit on the present branch; further parents make a merge of it."""
        name = f"{len(self.commits) + 1:040x}"
        here = [self.tips[self.branch]] if self.branch in self.tips else []
        parents = (*here, *further)
        when = str(1_700_000_000 + len(self.commits))
        heading = f"{name}\n{' '.join(parents)}\n{when}\nA Tester <a@example.org>\n{when}\n"
        kind, packed = pack(heading, message)
        self.commits[name] = Commit(name, parents, when, kind, packed)
        self.tips[self.branch] = name
        return name

    def switch(self, branch: str, start: str | None = None) -> None:
        """Checks a branch out; makes it where it is not there."""
        if branch not in self.tips and self.branch in self.tips:
            self.tips[branch] = self.tips[start or self.branch]
        self.branch = branch

    def merge(self, branch: str) -> None:
        """Merges another branch into the present one, with a merge commit."""
        self.commit(f"Merge branch '{branch}' into {self.branch}", self.tips[branch])

    def tag(self, name: str) -> None:
        """A tag on the present commit."""
        self.tags.append((name, self.tips[self.branch]))

    def below(self, start: str) -> set[str]:
        """The commit and all of its ancestors."""
        found: set[str] = set()
        waiting = [start]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting.extend(self.commits[one].parents)
        return found

    def locate(self) -> Place:
        """See the port."""
        others = [(name, tip) for name, tip in self.tips.items() if name != self.branch]
        return Place(self.tips[self.branch], self.branch, list(self.tags), others)

    def read(self, include: Iterable[str], exclude: Iterable[str] = ()) -> dict[str, Commit]:
        """See the port."""
        wanted = set().union(*(self.below(one) for one in include))
        without = set().union(*(self.below(one) for one in exclude))
        return {one: self.commits[one] for one in sorted(wanted - without, reverse=True)}

    def touching(self, paths: Sequence[str], include: str, exclude: str | None) -> frozenset[str]:
        """See the port; commits here have no files."""
        return frozenset()

    def holds(self, commit: str, other: str) -> bool | None:
        """See the port."""
        return other in self.below(commit) if other in self.commits else None

    def merged(self, commit: str) -> frozenset[str]:
        """See the port."""
        within = self.below(commit)
        return frozenset(one for _, one in self.tags if one in within)

    def held(self, names: Sequence[str], by: str) -> frozenset[str]:
        """See the port."""
        within = self.below(by)
        return frozenset(one for one in within if any(one.startswith(name) for name in names))
