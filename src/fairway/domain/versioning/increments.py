"""The steps of npm (`npm version premajor`), as node-semver takes them; for scripts that come from there.

They differ from `bump` in two ways: a step `pre…` always raises, and the last number of a pre-release is raised
wherever it stands (`1.2.3-alpha.0.beta` → `1.2.3-alpha.1.beta`).
"""

from fairway.domain.errors import UserError
from fairway.domain.versioning.level import LEVELS
from fairway.domain.versioning.scheme import Version, raised
from fairway.domain.versioning.semver import SemVer, checked_pre

INCREMENTS = ("premajor", "preminor", "prepatch", "prerelease", "release")


def increment(version: Version, step: str, token: str = "", first: str = "0") -> SemVer:
    """The version after a step.

    Args:
        version: a semantic one.
        step: one of `INCREMENTS`.
        token: of the pre-release; empty: a bare number.
        first: number of the first pre-release of the token, by default 0; `none`: the token alone.

    Raises:
        UserError: the step cannot be taken from this version.
    """
    if not isinstance(version, SemVer):
        raise UserError("npm-step", f'"{version}" is not a semantic version, which {step} is for', "--scheme semver")
    if step == "release":
        if not version.pre:
            raise UserError("not-a-pre-release", f'"{version}" is stable already', "release ends a pre-release")
        return version.core
    if step == "prerelease" and version.pre:
        return _checked(version, _next_pre(version.pre, token, first))
    level = LEVELS["patch" if step == "prerelease" else step.removeprefix("pre")]
    return _checked(SemVer(raised(version.release, level)), _first_pre(token, first))


def _first_pre(token: str, first: str) -> str:
    if first == "none":
        if not token:
            raise UserError("pre-token", "a pre-release needs a token or a number", "such as --pre rc")
        return token
    return f"{token}.{first or 0}" if token else first or "0"


def _next_pre(present: str, token: str, first: str) -> str:
    parts = present.split(".")
    place = next((index for index in range(len(parts) - 1, -1, -1) if parts[index].isdigit()), None)
    raised_parts = list(parts)
    if place is None:
        raised_parts.append(first if first.isdigit() else "0")
    else:
        raised_parts[place] = str(int(parts[place]) + 1)
    if not token:
        return ".".join(raised_parts)
    if first == "none":
        if present == token:
            raise UserError("pre-token", f"{present!r} cannot be raised without a number", "leave out --pre-from none")
        return token
    own = token.split(".")
    return ".".join(raised_parts) if parts[: len(own)] == own and _is_counted(parts, own) else f"{token}.{first or 0}"


def _is_counted(parts: list[str], own: list[str]) -> bool:
    """There is a number behind the token, or it is the token's own last part."""
    return (len(parts) > len(own) and parts[len(own)].isdigit()) or (parts[-1].isdigit() and len(parts) == len(own))


def _checked(version: SemVer, pre: str) -> SemVer:
    return SemVer(version.release, checked_pre(pre))
