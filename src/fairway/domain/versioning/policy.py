"""What a project decides for itself about its versions. The defaults are what most tools of the field do."""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from fairway.domain.versioning.layout import DEFAULT_FORMAT
from fairway.domain.versioning.level import Level
from fairway.domain.versioning.scheme import SchemeName

Zero = Literal["major", "minor", "shift", "never"]

LEVELS_OF_TYPES: Mapping[str, Level] = {
    "feat": Level.MINOR,
    "fix": Level.PATCH,
    "perf": Level.PATCH,
    "revert": Level.PATCH,
    "security": Level.PATCH,
}
#: Keep a Changelog 1.1.0 knows six sections, in this order; types without one are left out unless they break something.
SECTIONS_OF_TYPES: Mapping[str, str] = {
    "feat": "Added",
    "perf": "Changed",
    "deprecate": "Deprecated",
    "remove": "Removed",
    "fix": "Fixed",
    "revert": "Changed",
    "security": "Security",
}
SECTIONS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")


class Channel(NamedTuple):
    """What the releases of some branches are.

    Attributes:
        branch: name or pattern with `*`; a regular expression if it begins with `^`.
        name: as users ask for it.
        pre: token of its pre-releases; empty: it makes stable releases.
        within: the versions that it may make, such as `1.x` or `1.4.x`; empty: any, or as the branch's own name says.
    """

    branch: str
    name: str = ""
    pre: str = ""
    within: str = ""

    def has(self, branch: str) -> bool:
        """The branch belongs to this channel."""
        if self.branch.startswith("^"):
            return re.search(self.branch, branch) is not None
        return fnmatchcase(branch, self.branch)


class Policy(NamedTuple):
    """The rules of one project, or of one package in it.

    Attributes:
        tag: how tags are written, with `{version}`; empty: `v1.2.3` or `1.2.3`, whichever the last release has.
        initial: the first version, whatever the commits say; empty: what they make of 0.0.0.
        zero: at 0.x a breaking change is: `major` 1.0.0; `minor` 0.2.0; `shift` likewise, and a feature 0.1.1; with
            `never` the next release is 1.0.0.
        first_pre: number of the first pre-release of a token.
        read_merges: a merge commit with a header of its own counts; `Merge …` never does.
        siblings: stable releases on release branches that are not part of this one count on the main line.
        paths: only commits that touch one of these count, or that name the scope; empty: all.
        scope: pattern of the scopes of this package, beside its paths.
    """

    scheme: SchemeName = "semver"
    calver: str = DEFAULT_FORMAT
    tag: str = ""
    initial: str = ""
    zero: Zero = "major"
    first_pre: int = 1
    levels: Mapping[str, Level] = LEVELS_OF_TYPES
    sections: Mapping[str, str] = SECTIONS_OF_TYPES
    channels: tuple[Channel, ...] = ()
    read_merges: bool = True
    siblings: bool = True
    paths: tuple[str, ...] = ()
    scope: str = ""


def lowered(level: Level, zero: Zero) -> Level:
    """What a level is at 0.x."""
    if zero == "never":
        return Level.MAJOR
    if level is Level.MAJOR and zero != "major":
        return Level.MINOR
    return Level.PATCH if level is Level.MINOR and zero == "shift" else level
