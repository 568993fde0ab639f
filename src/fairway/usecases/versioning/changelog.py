"""The changelog of a branch."""

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from fairway.domain.errors import UserError
from fairway.domain.versioning.changelog import Release, Wanted, build_changelog
from fairway.domain.versioning.commits import Commit
from fairway.domain.versioning.line import Line, find_line
from fairway.domain.versioning.policy import Policy
from fairway.domain.versioning.scheme import find_scheme
from fairway.domain.versioning.tags import Tagged, read_tags, write_tag
from fairway.ports.history import History, Place
from fairway.usecases.versioning.situation import beside_main_line


class Log(NamedTuple):
    """A changelog, and where it was read.

    Attributes:
        releases: the newest first, what is not released yet before them; read once only.
    """

    place: Place
    releases: Iterator[Release]


def read_changelog(history: History, policy: Policy, *, fold: bool = True) -> Log:
    """The changelog of the branch: its releases, and on the main line those on release branches beside it.

    Args:
        history: the repository.
        policy: the project's rules.
        fold: what pre-releases brought stands under their final release.

    Raises:
        PermanentError: the clone is shallow, or there is no repository.
    """
    place = history.locate()
    line = Line("") if policy.channels and place.branch is None else find_line(place.branch, policy, channel="stable")
    releases = read_tags(place.tags, find_scheme(policy.scheme, policy.calver), policy)
    commits = history.read([place.head])
    within = [one for one in releases.tagged if one.commit in commits]
    beside: list[Tagged] = []
    if policy.siblings and line.within is None and len(within) < len(releases.tagged):
        base = next((one for one in within if not one.is_prerelease), None)
        stable = [one for one in releases.stable if one.commit not in commits]
        beside = beside_main_line(history, place, stable, base)
    everything: Mapping[str, Commit] = commits
    copied: frozenset[tuple[str, str, str]] = frozenset()
    if beside:
        others = history.read([one.commit for one in beside], [place.head])
        everything = {**commits, **others}
        copied = frozenset(one.identity for one in others.values())
    touching = history.touching(policy.paths, place.head, None) if policy.paths else None
    shown: Sequence[Tagged] = within
    if beside:
        shown = sorted([*within, *beside], key=lambda one: one.version.order, reverse=True)
    wanted = Wanted(fold, touching, copied)
    return Log(place, build_changelog(everything, shown, place.head, policy, wanted))


def notes_of(releases: Iterable[Release], version: str) -> Release:
    """The release of that version or tag.

    Raises:
        UserError: there is none.
    """
    known = []
    for release in releases:
        if release.version is not None and version in (release.version, release.tag, f"v{release.version}"):
            return release
        known.append(release.tag)
    near = ", ".join([tag for tag in known if tag][:5])
    raise UserError(
        "unknown-release", f"{version[:60]!r} is no release of this branch", f"the latest: {near or 'none'}"
    )


def unreleased_as(log: Log, version: str, policy: Policy, day: datetime.date) -> Iterator[Release]:
    """The releases, with what is not released yet under the version that it will have; as they are without one."""
    if not version:
        yield from log.releases
        return
    parsed = find_scheme(policy.scheme, policy.calver).parse(version)
    first = next(log.releases)
    tag = write_tag(parsed, policy, None)
    yield first._replace(version=str(parsed), tag=tag, date=day.isoformat(), is_prerelease=parsed.is_prerelease)
    yield from log.releases
