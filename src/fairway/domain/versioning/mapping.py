"""The same version in other schemes: semver ⇄ PEP 440, tags of container images, Debian.

What another scheme cannot say is left out of the answer, never bent: PEP 440 knows no pre-release `canary`, SemVer no
post release and no epoch, and a tag of an image no plus. Order is kept by every mapping that is given.
"""

import re

from fairway.domain.errors import UserError
from fairway.domain.versioning.calver import CalVer
from fairway.domain.versioning.pep440 import Pep440
from fairway.domain.versioning.scheme import Version
from fairway.domain.versioning.semver import Counted, SemVer, parse_semver

_TOKENS = {"a": "alpha", "b": "beta", "rc": "rc"}
_IMAGE_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


def mapped(version: Version) -> dict[str, str | None]:
    """What the version is elsewhere; None where it cannot be said there."""
    return {
        "semver": _text(to_semver(version)),
        "pep440": _text(to_pep440(version)),
        "container": to_container(version),
        "debian": to_debian(version),
    }


def to_semver(version: Version) -> SemVer | None:
    """As a semantic version."""
    if isinstance(version, SemVer):
        return version
    if isinstance(version, CalVer):
        return _calver_to_semver(version)
    if not isinstance(version, Pep440) or version.epoch or version.post is not None or len(version.release) > 3:
        return None
    numbers = (*version.release, 0, 0)[:3]
    if version.pre:
        pre = str(Counted(_TOKENS[version.pre[0]], version.pre[1]))
        # A development release comes before the pre-release in PEP 440, and would come after it here.
        if version.dev is not None:
            return None
    else:
        # `0` comes before every word, so that the order stays: dev, alpha, beta, rc.
        pre = "" if version.dev is None else f"0.dev.{version.dev}"
    return SemVer((numbers[0], numbers[1], numbers[2]), pre, version.local)


def to_pep440(version: Version) -> Pep440 | None:
    """As a version of a Python package."""
    if isinstance(version, Pep440):
        return version
    numbers = version.release if isinstance(version, SemVer) else _numbers(version)
    pre = getattr(version, "pre", "")
    try:
        plain = Pep440(numbers)
        if pre:
            early = re.fullmatch(r"(?:0\.)?dev\.(\d+)", pre)
            match = re.fullmatch(r"(alpha|beta|rc|a|b|c)\.?(\d+)", pre)
            if early:
                plain = Pep440(numbers, dev=int(early[1]))
            elif match:
                plain = plain.with_pre(Counted(match[1], int(match[2])))
            else:
                return None
        build = getattr(version, "build", "")
        return plain.with_build(build) if build else plain
    except UserError:
        return None


def to_container(version: Version) -> str | None:
    """As the tag of an image: the plus, which it may not hold, becomes an underscore."""
    text = str(version).replace("+", "_").replace("!", "-")
    return text if _IMAGE_TAG.fullmatch(text) and not (isinstance(version, Pep440) and version.epoch) else None


def from_container(tag: str) -> SemVer:
    """The semantic version that a tag of an image was made from.

    Raises:
        UserError: it was made from none.
    """
    return parse_semver(tag.replace("_", "+", 1))


def to_debian(version: Version) -> str | None:
    """As the upstream version of a Debian package: `~` sorts before the end, so that 1.0~rc.1 comes before 1.0."""
    if isinstance(version, Pep440):
        epoch = f"{version.epoch}:" if version.epoch else ""
        pre = f"~{version.pre[0]}{version.pre[1]}" if version.pre else ""
        post = "" if version.post is None else f".post{version.post}"
        dev = "" if version.dev is None else f"~dev{version.dev}" if pre or post else f"~~dev{version.dev}"
        local = f"+{version.local}" if version.local else ""
        return f"{epoch}{'.'.join(map(str, version.release))}{pre}{post}{dev}{local}"
    core, _, pre = str(version).partition("+")[0].partition("-")
    build = str(version).partition("+")[2]
    return f"{core}{'~' if pre else ''}{pre.replace('-', '.')}{'+' if build else ''}{build.replace('-', '.')}"


def _calver_to_semver(version: CalVer) -> SemVer | None:
    """The date as numbers without leading zeros; a same-day counter needs a free place among the three."""
    numbers = _numbers(version)
    if len(numbers) > 3:
        return None
    padded = (*numbers, 0, 0)[:3]
    return SemVer((padded[0], padded[1], padded[2]), version.pre, version.build)


def _numbers(version: Version) -> tuple[int, ...]:
    core = str(version).partition("+")[0].partition("-")[0]
    return tuple(int(one) for one in re.findall(r"\d+", core))


def _text(version: SemVer | Pep440 | None) -> str | None:
    return None if version is None else str(version)
