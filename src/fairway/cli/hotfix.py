"""hotfix."""

from typing import Annotated

from cyclopts import Parameter

from fairway.cli.git_plan import DOING, Doing, carry_out
from fairway.cli.options import DEFAULTS, Options


def start(
    name: str | None = None,
    /,
    *,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    doing: Doing = DOING,
    options: Options = DEFAULTS,
) -> int:
    """Make a branch on a release, to repair it. Says first what it does to git; your work tree is not touched.

    Args:
        name: version or word behind `hotfix/`; default: the version after the release.
        from_: the release; default: what production runs, else the latest stable one.
    """
    from fairway.usecases.branching.hotfix import Begin, plan_start

    wanted = Begin(name, from_, doing.push)
    return carry_out(lambda desk: plan_start(desk, wanted), doing, options)


def finish(branch: str | None = None, /, *, doing: Doing = DOING, options: Options = DEFAULTS) -> int:
    """Merge a hotfix into the main branch, and in gitflow into `develop` and open release branches as well.

    Says first what it does to git. Either all branches get it or, where it conflicts with one of them, none.

    Args:
        branch: with or without `hotfix/`; default: the only one there is.
    """
    from fairway.usecases.branching.hotfix import Finish, plan_finish

    wanted = Finish(branch, doing.push)
    return carry_out(lambda desk: plan_finish(desk, wanted), doing, options)
