"""Options of every command that decides versions, in place of what the configuration says."""

from typing import TYPE_CHECKING, Literal, NamedTuple

from fairway.cli.options import Options

if TYPE_CHECKING:
    from fairway.bootstrap.versioning import Versioning

Step = Literal["none", "major", "minor", "patch", "hotfix", "premajor", "preminor", "prepatch", "prerelease", "release"]


class Rules(NamedTuple):
    """Where, and by which rules.

    Attributes:
        package: a package of the configuration, with versions of its own.
        branch: the branch to decide for, where no branch is checked out, or in place of that one.
        revision: the commit to decide for; default: HEAD.
        scheme: semver, pep440 or calver.
        tag: how tags are written, such as `v{version}`.
        initial: the first version, whatever the commits say.
        zero: what a breaking change makes of 0.1.0: `major` 1.0.0, `minor` or `shift` 0.2.0; with `never` any change
            makes 1.0.0.
        path: only commits that touch this folder count; may be repeated.
    """

    package: str | None = None
    branch: str | None = None
    revision: str = "HEAD"
    scheme: Literal["semver", "pep440", "calver"] | None = None
    tag: str | None = None
    initial: str | None = None
    zero: Literal["major", "minor", "shift", "never"] | None = None
    path: tuple[str, ...] = ()


class Steps(NamedTuple):
    """How a version is raised by hand.

    Attributes:
        bump: how far; `premajor`, `preminor`, `prepatch`, `prerelease` and `release` are those of npm.
        pre: token of the pre-release that is made.
        pre_from: number of the first pre-release of a token, by default 0; `none` for a bare token (npm's steps only).
        dev: number of a development release.
        exact: raise by the step, whatever the present pre-release leads to.
        local: raise the local part behind the plus, which is a version itself.
        date: the day for calendar versions, YYYY-MM-DD; default: today in UTC.
    """

    bump: Step = "none"
    pre: str = ""
    pre_from: str = "0"
    dev: int | None = None
    exact: bool = False
    local: bool = False
    date: str | None = None


DEFAULT_RULES = Rules()
DEFAULT_STEPS = Steps()


def open_by(rules: Rules, options: Options) -> "Versioning":
    """The repository, and the rules that hold."""
    from fairway.bootstrap.versioning import open_versioning
    from fairway.domain.versioning.tags import check_format

    return open_versioning(
        options.config,
        package=rules.package,
        branch=rules.branch,
        revision=rules.revision,
        scheme=rules.scheme,
        tag=check_format(rules.tag) if rules.tag else None,
        initial=rules.initial,
        zero=rules.zero,
        paths=tuple(rules.path) or None,
    )
