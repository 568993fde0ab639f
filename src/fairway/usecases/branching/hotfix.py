"""Hotfix branches: from a release, and back into the branches that go on."""

import datetime
from dataclasses import dataclass

from fairway.domain.branching.work import BranchPlan, BranchWork, Change
from fairway.domain.errors import UserError
from fairway.domain.versioning.level import Level
from fairway.domain.versioning.scheme import find_scheme
from fairway.domain.versioning.tags import Releases, Tagged
from fairway.usecases.answers import Declined
from fairway.usecases.branching.desk import Base, BranchDesk
from fairway.usecases.branching.revert import new_branch

PREFIX = "hotfix/"


@dataclass(frozen=True, slots=True)
class Begin:
    """A hotfix that somebody wants to begin.

    Attributes:
        name: version or word behind `hotfix/`; None: the version after the release that is repaired.
        release: version or tag that is repaired; None: what production runs, else the latest stable one.
        push: the remote that the branch is sent to; None: none.
    """

    name: str | None = None
    release: str | None = None
    push: str | None = None


@dataclass(frozen=True, slots=True)
class Finish:
    """A hotfix that somebody wants to end.

    Attributes:
        branch: with or without `hotfix/`; None: the only one there is.
        push: the remote that the branches are sent to; None: none.
    """

    branch: str | None = None
    push: str | None = None


def plan_start(desk: BranchDesk, wanted: Begin) -> BranchPlan | Declined:
    """The plan of a branch `hotfix/VERSION` on the release that it repairs.

    Raises:
        UserError: there is no stable release, or none of that name.
    """
    releases = desk.releases()
    repaired = _repaired(desk, releases, wanted.release)
    name = wanted.name
    if name is None:
        following = _following(desk, repaired)
        taken = next((one for one in releases.stable if str(one.version) == following), None)
        if taken is not None:
            sentence = f"{following}, which would repair {repaired.version}, is released already as {taken.name}"
            return Declined("released", sentence, f"fairway hotfix start --from {taken.name}, or give it a name")
        name = following
    branch = name if name.startswith(PREFIX) else f"{PREFIX}{name}"
    title = f"{branch} repairs {repaired.name}"
    afterwards = (
        f"git switch {branch}",
        "commit the repair, then see that it is released",
        *_release_words(desk, branch),
    )
    return new_branch(desk, title, BranchWork(branch, repaired.commit), wanted.push, afterwards)


def plan_finish(desk: BranchDesk, wanted: Finish) -> BranchPlan | Declined:
    """The plan that merges a hotfix into the main branch, and in gitflow into what is under way beside it.

    Raises:
        UserError: there is no such branch, or more than one to choose from.
    """
    branch = _chosen(desk, wanted.branch)
    tip = desk.base_of(branch)
    if isinstance(tip, Declined):
        return tip
    works = []
    targets = _targets(desk)
    empty = _empty(desk, tip)
    if empty is not None:
        return empty
    for target in targets:
        base = desk.base_of(target)
        if isinstance(base, Declined):
            return base
        work = _merge(desk, tip, base)
        if isinstance(work, Declined):
            return work
        if work is not None:
            works.append(work)
    listed = " and ".join(targets)
    afterwards = [] if wanted.push else [f"git push origin {' '.join(targets)}"]
    afterwards += [*_release_words(desk, branch), f"git branch -d {branch}"]
    if not works:
        hold = "holds" if len(targets) == 1 else "hold"
        return BranchPlan(f"{listed} {hold} {branch} already", (), wanted.push, targets, tuple(afterwards))
    title = f"{branch} is merged into {listed}"
    return BranchPlan(title, tuple(works), wanted.push, targets, tuple(afterwards))


def _empty(desk: BranchDesk, hotfix: Base) -> Declined | None:
    """Why there is nothing to finish; None where the branch has commits of its own, merged by now or not.

    It still stands on the release that it began on, and not on the one that was made of it: that bears its name, or
    lies behind a second parent of the merge that finished it.
    """
    named = hotfix.branch.removeprefix(PREFIX)
    here = [one for one in desk.releases().stable if one.commit == hotfix.commit]
    if not here or any(named in (one.name, str(one.version)) for one in here):
        return None
    if not _is_version(desk, named) and not _on_line(desk, hotfix.commit):
        return None
    sentence = f"{hotfix.branch} has no commit of its own on top of {here[0].name}: there is nothing to finish"
    hint = f"commit the repair there first: git switch {hotfix.branch}. Or remove it: git branch -d {hotfix.branch}"
    return Declined("nothing-to-finish", sentence, hint)


def _is_version(desk: BranchDesk, text: str) -> bool:
    try:
        find_scheme(desk.versioning.scheme, desk.versioning.calver).parse(text.removeprefix("v"))
    except UserError:
        return False
    return True


def _on_line(desk: BranchDesk, commit: str) -> bool:
    """The commit is one that the main branch stood on itself."""
    main = desk.base_of(desk.main)
    if isinstance(main, Declined):
        return False
    known, at = desk.history.read([main.commit]), main.commit
    while at in known:
        if at == commit:
            return True
        at = next(iter(known[at].parents), "")
    return False


def _repaired(desk: BranchDesk, releases: Releases, named: str | None) -> Tagged:
    if not releases.stable:
        raise UserError("no-release", "there is no stable release that could be repaired", "fairway release makes one")
    if named is not None:
        found = next((one for one in releases.tagged if named in (one.name, str(one.version))), None)
        if found is None:
            near = ", ".join(one.name for one in releases.stable[:5])
            raise UserError("unknown-release", f"{named[:60]!r} is no release", f"the latest: {near}")
        return found
    running = {one.commit for one in desk.live()}
    return next((one for one in releases.stable if one.commit in running), releases.stable[0])


def _following(desk: BranchDesk, repaired: Tagged) -> str:
    """The version of the repair. Of calendar versions only the day of the release will tell."""
    policy = desk.versioning
    if policy.scheme == "calver":
        return f"{repaired.version}-repair"
    scheme = find_scheme(policy.scheme, policy.calver)
    return str(scheme.raised(repaired.version.core, Level.PATCH, datetime.date(1970, 1, 1)))


def _release_words(desk: BranchDesk, branch: str) -> tuple[str, ...]:
    """Where the policy wants the hotfix released."""
    if desk.policy is None or desk.policy.develop is None:
        return (f"fairway release, on {branch}; then fairway hotfix finish {branch}",)
    return (f"fairway hotfix finish {branch}; then fairway release, on {desk.main}",)


def _chosen(desk: BranchDesk, named: str | None) -> str:
    if named is not None:
        return named if named.startswith(PREFIX) else f"{PREFIX}{named}"
    there = desk.branches.matching(f"{PREFIX}*")
    if len(there) == 1:
        return there[0]
    if not there:
        raise UserError("no-hotfix", "there is no hotfix branch here", "fairway hotfix start makes one")
    raise UserError("several-hotfixes", f"there are {', '.join(there[:8])}", "say which: fairway hotfix finish BRANCH")


def _targets(desk: BranchDesk) -> tuple[str, ...]:
    """The main branch; in gitflow also `develop`, and release branches that are not part of the main branch yet."""
    main, policy = desk.main, desk.policy
    if policy is None or policy.develop is None:
        return (main,)
    open_ones = []
    onto = desk.base_of(main)
    for name in desk.branches.matching("release/*"):
        tip = desk.branches.observe(name).local
        if tip is not None and not isinstance(onto, Declined) and not desk.history.holds(onto.commit, tip):
            open_ones.append(name)
    return (main, policy.develop, *open_ones)


def _merge(desk: BranchDesk, hotfix: Base, onto: Base) -> BranchWork | Declined | None:
    """What brings the hotfix into a branch; None if it is there."""
    if onto.tip.local is not None and desk.history.holds(onto.tip.local, hotfix.commit):
        return None
    if onto.tip.dirty:
        sentence = f"{onto.branch} is checked out in {onto.tip.folder}, with changes that are not committed"
        return Declined("work-tree-dirty", sentence, "commit them or put them aside, or check out another branch there")
    work = BranchWork(onto.branch, onto.commit, before=onto.tip.local, folder=onto.tip.folder)
    if desk.history.holds(onto.commit, hotfix.commit):
        return work
    message = f"Merge branch '{hotfix.branch}' into {onto.branch}"
    change = Change("merge", hotfix.commit, message, message=message)
    return BranchWork(onto.branch, onto.commit, (change,), onto.tip.local, onto.tip.folder)
