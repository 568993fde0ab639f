"""Which releases a branch makes: its channel, and the range of versions that its name or the configuration gives it.

A branch that is named for a version is a release branch: `1.x`, `v1.4.x`, `release-1.9`, `release/2.0`, `8-0-stable`,
`45-x-y`, `stable/1.2`, `support/1.x`, `hotfix/1.4.3`. It holds the versions of its name and no others.
"""

import re
from typing import NamedTuple

from fairway.domain.errors import UserError
from fairway.domain.versioning.pattern import pattern
from fairway.domain.versioning.policy import Channel, Policy

_WORD = r"(?:release|releases|rel|stable|support|maintenance|maint|branch|hotfix)"
_NUMBERS = r"v?(?P<major>\d+)(?:[._-](?:(?P<minor>\d+)(?:[._-](?:(?P<patch>\d+)|[xy*]))?|[xy*](?:[._-][xy*])?))?"
_NAMED = pattern(
    rf"(?:{_WORD}[-/_]{_NUMBERS}|{_NUMBERS.replace('?P<', '?P<bare_')}(?:[-_.](?P<tail>stable|maintenance))?)"
)
_MAIN = frozenset({"main", "master", "trunk"})


class Range(NamedTuple):
    """Versions from one to before another, by their numbers.

    Attributes:
        text: as people write it.
    """

    text: str
    lowest: tuple[int, int, int]
    below: tuple[int, int, int]

    def has(self, numbers: tuple[int, ...]) -> bool:
        """The numbers lie in the range."""
        return self.lowest <= tuple((*numbers, 0, 0, 0)[:3]) < self.below


class Line(NamedTuple):
    """What a branch makes.

    Attributes:
        channel: as it is shown.
        pre: token of its pre-releases; empty: stable releases.
        within: None: any version.
    """

    channel: str
    pre: str = ""
    within: Range | None = None


def find_line(branch: str | None, policy: Policy, *, pre: str | None = None, channel: str | None = None) -> Line:
    """What this branch makes.

    Args:
        branch: None where no branch is checked out.
        policy: the channels.
        pre: a token given by hand wins over the channel's own; empty asks for a stable release.
        channel: a channel given by hand wins over the branch.

    Raises:
        UserError: no channel is asked for by that name, or none has the branch.
    """
    found = _named(channel, policy) if channel else _of_branch(branch, policy)
    within = parse_range(found.within) if found.within else _range_of(branch, policy)
    token = found.pre if pre is None else pre
    name = found.name if token == found.pre else token
    return Line(name or token or "stable", token, within)


def is_release_branch(branch: str) -> bool:
    """The branch is named for a version, so that what is tagged on it is part of the project's own releases."""
    return named_range(branch) is not None


def parse_range(text: str) -> Range:
    """The range.

    Raises:
        UserError: it is none.
    """
    match = re.fullmatch(
        r"v?(?P<major>\d+)(?:\.(?:(?P<minor>\d+)(?:\.(?:(?P<patch>\d+)|[x*]))?|[x*]))?(?:\.[x*])?", text
    )
    if match is None:
        raise UserError("version-range", f"{text[:40]!r} is not a range of versions", "such as 1.x or 1.4.x")
    return _range(text, match["major"], match["minor"], match["patch"])


def named_range(branch: str) -> Range | None:
    """The range that a branch's name gives, None if it gives none."""
    match = _NAMED.fullmatch(branch)
    if match is None:
        return None
    if match["major"] is not None:
        return _range(branch, match["major"], match["minor"], match["patch"])
    if not re.search(r"[._-]", branch):
        return None  # a bare number is as likely the number of an issue
    return _range(branch, match["bare_major"], match["bare_minor"], match["bare_patch"])


def _range(text: str, major: str, minor: str | None, patch: str | None) -> Range:
    first = int(major)
    if minor is None:
        return Range(text, (first, 0, 0), (first + 1, 0, 0))
    lowest = (first, int(minor), int(patch or 0))
    return Range(text, lowest, (first, int(minor) + 1, 0))


def _range_of(branch: str | None, policy: Policy) -> Range | None:
    return named_range(branch) if branch and policy.scheme != "calver" else None


def _of_branch(branch: str | None, policy: Policy) -> Channel:
    for one in policy.channels:
        if branch is not None and one.has(branch):
            return one
    if not policy.channels or (branch is not None and is_release_branch(branch)):
        return Channel("", "stable")
    known = ", ".join(one.branch for one in policy.channels)
    if branch is None:
        raise UserError("no-branch", "no branch is checked out, so that the channel is not known", "say --branch NAME")
    sentence = f'branch "{branch[:80]}" belongs to no channel: {known}'
    raise UserError("no-channel", sentence, "add it to versioning.channels, or say --channel NAME")


def _named(channel: str, policy: Policy) -> Channel:
    for one in policy.channels:
        if channel in (one.name, one.pre) or (channel == "stable" and not one.pre and not one.within):
            return one
    if channel == "stable" or (not policy.channels and re.fullmatch(r"[0-9A-Za-z-]+", channel)):
        return Channel("", channel, "" if channel == "stable" else channel)
    known = ", ".join(one.name or one.pre or "stable" for one in policy.channels)
    raise UserError("unknown-channel", f"there is no channel {channel[:40]!r}", f"known: {known or 'stable'}")
