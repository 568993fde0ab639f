"""The section `versioning`: how versions are written and decided, and how the changelog looks."""

import re
import zoneinfo
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from fairway.config.document import Document
from fairway.config.problems import KeyPath, Problem, quote
from fairway.config.section import Section
from fairway.config.types import FilePath, Name, bare_word, refuse
from fairway.domain.errors import UserError
from fairway.domain.versioning.calver import check_format as check_calver
from fairway.domain.versioning.layout import DEFAULT_FORMAT
from fairway.domain.versioning.level import LEVELS
from fairway.domain.versioning.line import parse_range
from fairway.domain.versioning.policy import LEVELS_OF_TYPES, SECTIONS_OF_TYPES, Channel, Policy
from fairway.domain.versioning.scheme import find_scheme
from fairway.domain.versioning.spec import VersioningSpec
from fairway.domain.versioning.tags import check_format as check_tag

LevelWord = Literal["none", "patch", "minor", "major"]


def _tag(value: str) -> str:
    return _asked(check_tag, value)


def _calver(value: str) -> str:
    return _asked(check_calver, value)


def _range(value: str) -> str:
    return _asked(parse_range, value)


def _asked(check: Callable[[str], object], value: str) -> str:
    try:
        check(value)
    except UserError as error:
        raise refuse(error.message, error.hint) from error
    return value


def _zone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        raise refuse(f"{quote(value)} is no time zone", "such as Europe/Berlin or UTC") from error
    return value


def _expression(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise refuse(f"{quote(value)} is no regular expression: {error}", "such as core|api-.*") from error
    return value


def _branch(value: str) -> str:
    return _expression(value) if value.startswith("^") else value


TagFormat = Annotated[str, AfterValidator(_tag)]
Expression = Annotated[str, AfterValidator(_expression)]
ZoneName = Annotated[str, AfterValidator(_zone)]
BranchPattern = Annotated[str, AfterValidator(_branch)]
Token = Annotated[str, Field(pattern="^[0-9A-Za-z-]+$")]


class ChannelSection(Section):
    """What the releases of some branches are. The first channel that has the branch counts."""

    branch: BranchPattern = Field(
        description="Name of the branch, or a pattern with `*`; a regular expression if it begins with `^`.",
        examples=["main", "feat/*", "^v[0-9]+$"],
        min_length=1,
    )
    name: Name | None = Field(default=None, description="Name for `--channel`; else its token.", examples=["preview"])
    pre: Token | None = Field(
        default=None, description="Token of its pre-releases. Without it, releases are stable.", examples=["rc"]
    )
    within: Annotated[str, AfterValidator(_range)] | None = Field(
        default=None,
        description="The versions that it may make. By default what the branch's name says, such as `1.x`.",
        examples=["1.4.x"],
    )


class ChangelogSection(Section):
    """How the changelog looks."""

    template: FilePath | None = Field(
        default=None, description="A Jinja template of your own, beside this file.", examples=["changelog.md.j2"]
    )
    sections: dict[str, str] = Field(
        default_factory=dict,
        description="Heading for each type of commit, over the defaults (feat: Added, fix: Fixed, perf and revert: "
        "Changed, security: Security, deprecate: Deprecated, remove: Removed). An empty one leaves the type out.",
        examples=[{"docs": "Documentation", "perf": "Performance"}],
    )
    pre_releases: Literal["fold", "keep"] = Field(
        default="fold",
        description="`fold`: what a pre-release brought stands under its final release once there is one. `keep`: "
        "every pre-release keeps a part of its own.",
        examples=["keep"],
    )
    repository: Annotated[str, Field(pattern="^https?://[^@\\s]+$")] | None = Field(
        default=None,
        description="Address that pull requests, issues and comparisons are linked to; by default that of the remote "
        "`origin`.",
        examples=["https://github.com/example/shop"],
    )


class PackageSection(Section):
    """A package with versions of its own in a repository of several. What is not given is as for the repository."""

    paths: list[str] = Field(
        description="Folders and files that belong to it, from the top of the repository.",
        examples=[["packages/core"]],
        min_length=1,
    )
    scope: Expression | None = Field(
        default=None,
        description="Regular expression of the scopes that name it, whatever files a commit touches.",
        examples=["core(-.*)?"],
    )
    tag: TagFormat | None = Field(
        default=None,
        description="How its tags are written. By default `NAME-v{version}`.",
        examples=["core-v{version}"],
    )
    initial: str | None = Field(default=None, description="Its first version.", examples=["1.0.0"])


class VersioningSection(Section):
    """How versions are written and decided, and how the changelog looks."""

    scheme: Literal["semver", "pep440", "calver"] = Field(
        default="semver", description="How versions are written and ordered.", examples=["calver"]
    )
    calver: Annotated[str, AfterValidator(_calver)] = Field(
        default=DEFAULT_FORMAT,
        description="How calendar versions are written, in the codes of calver.org: YYYY, YY, 0Y, MM, 0M, WW, 0W, DD, "
        "0D, and MICRO for a counter that always stands there. Else the second release of a date gets `.1`.",
        examples=["YY.MM.MICRO"],
    )
    time_zone: ZoneName = Field(
        default="UTC", description="Where the day of calendar versions begins.", examples=["Europe/Berlin"]
    )
    tag: TagFormat | None = Field(
        default=None,
        description="How tags are written. By default `v1.2.3` and `1.2.3` are both read, and the next one is like the "
        "last.",
        examples=["v{version}"],
    )
    initial: str | None = Field(
        default=None,
        description="The first version, whatever the commits say. By default they raise 0.0.0.",
        examples=["1.0.0"],
    )
    zero: Literal["major", "minor", "shift", "never"] = Field(
        default="major",
        description="What a breaking change makes of 0.1.0: `major` 1.0.0; `minor` 0.2.0; `shift` likewise, and a "
        "feature makes 0.1.1. With `never`, whatever is released next is 1.0.0.",
        examples=["minor"],
    )
    pre_from: int = Field(
        default=1, description="Number of the first pre-release of a token.", examples=[0], ge=0, le=1_000_000
    )
    levels: dict[str, LevelWord] = Field(
        default_factory=dict,
        description="How far a type of commit moves the version, over the defaults (feat: minor; fix, perf, revert, "
        "security: patch; any other: none). A breaking change is always major.",
        examples=[{"docs": "patch", "perf": "none"}],
    )
    merges: Literal["read", "ignore"] = Field(
        default="read",
        description="Whether a merge commit whose subject is a header of its own counts; one that begins with `Merge` "
        "never does.",
        examples=["ignore"],
    )
    siblings: bool = Field(
        default=True,
        description="Whether the main line follows a higher stable release on a release branch beside it.",
        examples=[False],
    )
    channels: list[Annotated[ChannelSection, BeforeValidator(bare_word("branch"))]] = Field(
        default_factory=list,
        description="What the releases of which branches are; a bare name makes stable releases. Without any, every "
        "branch does. Branches named for a version (`1.x`, `release-1.9`) need no channel.",
        examples=[["main", {"branch": "dev", "pre": "rc"}, {"branch": "feat/*", "pre": "alpha"}]],
        max_length=100,
    )
    changelog: ChangelogSection = Field(default=ChangelogSection(), description="How the changelog looks.")
    packages: dict[Name, PackageSection] = Field(
        default_factory=dict,
        description="Packages with versions of their own, by name; `--package NAME` asks for one.",
        examples=[{"core": {"paths": ["packages/core"]}}],
    )


def to_policy(section: VersioningSection, package: str | None = None) -> Policy:
    """The rules of the repository, or of one of its packages.

    Raises:
        UserError: there is no such package.
    """
    own = section.packages.get(package) if package is not None else None
    if package is not None and own is None:
        known = ", ".join(section.packages)
        raise UserError("unknown-package", f"there is no package {package[:40]!r}", f"known: {known or 'none'}")
    levels = {**LEVELS_OF_TYPES, **{kind.lower(): LEVELS[word] for kind, word in section.levels.items()}}
    sections = {**SECTIONS_OF_TYPES, **{kind.lower(): title for kind, title in section.changelog.sections.items()}}
    tag = section.tag if own is None else own.tag or f"{package}-v{{version}}"
    return Policy(
        scheme=section.scheme,
        calver=section.calver,
        tag=tag or "",
        initial=(own.initial if own and own.initial else section.initial) or "",
        zero=section.zero,
        first_pre=section.pre_from,
        levels=levels,
        sections={kind: title for kind, title in sections.items() if title},
        channels=tuple(_channel(one) for one in section.channels),
        read_merges=section.merges == "read",
        siblings=section.siblings,
        paths=tuple(own.paths) if own else (),
        scope=(own.scope if own else None) or "",
    )


def to_spec(section: VersioningSection, folder: Path, package: str | None = None) -> VersioningSpec:
    """The section in the words of the domain.

    Args:
        section: a valid one.
        folder: the folder of the file.
        package: the package that is asked for.

    Raises:
        UserError: there is no such package.
    """
    look = section.changelog
    template = str(folder / look.template) if look.template else ""
    policy = to_policy(section, package)
    return VersioningSpec(policy, section.time_zone, template, look.pre_releases, look.repository or "")


def check_versioning(document: Document, section: VersioningSection) -> Iterator[Problem]:
    """What concerns more than one key of the section."""
    scheme = find_scheme(section.scheme, section.calver)
    places: list[tuple[KeyPath, str | None]] = [(("versioning", "initial"), section.initial)]
    places += [(("versioning", "packages", name, "initial"), one.initial) for name, one in section.packages.items()]
    for path, initial in places:
        if initial is not None:
            try:
                scheme.parse(initial)
            except UserError as error:
                yield document.problem(path, error.message, error.hint)


def _channel(section: ChannelSection) -> Channel:
    return Channel(section.branch, section.name or section.pre or "", section.pre or "", section.within or "")
