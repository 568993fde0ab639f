"""What the history says about a branch: the release it follows, and what is new since."""

import datetime
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from fairway.domain.versioning.commits import Commit, newest_first
from fairway.domain.versioning.decision import Situation
from fairway.domain.versioning.level import Level
from fairway.domain.versioning.line import Line, is_release_branch
from fairway.domain.versioning.policy import Policy
from fairway.domain.versioning.reverts import Reverts, find_reverts
from fairway.domain.versioning.scheme import find_scheme
from fairway.domain.versioning.tags import Releases, Tagged, read_tags
from fairway.domain.versioning.weighing import weigh
from fairway.ports.history import History, Place


class Since(NamedTuple):
    """A release, and the commits on either side of it.

    Attributes:
        base: None before the first release.
        commits: in the branch and not in the release.
        others: in the release and not in the branch; empty if the branch holds the release.
    """

    base: Tagged | None
    commits: Mapping[str, Commit]
    others: Mapping[str, Commit]


def examine(history: History, policy: Policy, place: Place, line: Line, day: datetime.date) -> Situation:
    """Everything that the next version of the line is decided by."""
    releases = read_tags(place.tags, find_scheme(policy.scheme, policy.calver), policy)
    since = find_base(history, policy, place, line, releases)
    newest = [since.commits[one] for one in newest_first(since.commits, since.commits)]
    released = _released(history, newest, since)
    reverts = find_reverts(newest, lambda name: any(one.startswith(name) for one in released))
    touching = None
    if policy.paths:
        touching = history.touching(policy.paths, place.head, since.base.commit if since.base else None)
    copied = frozenset(one.identity for one in since.others.values())
    weighed = weigh(newest, reverts, policy, copied=copied, touching=touching)
    bold = weigh(newest, Reverts(), policy, touching=touching) if reverts.undone or copied else weighed
    boldest = max((one.level for one in bold), default=Level.NONE)
    return Situation(line, releases, since.base, weighed, boldest, since.commits, day)


def find_base(history: History, policy: Policy, place: Place, line: Line, releases: Releases) -> Since:
    """The stable release that the branch follows.

    That is the highest one within the branch, and within the range of a release branch. On the main line it may be a
    higher one that lies on a release branch beside it, for its users have that version already.
    """
    latest = releases.latest
    if line.within is None and latest is not None and history.holds(place.head, latest.commit):
        return Since(latest, history.read([place.head], [latest.commit]), {})
    stable: Sequence[Tagged] = releases.stable
    if line.within is not None:
        below = line.within.below
        stable = [one for one in stable if tuple((*getattr(one.version, "release", ()), 0, 0, 0)[:3]) < below]
    if not stable:
        return Since(None, history.read([place.head]), {})
    if line.within is not None and history.holds(place.head, stable[0].commit):
        return Since(stable[0], history.read([place.head], [stable[0].commit]), {})
    within = history.merged(place.head)
    base = next((one for one in stable if one.commit in within), None)
    if policy.siblings and line.within is None:
        beside = beside_main_line(history, place, stable, base)
        # A tag may lie on something that is no commit, which no branch holds.
        above = next((one for one in beside if history.holds(place.head, one.commit) is not None), None)
        if above is not None:
            commits = history.read([place.head], [above.commit])
            return Since(above, commits, history.read([above.commit], [place.head]))
    return Since(base, history.read([place.head], [base.commit] if base else []), {})


def beside_main_line(history: History, place: Place, stable: Sequence[Tagged], base: Tagged | None) -> list[Tagged]:
    """Stable releases above the branch's own that lie on release branches, or on branches that are gone.

    What lies on a branch of another kind is none: that is work to come (`next`), or the main line seen from a branch
    of its own.
    """
    above = [one for one in stable if base is None or one.version.order > base.version.order]
    tips = [commit for name, commit in place.branches if not is_release_branch(name)]
    elsewhere = history.read(set(tips), [place.head]) if above and tips else {}
    return [one for one in above if one.commit not in elsewhere]


def _released(history: History, newest: list[Commit], since: Since) -> list[str]:
    """The commits that reverts name and that an earlier release holds."""
    named = {one for commit in newest if commit.message.revert for one in commit.message.revert.commits}
    unknown = [one for one in named if not any(each.startswith(one) for each in since.commits)]
    if not unknown or since.base is None:
        return []
    return list(history.held(unknown, since.base.commit))
