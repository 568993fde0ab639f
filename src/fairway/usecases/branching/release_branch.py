"""A release branch: a release without some of what is in it."""

import datetime
from dataclasses import dataclass

from fairway.domain.branching.work import BranchPlan, BranchWork
from fairway.domain.errors import UserError
from fairway.domain.versioning.level import Level
from fairway.domain.versioning.scheme import find_scheme
from fairway.usecases.answers import Declined
from fairway.usecases.branching.desk import BranchDesk, revert_of
from fairway.usecases.branching.revert import find_named, new_branch

_SHORT = 8


@dataclass(frozen=True, slots=True)
class Selection:
    """What a release branch is made of.

    Attributes:
        start: version, tag, branch or commit that it begins at.
        without: commits, or pull requests with `#` or `!` before the number, that are taken out.
        requests: numbers of pull requests that are taken out.
        name: of the branch; None: `release/` and the version.
        push: the remote that it is sent to; None: none.
    """

    start: str
    without: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()
    name: str | None = None
    push: str | None = None


def plan_release_branch(desk: BranchDesk, wanted: Selection) -> BranchPlan | Declined:
    """The plan of a branch that holds everything of a release but some commits.

    Raises:
        UserError: what is named is not there, or the branch has no name and no version to be called by.
    """
    start = desk.resolve(wanted.start)
    log = desk.log_of(start)
    found = find_named(desk, log, wanted.without, wanted.requests, wanted.start)
    for one in found:
        by = log.taken_back(one.id)
        if by is not None:
            sentence = (
                f"{one.id[:_SHORT]} ({one.message.subject[:60]}) is not in {wanted.start}: {by[:_SHORT]} took it back"
            )
            return Declined("reverted-already", sentence, "leave it out of --without")
    name = wanted.name or f"release/{_version(desk, wanted.start, start)}"
    left_out = ", ".join(one.message.subject[:60] for one in found)
    title = f"{name} is {wanted.start}" + (f" without {left_out}" if found else "")
    afterwards = (
        f"git switch {name}, and test it",
        f"fairway release, on {name}",
        *(() if wanted.push else (f"git push origin {name}",)),
    )
    work = BranchWork(name, start, tuple(revert_of(one) for one in found))
    return new_branch(desk, title, work, wanted.push, afterwards)


def _version(desk: BranchDesk, named: str, commit: str) -> str:
    """The version that the branch leads to."""
    for one in desk.releases().tagged:
        if one.commit == commit and named in (one.name, str(one.version)):
            if one.version.is_prerelease or desk.versioning.scheme == "calver":
                return str(one.version.core)
            scheme = find_scheme(desk.versioning.scheme, desk.versioning.calver)
            # The day counts for calendar versions only.
            return str(scheme.raised(one.version, Level.PATCH, datetime.date(1970, 1, 1)))
    sentence = f"{named[:60]!r} is no release, so that the branch has no version to be called by"
    raise UserError("no-branch-name", sentence, "give it a name: fairway release-branch NAME --from …")
