"""Ready policies, by the name of the strategy that they follow.

- `github-flow`: everything is merged into the main branch, which is released and deployed. A release branch takes out
  what may not go yet; a hotfix branch repairs a release. Other branches may be tried out before production.
- `trunk`: the trunk, and release branches cut from it. Short-lived branches are merged, never deployed.
- `gitflow`: the main branch holds releases only; `develop`, release and hotfix branches make pre-releases.
"""

from typing import Literal

from fairway.domain.branching.policy import BranchRule, ReleaseKind

PolicyName = Literal["github-flow", "trunk", "gitflow"]

#: Other names of branches on which earlier versions go on, such as release-1.9 and 1.x.
_MAINTENANCE = ("release-*", "*.x")
_ALL: tuple[ReleaseKind, ...] = ("stable", "hotfix", "pre")


def ready_rules(
    name: PolicyName, *, main: str, develop: str, environments: tuple[str, ...], production: tuple[str, ...]
) -> tuple[BranchRule, ...]:
    """The rules of a ready policy.

    Args:
        name: which.
        main: the main branch.
        develop: where work is gathered, in gitflow.
        environments: all of them.
        production: those of them that users see.
    """
    before = tuple(one for one in environments if one not in production)
    match name:
        case "github-flow":
            return (
                BranchRule(main, _ALL, environments=environments),
                BranchRule("release/*", _ALL, environments=environments),
                BranchRule("hotfix/*", ("hotfix", "pre"), environments=environments),
                *(BranchRule(one, _ALL, environments=environments) for one in _MAINTENANCE),
                BranchRule("*", environments=before),
            )
        case "trunk":
            return (
                BranchRule(main, _ALL, environments=environments),
                BranchRule("release/*", _ALL, environments=environments),
                BranchRule("hotfix/*", ("hotfix",), environments=environments),
                *(BranchRule(one, _ALL, environments=environments) for one in _MAINTENANCE),
                BranchRule("*"),
            )
        case "gitflow":
            return (
                BranchRule(main, ("stable", "hotfix"), environments=environments),
                BranchRule(develop, ("pre",), environments=before),
                BranchRule("release/*", ("pre",), environments=before),
                BranchRule("hotfix/*", ("pre",), environments=before),
                BranchRule("support/*", _ALL, environments=environments),
                BranchRule("*"),
            )
