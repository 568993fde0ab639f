"""What the configuration says about versions, in the words of the domain."""

from typing import Literal, NamedTuple

from fairway.domain.versioning.policy import Policy


class VersioningSpec(NamedTuple):
    """The rules of a repository and how its changelog looks.

    Attributes:
        policy: the rules of the repository, or of the package that was asked for.
        time_zone: where the day of calendar versions begins.
        template: path of the user's own template; empty: the built-in form.
        pre_releases: whether what a pre-release brought stands under its final release.
        repository: address that links lead to; empty: that of the remote.
    """

    policy: Policy = Policy()
    time_zone: str = "UTC"
    template: str = ""
    pre_releases: Literal["fold", "keep"] = "fold"
    repository: str = ""
