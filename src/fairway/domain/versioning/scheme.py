"""The schemes of versions under one roof: reading, ordering, and the next version of a level.

Semantic versions are what most projects have; the other schemes are loaded where one of them is asked for.
"""

import datetime
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, Self

from fairway.domain.errors import UserError
from fairway.domain.versioning.layout import DEFAULT_FORMAT
from fairway.domain.versioning.level import Level
from fairway.domain.versioning.semver import Counted, SemVer, order_plain, parse_semver

if TYPE_CHECKING:
    from fairway.domain.versioning.calver import CalVer
    from fairway.domain.versioning.pep440 import Pep440

SchemeName = Literal["semver", "pep440", "calver"]


class Version(Protocol):
    """What every scheme's version can do."""

    @property
    def order(self) -> tuple[Any, ...]:
        """Sorts versions of the same scheme."""
        ...

    @property
    def is_prerelease(self) -> bool:
        """It comes before a stable version."""
        ...

    @property
    def core(self) -> Self:
        """The stable version that this one is, or leads to."""
        ...

    @property
    def counted(self) -> Counted | None:
        """Token and number of the pre-release."""
        ...

    def with_pre(self, counted: Counted | None) -> Self:
        """The same release as a pre-release, or as the stable version."""
        ...

    def with_build(self, build: str) -> Self:
        """The same version with build metadata, or a local part."""
        ...


class Scheme(NamedTuple):
    """One scheme.

    Attributes:
        name: as the configuration writes it.
        parse: reads a version; raises `UserError`.
        raised: the stable version that is a level above a stable one; the day counts for calendar versions only.
        nothing: what there is before the first release; None where the day decides.
        order_plain: the order of the plainest versions without reading them, None for others and for what is none: a
            history may have thousands, of which few are looked at.
    """

    name: SchemeName
    parse: Callable[[str], Version]
    raised: Callable[[Any, Level, datetime.date], Version]
    nothing: Version | None = None
    order_plain: Callable[[str], tuple[object, ...] | None] = lambda _: None


def find_scheme(name: str, layout: str = DEFAULT_FORMAT) -> Scheme:
    """The scheme of that name.

    Args:
        name: semver, pep440 or calver.
        layout: how calendar versions are written.

    Raises:
        UserError: there is none.
    """
    if name == "semver":
        return Scheme("semver", parse_semver, _raised_semver, SemVer((0, 0, 0)), order_plain)
    if name == "pep440":
        from fairway.domain.versioning.pep440 import Pep440, parse_pep440  # noqa: PLC0415 - see above

        return Scheme("pep440", parse_pep440, _raised_pep440, Pep440((0, 0, 0)))
    if name == "calver":
        from fairway.domain.versioning.calver import parse_calver  # noqa: PLC0415 - see above

        return Scheme("calver", lambda text: parse_calver(text, layout), lambda last, _, day: _after(last, day, layout))
    raise UserError("unknown-scheme", f"there is no scheme of versions {name[:40]!r}", "semver, pep440 or calver")


def _after(last: "CalVer | None", day: datetime.date, layout: str) -> "CalVer":
    from fairway.domain.versioning.calver import version_of  # noqa: PLC0415 - see above

    return version_of(day, layout) if last is None else last.next_on(day)


def raised(numbers: tuple[int, ...], level: Level) -> tuple[int, int, int]:
    """The numbers after a change of that level: what stands right of it begins again at 0."""
    major, minor, patch = (*numbers, 0, 0, 0)[:3]
    match level:
        case Level.MAJOR:
            return major + 1, 0, 0
        case Level.MINOR:
            return major, minor + 1, 0
        case Level.PATCH:
            return major, minor, patch + 1
        case Level.NONE:
            return major, minor, patch


def _raised_semver(version: SemVer, level: Level, _: datetime.date) -> SemVer:
    return SemVer(raised(version.release, level))


def _raised_pep440(version: "Pep440", level: Level, _: datetime.date) -> "Pep440":
    return type(version)(raised(version.release, level), epoch=version.epoch)
