"""Commits as the history gives them, and the graph that they form."""

from collections.abc import Iterable, Mapping
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from fairway.domain.versioning.message import Message
from fairway.domain.versioning.packed import read_packed, unpack


class Commit(NamedTuple):
    """A commit. What it says is unpacked when it is asked for, each time.

    Attributes:
        id: full object name.
        parents: object names, the first is the branch that was merged into.
        when: seconds since the epoch, UTC, when it was put where it is, as git writes it.
        kind: the type of its only change, empty for a plain message; `SPECIAL` where there is more to it.
        packed: everything about it.
    """

    id: str
    parents: tuple[str, ...]
    when: str
    kind: str
    packed: str

    @property
    def committed(self) -> int:
        """Seconds since the epoch, UTC, when it was put where it is."""
        return int(self.when)

    @property
    def author(self) -> str:
        """Name and address."""
        return unpack(self.packed).author

    @property
    def authored(self) -> int:
        """Seconds since the epoch, UTC; a copy of a commit keeps it."""
        return int(unpack(self.packed).authored)

    @property
    def message(self) -> Message:
        """What it says."""
        return read_packed(self.packed)

    @property
    def is_merge(self) -> bool:
        """It has more than one parent."""
        return len(self.parents) > 1

    @property
    def identity(self) -> tuple[str, str, str]:
        """The same for a commit and its cherry-picked copies: author, when it was written, subject."""
        parts = unpack(self.packed)
        return parts.author, parts.authored, parts.subject


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
    if len(ids) < 2 or _is_sorted(ids, commits):
        return ids
    by_time = sorted(ids, key=lambda one: -commits[one].committed)
    if _is_sorted(by_time, commits):
        return by_time
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


def _is_sorted(ids: list[str], commits: Mapping[str, Commit]) -> bool:
    """Each comes before its parents and was committed no earlier than the next, as in most releases."""
    seen, last = set(), None
    for one in ids:
        commit = commits[one]
        if last is not None and commit.committed > last:
            return False
        last = commit.committed
        seen.add(one)
        for parent in commit.parents:
            if parent in seen:
                return False
    return True
