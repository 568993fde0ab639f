"""Commits as the history gives them, and the graph that they form."""

from collections.abc import Iterable, Mapping
from heapq import heappop, heappush
from typing import NamedTuple

from fairway.domain.versioning.message import Message


class Commit(NamedTuple):
    """A commit.

    Attributes:
        id: full object name.
        parents: object names, the first is the branch that was merged into.
        committed: seconds since the epoch, UTC, when it was put where it is.
        author: name and address.
        authored: seconds since the epoch, UTC; a copy of a commit keeps it.
        message: what it says.
    """

    id: str
    parents: tuple[str, ...]
    committed: int
    author: str
    authored: int
    message: Message

    @property
    def is_merge(self) -> bool:
        """It has more than one parent."""
        return len(self.parents) > 1

    @property
    def identity(self) -> tuple[str, int, str]:
        """The same for a commit and its cherry-picked copies: author, when it was written, subject."""
        return self.author, self.authored, self.message.subject


def reachable(start: Iterable[str], commits: Mapping[str, Commit]) -> set[str]:
    """Those of the commits that can be reached from any of the starts, themselves included."""
    found: set[str] = set()
    waiting = [one for one in start if one in commits]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting.extend(parent for parent in commits[one].parents if parent in commits and parent not in found)
    return found


def newest_first(ids: Iterable[str], commits: Mapping[str, Commit]) -> list[str]:
    """The commits so that each comes before its parents; among others the later committed first."""
    chosen = dict.fromkeys(ids)
    children = dict.fromkeys(chosen, 0)
    for one in chosen:
        for parent in commits[one].parents:
            if parent in children:
                children[parent] += 1
    # A plain stack would do for correctness; by time it reads like the log that people know.
    ready: list[tuple[int, int, str]] = []
    for place, one in enumerate(chosen):
        if not children[one]:
            heappush(ready, (-commits[one].committed, place, one))
    places, order = {one: place for place, one in enumerate(chosen)}, []
    while ready:
        *_, one = heappop(ready)
        order.append(one)
        for parent in commits[one].parents:
            if parent in children:
                children[parent] -= 1
                if not children[parent]:
                    heappush(ready, (-commits[parent].committed, places[parent], parent))
    return order
