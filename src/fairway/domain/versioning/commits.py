"""Commits as the history gives them, and the graph that they form."""

from collections.abc import Iterable, Mapping
from heapq import heapify, heappop, heappush
from itertools import pairwise
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
    ids = list(ids)
    if _is_chain(ids, commits):
        return ids
    places = {one: place for place, one in enumerate(dict.fromkeys(ids))}
    children = dict.fromkeys(places, 0)
    for one in places:
        for parent in _within(children, one, commits):
            children[parent] += 1
    # A plain stack would do for correctness; by time it reads like the log that people know.
    ready = [(-commits[one].committed, place, one) for one, place in places.items() if not children[one]]
    heapify(ready)
    order = []
    while ready:
        *_, one = heappop(ready)
        order.append(one)
        for parent in _within(children, one, commits):
            children[parent] -= 1
            if not children[parent]:
                heappush(ready, (-commits[parent].committed, places[parent], parent))
    return order


def _within(some: Mapping[str, int], one: str, commits: Mapping[str, Commit]) -> list[str]:
    """The parents of a commit that are among some."""
    return [parent for parent in commits[one].parents if parent in some]


def _is_chain(ids: list[str], commits: Mapping[str, Commit]) -> bool:
    """Each is the only parent of the one before it, as in most releases: nothing is to be sorted."""
    return len(ids) < 2 or all(commits[above].parents == (one,) for above, one in pairwise(ids))
