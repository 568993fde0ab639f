"""The next version, and why.

The stable version that the commits lead to is the last stable one raised by the greatest change since. A pre-release
is that version with a token and a number: counted from the last stable release, never from the last pre-release, so
that a feature after `1.0.1-rc.1` makes `1.1.0-rc.1`. The final release takes the version that its pre-releases led
to, also where somebody had asked for more than the commits say. What was released is never made again.
"""

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from fairway.domain.errors import UserError
from fairway.domain.versioning.commits import Commit, reachable
from fairway.domain.versioning.level import Level
from fairway.domain.versioning.line import Line
from fairway.domain.versioning.policy import Policy, lowered
from fairway.domain.versioning.scheme import Scheme, Version
from fairway.domain.versioning.semver import Counted
from fairway.domain.versioning.tags import Releases, Tagged, write_tag
from fairway.domain.versioning.weighing import Weighed


class Situation(NamedTuple):
    """Everything that decides.

    Attributes:
        line: what the branch makes.
        releases: all tags of the project, whatever branch they lie on.
        base: the stable release that is counted from; None before the first one.
        weighed: the commits since the base, the newest first.
        boldest: the level without reverts and copies taken into account.
        commits: the same commits by id.
        day: today, for calendar versions.
    """

    line: Line
    releases: Releases
    base: Tagged | None
    weighed: Sequence[Weighed]
    boldest: Level
    commits: Mapping[str, Commit]
    day: datetime.date


class Asked(NamedTuple):
    """What a person asked for.

    Attributes:
        level: in place of what the commits say.
        version: exactly this one.
        build: build metadata, or a local part.
    """

    level: Level | None = None
    version: str = ""
    build: str = ""


NOTHING_ASKED = Asked()


class Decision(NamedTuple):
    """The answer.

    Attributes:
        version: None if nothing is to be released.
        tag: the tag that it gets.
        previous: the release that it follows on its channel.
        level: how far it is from the last stable release.
        sentence: why, in one sentence.
        deciding: object name of the commit that decides, empty if none does.
        refusal: stable code where there are changes but no version may be made of them.
        hint: what to do about a refusal.
    """

    version: Version | None
    tag: str
    previous: Tagged | None
    level: Level
    sentence: str
    deciding: str = ""
    refusal: str = ""
    hint: str = ""
    weighed: Sequence[Weighed] = ()


class _Target(NamedTuple):
    """The stable version that the commits lead to, and what says so."""

    version: Version
    level: Level
    sentence: str
    deciding: str = ""


def decide(scheme: Scheme, policy: Policy, situation: Situation, asked: Asked) -> Decision:
    """The next version of the line.

    Raises:
        UserError: a version that a person or a footer asks for is none, or lies behind the last one.
    """
    earlier = _previews_here(situation)
    target = _target(scheme, policy, situation, asked, earlier)
    last = next((one for one in earlier if _token(one.version) == situation.line.pre), None)
    previous = last if situation.line.pre and last is not None else situation.base
    if target is None:
        since = f"since {situation.base.name}" if situation.base else "yet"
        sentence = f"no commit {since} makes a release" if situation.weighed else f"there is no commit {since}"
        return _no(situation, previous, sentence)
    if not situation.line.pre:
        version = target.version
    else:
        if last is not None and not _is_asked(asked) and _nothing_since(last, target, situation):
            return _no(situation, previous, f"no commit since {last.name} makes a release")
        version = _as_preview(target.version, situation, policy)
    if asked.build:
        version = version.with_build(asked.build)
    return _checked(version, target, previous, situation, policy)


def _target(
    scheme: Scheme, policy: Policy, situation: Situation, asked: Asked, earlier: Sequence[Tagged]
) -> _Target | None:
    """The stable version that is led to, None if nothing is to be released."""
    by_person = _by_person(scheme, situation, asked)
    if by_person is not None:
        return by_person
    best = max((one.level for one in situation.weighed), default=Level.NONE)
    deciding = next((one for one in reversed(situation.weighed) if one.level is best), None) if best else None
    if asked.level is not None:
        level = asked.level
        return _Target(_raise(scheme, policy, situation, level, as_asked=True), level, f"{level.word} was asked for")
    led = _led(scheme, policy, situation, earlier)
    first = situation.base is None and bool(policy.initial) and bool(situation.weighed)
    if deciding is None and led is None and not first:
        return None
    version = scheme.parse(policy.initial) if first else _raise(scheme, policy, situation, best)
    named = f"{deciding.commit.id[:12]} “{deciding.commit.message.subject}” ({deciding.rule})" if deciding else ""
    sentence = f"{best.word} because of {named}" if named else "the first release"
    if first:
        sentence = f"{version} is configured as the first version"
    if led is not None and led.version.core.order > version.order:
        return _Target(led.version.core, best, f"{led.name} led to it", deciding.commit.id if deciding else led.commit)
    within = situation.line.within
    if within is not None and _numbers(version) < within.lowest:
        version = _with_numbers(version, within.lowest)
        sentence = f"{version} is what {within.text} begins with"
    return _Target(version, best, sentence, deciding.commit.id if deciding else "")


def _by_person(scheme: Scheme, situation: Situation, asked: Asked) -> _Target | None:
    """What was asked for by hand, or by the latest footer."""
    footer = next((one for one in situation.weighed if one.commit.message.release_as), None)
    if asked.version:
        text, source, deciding = asked.version, "it was asked for", ""
    elif footer is not None and asked.level is None:
        text, deciding = footer.commit.message.release_as, footer.commit.id
        source = f"Release-As in {deciding[:12]} “{footer.commit.message.subject}”"
    else:
        return None
    version = scheme.parse(text)
    base = situation.base
    if base is not None and version.order <= base.version.order:
        hint = "a version can only go forward; amend the footer by a later commit with another one"
        raise UserError("version-goes-back", f'"{text}" ({source}) does not come after {base.name}', hint)
    level = max((one.level for one in situation.weighed), default=Level.NONE)
    return _Target(version if not situation.line.pre else version.core, level, source, deciding)


def _raise(scheme: Scheme, policy: Policy, situation: Situation, level: Level, *, as_asked: bool = False) -> Version:
    """The version above the base."""
    base = situation.base.version.core if situation.base else scheme.nothing
    if base is None or scheme.name == "calver":
        return scheme.raised(base, level, situation.day)
    if situation.base is None and policy.initial:
        return scheme.parse(policy.initial)
    at_zero = _numbers(base)[0] == 0 and not as_asked
    return scheme.raised(base, lowered(level, policy.zero) if at_zero else level, situation.day)


def _led(scheme: Scheme, policy: Policy, situation: Situation, earlier: Sequence[Tagged]) -> Tagged | None:
    """The highest pre-release here, if it leads further than the commits explain and nobody took that back since."""
    if not earlier or scheme.name == "calver":
        return None
    highest = earlier[0]
    if situation.line.within is not None and not situation.line.within.has(_numbers(highest.version)):
        return None
    most = _raise(scheme, policy, situation, situation.boldest)
    if situation.line.pre and _token(highest.version) == situation.line.pre:
        return highest
    return highest if highest.version.core.order > most.order or situation.boldest is Level.NONE else None


def _previews_here(situation: Situation) -> list[Tagged]:
    """Pre-releases of what comes after the base, on commits that are new since, the highest first."""
    base = situation.base
    return [
        one
        for one in situation.releases.previews
        if one.commit in situation.commits and (base is None or one.version.core.order > base.version.order)
    ]


def _nothing_since(last: Tagged, target: _Target, situation: Situation) -> bool:
    """The last pre-release of this token holds everything that counts already."""
    if last.version.core.order != target.version.order:
        return False
    held = reachable([last.commit], situation.commits)
    return not any(one.level for one in situation.weighed if one.commit.id not in held)


def _as_preview(core: Version, situation: Situation, policy: Policy) -> Version:
    """The next pre-release: the number after the highest of the same token anywhere, for a tag exists only once."""
    token = situation.line.pre
    same = [one.version.counted for one in situation.releases.previews if one.version.core.order == core.order]
    numbers = [one for one in same if one is not None and one.token == token]
    if numbers:
        highest = max(numbers, key=lambda one: one.number)
        return core.with_pre(Counted(token, highest.number + 1, highest.dotted))
    wanted = core.with_pre(Counted(token, policy.first_pre))
    again = wanted.counted
    matching = [one for one in same if again is not None and one is not None and one.token == again.token]
    if again is not None and matching:  # the scheme writes the token in its own way
        return core.with_pre(Counted(again.token, max(one.number for one in matching) + 1, again.dotted))
    return core.with_pre(Counted(token, policy.first_pre, _is_dotted(situation, token)))


def _is_dotted(situation: Situation, token: str) -> bool:
    """As earlier pre-releases of this token are written."""
    for one in situation.releases.previews:
        counted = one.version.counted
        if counted is not None and counted.token == token:
            return counted.dotted
    return True


def _checked(
    version: Version, target: _Target, previous: Tagged | None, situation: Situation, policy: Policy
) -> Decision:
    """The decision, unless the version may not be made here."""
    tag = write_tag(version, policy, previous or next(iter(situation.releases.tagged), None))
    decision = Decision(
        version, tag, previous, target.level, target.sentence, target.deciding, weighed=situation.weighed
    )
    within = situation.line.within
    if within is not None and not within.has(_numbers(version)):
        sentence = f"{version} is not within {within.text}: {target.sentence}"
        hint = "release it from another branch, or ask for a smaller step: --bump patch"
        return _refused(decision, "out-of-range", sentence, hint)
    taken = situation.releases.find(target.version.core)
    if taken is None or (target.version.is_prerelease and not situation.line.pre):
        taken = situation.releases.find(version)
    if taken is not None:
        sentence = f"{target.version} is released already: {taken.name} lies on {taken.commit[:12]}, not in this branch"
        return _refused(decision, "version-taken", sentence, f"merge {taken.name}, or ask for another step with --bump")
    return decision


def _refused(decision: Decision, code: str, sentence: str, hint: str) -> Decision:
    return Decision(
        None, "", decision.previous, decision.level, sentence, decision.deciding, code, hint, decision.weighed
    )


def _no(situation: Situation, previous: Tagged | None, sentence: str) -> Decision:
    return Decision(None, "", previous, Level.NONE, sentence, weighed=situation.weighed)


def _is_asked(asked: Asked) -> bool:
    return asked.level is not None or bool(asked.version)


def _token(version: Version) -> str:
    counted = version.counted
    return counted.token if counted else ""


def _numbers(version: Version) -> tuple[int, ...]:
    return tuple((*getattr(version, "release", ()), 0, 0, 0)[:3])


def _with_numbers(version: Version, numbers: tuple[int, int, int]) -> Version:
    """The version with these numbers; a date has none of its own."""
    with_release: Callable[[tuple[int, int, int]], Version] | None = getattr(version, "with_release", None)
    return version if with_release is None else with_release(numbers)
