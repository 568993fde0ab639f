"""The next version by hand: a level, a pre-release, a development release. No history is asked.

From a pre-release the way leads to its own stable version if that is a change of at least the level asked for
(1.1.0-rc.1 → minor → 1.1.0), unless the numbers are to be raised exactly as said (`exact`). A pre-release goes on
counting where its token is the same; a token never goes back from rc to beta or from beta to alpha within one
release.
"""

import datetime
from dataclasses import dataclass, replace

from fairway.domain.errors import UserError
from fairway.domain.versioning.calver import CalVer
from fairway.domain.versioning.level import Level
from fairway.domain.versioning.pep440 import LETTERS, Pep440
from fairway.domain.versioning.scheme import Scheme, Version
from fairway.domain.versioning.semver import Counted, SemVer

_RANK = {"a": 1, "alpha": 1, "b": 2, "beta": 2, "rc": 3}


@dataclass(frozen=True, slots=True)
class Bump:
    """What is asked for.

    Attributes:
        level: NONE: only the pre-release changes, or ends.
        pre: token of the pre-release; empty: the result is stable.
        first: number of the first pre-release of a token.
        dev: number of a development release.
        exact: raise the numbers by the level whatever the present pre-release leads to.
        day: the day for calendar versions.
    """

    level: Level = Level.NONE
    pre: str = ""
    first: int = 1
    dev: int | None = None
    exact: bool = False
    day: datetime.date = datetime.date(1970, 1, 1)


def bump(scheme: Scheme, version: Version, wanted: Bump) -> Version:
    """The version after this one.

    Raises:
        UserError: the scheme does not know the pre-release.
    """
    core = _core(scheme, version, wanted)
    same = core.order == version.core.order
    if wanted.pre:
        counted = _counted(version if same else None, wanted)
        return core.with_pre(counted if wanted.dev is None else counted._replace(dev=wanted.dev))
    return core if wanted.dev is None else core.with_pre(Counted("dev", wanted.dev))


def bump_local(scheme: Scheme, version: Version, wanted: Bump) -> Version:
    """The same version with its local part, itself a version, raised: 4.5.0+0.1.0 → 4.5.0+0.1.1.

    Raises:
        UserError: it has no local part that is a version.
    """
    local = str(version).partition("+")[2]
    if isinstance(version, CalVer) or not local:
        raise UserError("no-local-version", f'"{version}" has no local part to raise', "such as 4.5.0+0.1.0")
    return version.with_build(str(bump(scheme, scheme.parse(local), wanted)))


def _core(scheme: Scheme, version: Version, wanted: Bump) -> Version:
    padded = _padded(version.core)
    if wanted.level is Level.NONE:
        return padded
    if isinstance(padded, CalVer) or not version.is_prerelease or wanted.exact:
        return scheme.raised(padded, wanted.level, wanted.day)
    return padded if _leads_there(padded, wanted.level) else scheme.raised(padded, wanted.level, wanted.day)


def _padded(version: Version) -> Version:
    """With three numbers, as the result of any bump has."""
    if isinstance(version, Pep440) and len(version.release) < 3:
        return replace(version, release=(*version.release, 0, 0)[:3])
    return version


def _leads_there(core: Version, level: Level) -> bool:
    """A pre-release of this stable version is a change of at least that level already."""
    _, minor, patch = (core.release if isinstance(core, SemVer | Pep440) else (0, 0, 0))[:3]
    return level is Level.PATCH or (patch == 0 and (level is Level.MINOR or minor == 0))


def _counted(present: Version | None, wanted: Bump) -> Counted:
    """The number after the present pre-release, or the first one."""
    last = present.counted if present is not None and present.is_prerelease else None
    if last is None:
        return Counted(wanted.pre, wanted.first)
    goes_back = _RANK.get(wanted.pre, 0) < _RANK.get(last.token, 0) and wanted.pre in _RANK
    token = last.token if goes_back else wanted.pre
    if LETTERS.get(token, token) != LETTERS.get(last.token, last.token):
        return Counted(token, wanted.first)
    return Counted(last.token, last.number + 1, last.dotted)
