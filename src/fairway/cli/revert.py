"""revert."""

from typing import Annotated

from cyclopts import Parameter

from fairway.cli.git_plan import DOING, Doing, carry_out
from fairway.cli.options import DEFAULTS, Options

_FLAG = Parameter(negative="")


def revert(
    *commits: str,
    pr: Annotated[list[str] | None, _FLAG] = None,
    restore: Annotated[bool, _FLAG] = False,
    early: Annotated[bool, _FLAG] = False,
    onto: str | None = None,
    branch: str | None = None,
    doing: Doing = DOING,
    options: Options = DEFAULTS,
) -> int:
    """Make a branch that takes commits or pull requests back. Says first what it does to git.

    Your work tree is not touched, and nothing that is published is rewritten: each commit gets a revert of its own.

    Args:
        commits: commits (also `HEAD~1`), tags or versions; `'#12'` is a pull request.
        pr: number of a pull request, as commits name it; may be repeated.
        restore: bring back what was reverted, once production runs without it: the revert of the revert.
        early: bring it back although production does not run without it yet.
        onto: the branch to be on top of; default: the one that finished work goes to.
        branch: name of the new branch; default: `revert/` or `restore/` and what is meant.
    """
    from fairway.usecases.branching.revert import Wanted, plan_revert

    wanted = Wanted(commits, tuple(pr or ()), restore, early, onto, branch, doing.push)
    return carry_out(lambda desk: plan_revert(desk, wanted), doing, options)
