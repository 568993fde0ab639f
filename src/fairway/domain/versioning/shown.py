"""What a version consists of, as data."""

from typing import Any

from fairway.domain.versioning.calver import CalVer
from fairway.domain.versioning.pep440 import Pep440
from fairway.domain.versioning.scheme import Scheme, Version
from fairway.domain.versioning.semver import SemVer


def describe_version(version: Version, scheme: Scheme) -> dict[str, Any]:
    """The parts of the version; numbers of a pre-release as numbers."""
    described: dict[str, Any] = {
        "version": str(version),
        "scheme": scheme.name,
        "is_prerelease": version.is_prerelease,
        "stable": str(version.core),
    }
    if isinstance(version, SemVer):
        major, minor, patch = version.release
        described |= {"major": major, "minor": minor, "patch": patch}
        described |= {
            "prerelease": _identifiers(version.pre),
            "build": version.build.split(".") if version.build else [],
        }
    elif isinstance(version, Pep440):
        described |= _describe_pep440(version)
    elif isinstance(version, CalVer):
        described |= {"date": list(version.numbers), "counter": version.counter}
        described |= {
            "prerelease": _identifiers(version.pre),
            "build": version.build.split(".") if version.build else [],
        }
    return described


def _describe_pep440(version: Pep440) -> dict[str, Any]:
    return {
        "epoch": version.epoch,
        "release": list(version.release),
        "pre": list(version.pre) if version.pre else None,
        "post": version.post,
        "dev": version.dev,
        "local": version.local or None,
        "public": version.public,
        "base_version": version.base,
        "is_devrelease": version.dev is not None,
        "is_postrelease": version.post is not None,
    }


def _identifiers(pre: str) -> list[str | int]:
    return [int(one) if one.isdigit() else one for one in pre.split(".")] if pre else []
