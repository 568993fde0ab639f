"""release-branch."""

from typing import Annotated

from cyclopts import Parameter

from fairway.cli.git_plan import DOING, Doing, carry_out
from fairway.cli.options import DEFAULTS, Options

_SEVERAL = Parameter(negative="", consume_multiple=True)


def release_branch(
    name: str | None = None,
    /,
    *,
    from_: Annotated[str, Parameter(name="--from")],
    without: Annotated[list[str] | None, _SEVERAL] = None,
    without_pr: Annotated[list[str] | None, _SEVERAL] = None,
    doing: Doing = DOING,
    options: Options = DEFAULTS,
) -> int:
    """Make a branch that holds a release without some of its commits. Says first what it does to git.

    Args:
        name: of the branch; default: `release/` and the version that a release leads to.
        from_: a version, tag, branch or commit that it begins at.
        without: commits that are taken out, each by a revert; `'#12'` is a pull request.
        without_pr: numbers of pull requests that are taken out.
    """
    from fairway.usecases.branching.release_branch import Selection, plan_release_branch

    wanted = Selection(from_, tuple(without or ()), tuple(without_pr or ()), name, doing.push)
    return carry_out(lambda desk: plan_release_branch(desk, wanted), doing, options)
