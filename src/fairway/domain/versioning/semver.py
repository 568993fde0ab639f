"""Semantic versions 2.0.0, strictly: https://semver.org/spec/v2.0.0.html.

A leading `v` belongs to the tag and not to the version. A pre-release of ours is a token and a number, `rc.2`, and
may be followed by `dev.N`; the undotted `rc2` that many repositories have is read as well and goes on undotted.
"""

import re
from typing import NamedTuple

from fairway.domain.errors import UserError
from fairway.domain.versioning.pattern import pattern

_IDENTIFIER = r"(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
_PATTERN = pattern(
    r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)"
    rf"(?:-({_IDENTIFIER}(?:\.{_IDENTIFIER})*))?"
    r"(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?",
    re.ASCII,
)
_PLAIN = pattern(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)", re.ASCII)
_PRE = pattern(rf"{_IDENTIFIER}(?:\.{_IDENTIFIER})*", re.ASCII)
_COUNTED = pattern(r"(?:(?P<token>.*?[^0-9.])(?P<dot>\.?))?(?P<number>\d+)", re.ASCII)
_DEV = pattern(r"(?:(?P<rest>.*)\.)?dev\.(?P<number>\d+)", re.ASCII)


class Counted(NamedTuple):
    """A pre-release that can be counted.

    Attributes:
        token: what is counted, such as `rc`; empty for a bare number.
        number: which one, from 0.
        dotted: written `rc.1` and not `rc1`.
        dev: number of a development release of it, None for the pre-release itself.
    """

    token: str
    number: int
    dotted: bool = True
    dev: int | None = None

    def __str__(self) -> str:
        counted = f"{self.token}{'.' if self.dotted and self.token else ''}{self.number}"
        return counted if self.dev is None else f"{counted}.dev.{self.dev}"


class SemVer(NamedTuple):
    """A semantic version.

    Attributes:
        release: major, minor, patch.
        pre: identifiers after the hyphen, dotted; empty for a stable version.
        build: what follows the plus; has no part in the order.
    """

    release: tuple[int, int, int]
    pre: str = ""
    build: str = ""

    def __str__(self) -> str:
        core = ".".join(map(str, self.release))
        return f"{core}{'-' if self.pre else ''}{self.pre}{'+' if self.build else ''}{self.build}"

    @property
    def is_prerelease(self) -> bool:
        """It comes before the version without the hyphen."""
        return bool(self.pre)

    @property
    def order(self) -> tuple[object, ...]:
        """Sorts as SemVer says: build metadata has no say."""
        if not self.pre:
            return (*self.release, True, ())
        parts = tuple((0, int(one), "") if one.isdigit() else (1, 0, one) for one in self.pre.split("."))
        return (*self.release, False, parts)

    @property
    def core(self) -> "SemVer":
        """The stable version that this one is, or leads to."""
        return SemVer(self.release)

    @property
    def counted(self) -> Counted | None:
        """Token and number of the pre-release; None if it has none that could be counted on."""
        text, dev = self.pre, None
        if match := _DEV.fullmatch(text):
            if match["rest"] is None:
                return Counted("dev", int(match["number"]))
            text, dev = match["rest"], int(match["number"])
        match = _COUNTED.fullmatch(text)
        if match is None:
            return Counted(text, 0, dev=dev) if text else None
        return Counted(match["token"] or "", int(match["number"]), match["dot"] != "", dev)

    def with_release(self, numbers: tuple[int, int, int]) -> "SemVer":
        """The same version with other numbers."""
        return self._replace(release=numbers)

    def with_pre(self, counted: Counted | None) -> "SemVer":
        """The same release as this pre-release, or as the stable version; without build metadata.

        Raises:
            UserError: the token cannot stand in a version.
        """
        return SemVer(self.release, "" if counted is None else checked_pre(str(counted)))

    def with_build(self, build: str) -> "SemVer":
        """The same version with build metadata.

        Raises:
            UserError: it is no build metadata.
        """
        return parse_semver(str(self._replace(build=build)))


def order_plain(text: str) -> tuple[object, ...] | None:
    """The order of a version that is three numbers; None for any other text. Cheaper than to read it."""
    match = _PLAIN.fullmatch(text)
    if match is None:
        return None
    major, minor, patch = match.groups()
    return int(major), int(minor), int(patch), True, ()


def checked_pre(text: str) -> str:
    """The pre-release.

    Raises:
        UserError: it cannot stand in a version.
    """
    if not _PRE.fullmatch(text):
        hint = "letters, digits and hyphens, in parts with dots between them: rc, alpha, build-7"
        raise UserError("pre-token", f"{text[:60]!r} cannot be a pre-release", hint)
    return text


def parse_semver(text: str) -> SemVer:
    """The version.

    Raises:
        UserError: it is none.
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        hint = "three numbers without leading zeros: 1.4.2, 1.4.2-rc.1, 1.4.2+build.5"
        if text[:1] == "v" and _PATTERN.fullmatch(text[1:]):
            hint = f"the v belongs to the tag: {text[1:]}"
        raise UserError("not-a-version", f"{text[:80]!r} is not a semantic version", hint)
    major, minor, patch, pre, build = match.groups()
    return SemVer((int(major), int(minor), int(patch)), pre or "", build or "")
