"""logs."""

import sys

from fairway.cli.options import DEFAULTS, Options
from fairway.cli.output import Exit
from fairway.usecases.deploy import find_environment


def logs(
    *, env: str, revision: str | None = None, lines: int = 20, follow: bool = False, options: Options = DEFAULTS
) -> int:
    """Show what the instances of an environment wrote.

    Args:
        env: the environment.
        revision: only this revision's instances, by its id; default: all.
        lines: how many of the last lines of each instance.
        follow: stay, and show what comes.
    """
    from fairway import bootstrap

    project = bootstrap.open_project(options.config)
    spec = find_environment(project.spec, env)
    target = project.target_of(project.spec.service, env, spec.target)
    for line in target.read_logs(revision, lines=lines, follow=follow):
        sys.stdout.write(f"{line.instance}  {line.text}\n")
        if follow:
            sys.stdout.flush()
    return Exit.YES
