"""Which commit belongs to which release: the one from whose tag it is reachable and not from the one before.

A set difference on the graph, not the order of the log: a commit written before a tag and merged after it belongs to
the next release; what a release branch does not have belongs to the next release when the branch is merged back; of
two releases on sibling branches the lower one has what they share.
"""

from collections.abc import Mapping, Sequence

from fairway.domain.versioning.commits import Commit
from fairway.domain.versioning.tags import Tagged


def divide(
    commits: Mapping[str, Commit], releases: Sequence[Tagged], head: str, *, fold: bool = False
) -> tuple[dict[str, list[str]], list[str]]:
    """The commits of each release by the name of its tag, and those that no release has.

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
    owned: dict[str, list[str]] = {}
    taken: set[str] = set()
    for one in first:
        if one.name not in owned:
            chain = _chain(one.commit, commits, taken, tagged)
            if chain is None:
                _own(one, commits, taken, tagged, owned)
            else:
                owned[one.name] = chain
                taken.update(chain)
    for one in present if fold else ():
        if one.is_prerelease and one.commit not in taken:
            tagged.setdefault(one.commit, []).append(one)
            _own(one, commits, taken, tagged, owned)
    unreleased, _ = _walk(head, commits, taken, {}, owned)
    return owned, unreleased


def _chain(
    start: str, commits: Mapping[str, Commit], taken: set[str], tagged: Mapping[str, list[Tagged]]
) -> list[str] | None:
    """What can be reached and no release has yet, where that is a chain without further tags; else None.

    Most releases are one of a few commits.
    """
    found: list[str] = []
    one = start
    while one not in taken:
        commit = commits.get(one)
        if commit is None:
            break
        found.append(one)
        parents = commit.parents
        if len(parents) > 1:
            return None
        if not parents:
            break
        one = parents[0]
        if one in tagged and one not in taken:
            return None
    return found


def _own(
    one: Tagged,
    commits: Mapping[str, Commit],
    taken: set[str],
    tagged: Mapping[str, list[Tagged]],
    owned: dict[str, list[str]],
) -> None:
    """Gives a release what can be reached from it and no release has yet."""
    mine, inner = _walk(one.commit, commits, taken, tagged, owned)
    if inner:
        # An earlier release by the graph has a higher version: it comes first, whatever the numbers say.
        for below in _by_depth(inner, commits, taken):
            for other in tagged[below]:
                if other.name not in owned and other is not one:
                    owned[other.name], _ = _walk(other.commit, commits, taken, {}, owned)
                    taken.update(owned[other.name])
        mine, _ = _walk(one.commit, commits, taken, {}, owned)
    owned[one.name] = mine
    taken.update(mine)


def _walk(
    start: str,
    commits: Mapping[str, Commit],
    taken: set[str],
    tagged: Mapping[str, list[Tagged]],
    owned: Mapping[str, list[str]],
) -> tuple[list[str], list[str]]:
    """What can be reached and no release has yet, and those of it below the start that have tags to come."""
    found: list[str] = []
    seen: set[str] = set()
    inner = []
    waiting = [start]
    while waiting:
        one = waiting.pop()
        if one in seen or one in taken:
            continue
        commit = commits.get(one)
        if commit is None:
            continue
        seen.add(one)
        found.append(one)
        if one != start and one in tagged and any(tag.name not in owned for tag in tagged[one]):
            inner.append(one)
        waiting.extend(commit.parents)
    return found, inner


def _by_depth(ids: Sequence[str], commits: Mapping[str, Commit], taken: set[str]) -> list[str]:
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
            if one in seen or one in taken or one not in commits:
                continue
            seen.add(one)
            waiting.append((one, True))
            waiting.extend((parent, False) for parent in commits[one].parents)
    return order


def requests_by_merge(mine: Sequence[str], tip: str, commits: Mapping[str, Commit]) -> dict[str, tuple[str, ...]]:
    """For commits that a merge brought: the pull requests that the merge names.

    Args:
        mine: the commits of one release.
        tip: the release's own commit, from which the merges are followed down the first parents.
        commits: all of them.
    """
    inside = set(mine)
    trunk = []
    one: str | None = tip
    while one is not None and one in inside:
        trunk.append(one)
        parents = commits[one].parents
        one = parents[0] if parents else None
    if len(trunk) == len(mine):
        return {}
    named: dict[str, tuple[str, ...]] = {}
    claimed = set(trunk)
    for each in reversed(trunk):
        waiting = [parent for parent in commits[each].parents[1:] if parent in inside]
        while waiting:
            brought = waiting.pop()
            if brought in claimed:
                continue
            claimed.add(brought)
            if requests := commits[each].message.requests:
                named[brought] = requests
            waiting.extend(parent for parent in commits[brought].parents if parent in inside)
    return named
