"""The algebra of reverts among the commits of one release.

- A change and its revert, both new in the release, cancel each other: neither is in it.
- A revert of such a revert restores the change, and the two reverts cancel each other.
- A revert of something that an earlier release holds is a change of its own; and so is the revert of such a revert,
  which counts as the change that it brings back.

What a revert takes back is found by the object name in its message, else by the number of the pull request, else by the
subject: the nearest earlier commit that has it. A name that fits no commit of the release belongs to an earlier one.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from fairway.domain.versioning.commits import Commit
from fairway.domain.versioning.message import Revert, without_request


class Reverts(NamedTuple):
    """What became of the commits.

    Attributes:
        undone: cancelled change → the revert that did it.
        undoing: revert that cancels something of this release, or is cancelled itself → its counterpart.
    """

    undone: Mapping[str, str] = {}
    undoing: Mapping[str, str] = {}


def find_reverts(newest: Sequence[Commit], is_released: Callable[[str], bool] = lambda _: False) -> Reverts:
    """What cancels what.

    Args:
        newest: the commits of the release, each before its parents.
        is_released: an earlier release holds the commit of that (abbreviated) object name.
    """
    reverting = [(place, one, one.message.revert) for place, one in enumerate(newest) if one.message.revert]
    if not reverting:
        return Reverts()
    ids = {one.id: place for place, one in enumerate(newest)}
    targets = {one.id: _targets(place, revert, newest, ids, is_released) for place, one, revert in reverting}
    undone: dict[str, str] = {}
    undoing: dict[str, str] = {}
    # Children first: whether a revert holds is known before what it takes back is asked.
    for _, one, _ in reverting:
        holds = one.id not in undone
        for target in targets[one.id]:
            if holds and target not in undone:
                undone[target] = one.id
                undoing[one.id] = target
    return Reverts(undone, undoing)


def _targets(
    place: int, revert: Revert, newest: Sequence[Commit], ids: Mapping[str, int], is_released: Callable[[str], bool]
) -> list[str]:
    """The commits of this release, earlier than the revert, that it takes back."""
    named = [full for short in revert.commits for full in _full(short, ids)]
    # A pull request that was rebased or squashed when it was merged left the name of a commit that is in no history.
    if named or any(is_released(one) for one in revert.commits):
        return [one for one in named if ids[one] > place]
    for older in newest[place + 1 :]:
        if revert.request and revert.request in older.message.requests:
            return [older.id]
        if not revert.request and revert.subject and _same(older.message.subject, revert.subject):
            return [older.id]
    return []


def _full(short: str, ids: Mapping[str, int]) -> list[str]:
    if short in ids:
        return [short]
    found = [one for one in ids if one.startswith(short)] if len(short) < 40 else []
    return found if len(found) == 1 else []


def _same(subject: str, named: str) -> bool:
    return subject == named or without_request(subject) == without_request(named)
