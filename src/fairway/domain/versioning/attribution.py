"""Which commit belongs to which release: the one from whose tag it is reachable and not from the one before.

A set difference on the graph, not the order of the log: a commit written before a tag and merged after it belongs to
the next release; what a release branch does not have belongs to the next release when the branch is merged back; of
two releases on sibling branches the lower one has what they share.
"""

from collections.abc import Mapping, Sequence

from fairway.domain.versioning.commits import Commit, newest_first
from fairway.domain.versioning.tags import Tagged


def divide(
    commits: Mapping[str, Commit], releases: Sequence[Tagged], head: str, *, fold: bool = False
) -> tuple[dict[str, list[Commit]], list[Commit]]:
    """The commits of each release by the name of its tag, and those that no release has; the newest first.

    Args:
        commits: the whole history of head and of the releases.
        releases: the highest first; those on commits that are not there have no commits.
        head: where what is not released yet is reachable from.
        fold: a stable release has what its pre-releases brought; those have nothing then and are left out.
    """
    present = [one for one in reversed(releases) if one.commit in commits]
    first = [one for one in present if not one.is_prerelease] if fold else present
    tagged: dict[str, list[Tagged]] = {}
    for one in first:
        tagged.setdefault(one.commit, []).append(one)
    owned: dict[str, list[Commit]] = {}
    left = dict(commits)
    for one in first:
        if one.name not in owned:
            chain = _chain(one.commit, left, tagged)
            if chain is None:
                _own(one, left, tagged, owned)
            else:
                owned[one.name] = chain
    for one in present if fold else ():
        if one.is_prerelease and one.commit in left:
            tagged.setdefault(one.commit, []).append(one)
            _own(one, left, tagged, owned)
    unreleased, _ = _walk(head, left, {}, owned)
    return owned, _take(unreleased, left)


def _chain(start: str, left: dict[str, Commit], tagged: Mapping[str, list[Tagged]]) -> list[Commit] | None:
    """Takes what can be reached and no release has yet, where that is a chain without further tags; else None.

    Most releases are one of a few commits.
    """
    found: list[Commit] = []
    commit = left.pop(start, None)
    while commit is not None:
        found.append(commit)
        parents = commit.parents
        if len(parents) != 1:
            if not parents:
                break
            left.update([(one.id, one) for one in found])
            return None
        commit = left.pop(parents[0], None)
        if commit is not None and parents[0] in tagged:
            left.update([(one.id, one) for one in (*found, commit)])
            return None
    return found


def _own(
    one: Tagged, left: dict[str, Commit], tagged: Mapping[str, list[Tagged]], owned: dict[str, list[Commit]]
) -> None:
    """Gives a release what can be reached from it and no release has yet."""
    mine, inner = _walk(one.commit, left, tagged, owned)
    if inner:
        # An earlier release by the graph has a higher version: it comes first, whatever the numbers say.
        for below in _by_depth(inner, left):
            for other in tagged[below]:
                if other.name not in owned and other is not one:
                    theirs, _ = _walk(other.commit, left, {}, owned)
                    owned[other.name] = _take(theirs, left)
        mine, _ = _walk(one.commit, left, {}, owned)
    owned[one.name] = _take(mine, left)


def _take(ids: Sequence[str], left: dict[str, Commit]) -> list[Commit]:
    """Takes the commits, the newest first."""
    return [left.pop(one) for one in newest_first(ids, left)]


def _walk(
    start: str, left: Mapping[str, Commit], tagged: Mapping[str, list[Tagged]], owned: Mapping[str, list[Commit]]
) -> tuple[list[str], list[str]]:
    """What can be reached and no release has yet, and those of it below the start that have tags to come."""
    found: list[str] = []
    seen: set[str] = set()
    inner = []
    waiting = [start]
    while waiting:
        one = waiting.pop()
        if one in seen or one not in left:
            continue
        seen.add(one)
        found.append(one)
        if one in tagged and one != start and any(tag.name not in owned for tag in tagged[one]):
            inner.append(one)
        waiting.extend(left[one].parents)
    return found, inner


def _by_depth(ids: Sequence[str], left: Mapping[str, Commit]) -> list[str]:
    """Ancestors before descendants."""
    wanted, order, seen = set(ids), [], set()
    for start in ids:
        waiting = [(start, False)]
        while waiting:
            one, is_done = waiting.pop()
            if is_done:
                if one in wanted:
                    order.append(one)
                continue
            if one in seen or one not in left:
                continue
            seen.add(one)
            waiting.append((one, True))
            waiting.extend((parent, False) for parent in left[one].parents)
    return order


def requests_by_merge(newest: Sequence[Commit], tip: str) -> dict[str, tuple[str, ...]]:
    """For commits that a merge brought: the pull requests that the merge names.

    Args:
        newest: the commits of one release.
        tip: the release's own commit, from which the merges are followed down the first parents.
    """
    inside = {one.id: one for one in newest}
    trunk = []
    at = inside.get(tip)
    while at is not None:
        trunk.append(at)
        at = inside.get(at.parents[0]) if at.parents else None
    if len(trunk) == len(inside):
        return {}
    named: dict[str, tuple[str, ...]] = {}
    claimed = {one.id for one in trunk}
    for each in reversed(trunk):
        waiting = [parent for parent in each.parents[1:] if parent in inside]
        if not waiting:
            continue
        requests = each.message.requests
        while waiting:
            brought = waiting.pop()
            if brought in claimed:
                continue
            claimed.add(brought)
            if requests:
                named[brought] = requests
            waiting.extend(parent for parent in inside[brought].parents if parent in inside)
    return named
