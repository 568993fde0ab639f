"""What one commit counts for, and by which rule."""

import re
from collections.abc import Container, Sequence
from typing import NamedTuple

from fairway.domain.versioning.commits import Commit
from fairway.domain.versioning.level import Level
from fairway.domain.versioning.message import HEADER, Change, Revert, without_request
from fairway.domain.versioning.pattern import pattern
from fairway.domain.versioning.policy import Policy
from fairway.domain.versioning.reverts import Reverts

_SHORT = 12
_MERGE = pattern(r"(?:Merge (?:branch|branches|remote-tracking|tag|commit|pull request|commits) |Merged? )")
_LAYER = pattern(r'(?:Revert|Reapply) "(.*)"', re.DOTALL)


class Weighed(NamedTuple):
    """A commit with what it counts for.

    Attributes:
        changes: what of it belongs into the notes.
        level: how far it moves the version; NONE: not at all.
        rule: why, in words.
    """

    commit: Commit
    changes: tuple[Change, ...]
    level: Level
    rule: str


def weigh(
    newest: Sequence[Commit],
    reverts: Reverts,
    policy: Policy,
    *,
    copied: Container[tuple[str, str, str]] = (),
    touching: Container[str] | None = None,
) -> list[Weighed]:
    """What each commit counts for.

    Args:
        newest: the commits, in any order.
        reverts: what cancels what among them.
        policy: the levels of the types, and which commits belong to the package.
        copied: identities of commits that an earlier release has a copy of.
        touching: the commits that change files of the package; None: there is no package.
    """
    if touching is None and not copied and not reverts.undone and not reverts.undoing:
        return [_weigh_plain(one, reverts, policy) for one in newest]
    scope = re.compile(policy.scope) if policy.scope else None
    return [_weigh(one, reverts, policy, copied, touching, scope) for one in newest]


def _weigh_plain(commit: Commit, reverts: Reverts, policy: Policy) -> Weighed:
    """The same for the many commits about which there is nothing special: a changelog has thousands of them."""
    message = commit.message
    changes = message.changes
    if len(commit.parents) > 1 or message.revert is not None or len(changes) > 1 or changes[0].breaking:
        return _weigh(commit, reverts, policy, (), None, None)
    kind = changes[0].type
    if not kind:
        return Weighed(commit, (), Level.NONE, "no conventional message")
    level = policy.levels.get(kind, Level.NONE)
    return Weighed(commit, changes, level, f"type {kind}" if level else f"type {kind} makes no release")


def _weigh(
    commit: Commit,
    reverts: Reverts,
    policy: Policy,
    copied: Container[tuple[str, str, str]],
    touching: Container[str] | None,
    scope: re.Pattern[str] | None,
) -> Weighed:
    message = commit.message
    if commit.id in reverts.undone:
        return _nothing(commit, f"taken back by {reverts.undone[commit.id][:_SHORT]}")
    if commit.id in reverts.undoing:
        return _nothing(commit, f"takes back {reverts.undoing[commit.id][:_SHORT]}, which is not released")
    if copied and commit.identity in copied:
        return _nothing(commit, "a copy of it is released already")
    if len(commit.parents) > 1 and (not policy.read_merges or _MERGE.match(message.subject)) and not _breaks(commit):
        return _nothing(commit, "merge commit")
    changes = message.changes if message.revert is None else (_of_revert(message.revert, message.changes[0]),)
    if touching is not None and commit.id not in touching:
        changes = tuple(change for change in changes if scope is not None and scope.fullmatch(change.scope))
        if not changes:
            return _nothing(commit, "touches no file of the package")
    return _counted(commit, changes, policy)


def _counted(commit: Commit, changes: tuple[Change, ...], policy: Policy) -> Weighed:
    best, rule = Level.NONE, ""
    for change in changes:
        level = Level.MAJOR if change.breaking else policy.levels.get(change.type, Level.NONE)
        if level > best or not rule:
            best, rule = max(level, best), _rule(change, level)
    typed = tuple(change for change in changes if change.type or change.breaking)
    return Weighed(commit, typed, best, rule)


def _rule(change: Change, level: Level) -> str:
    if change.breaking:
        return "breaking change" + (f" ({change.type})" if change.type else "")
    if not change.type:
        return "no conventional message"
    return f"type {change.type}" if level else f"type {change.type} makes no release"


def _breaks(commit: Commit) -> bool:
    """A merge that says itself that something breaks is not passed over."""
    return any(change.breaking for change in commit.message.changes)


def _nothing(commit: Commit, rule: str) -> Weighed:
    return Weighed(commit, (), Level.NONE, rule)


def _of_revert(revert: Revert, own: Change) -> Change:
    """The change that a revert of something released is."""
    subject, depth = revert.subject, 0
    while match := _LAYER.fullmatch(without_request(subject)):
        subject, depth = match[1], depth + 1
    header = HEADER.fullmatch(subject)
    named = without_request(header["description"] if header else subject) or own.description
    if revert.restores and header is not None:
        breaking = bool(header["bang"]) or own.breaking
        return Change(header["type"].lower(), header["scope"] or "", f"{named} (restored)", breaking, own.notes)
    scope = (header["scope"] if header else own.scope) or ""
    return Change("revert", scope, f"take back “{named}”", own.breaking, own.notes)
