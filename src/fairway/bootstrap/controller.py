"""Starting and finding the controller."""

import fcntl
import os
import sys
from contextlib import suppress
from typing import IO

from fairway.bootstrap.ambient import pause
from fairway.bootstrap.project import Project

#: The supervisor's unit that the controller is.
UNIT = "controller"


def ensure_controller(project: Project) -> None:
    """Makes sure that a controller advances this project's runs; it outlives this command."""
    from fairway.ports.supervisor import Unit

    running = project.supervisor.observe().get(UNIT)
    if (running is not None and running.pid is not None) or (is_served(project) and not _is_orphan(project)):
        keep_serving(project)
        return
    variables = tuple((name, os.environ[name]) for name in sorted(_wanted(project)) if name in os.environ)
    argv = (sys.executable, "-m", "fairway", "serve", "--config", str(project.config))
    project.supervisor.ensure_unit(Unit(UNIT, argv, str(project.folder), variables))


def _is_orphan(project: Project) -> bool:
    """A controller runs that a supervisor started, and nobody would start it again."""
    return any(orphan.unit == UNIT for orphan in project.supervisor.list_orphans())


def _wanted(project: Project) -> set[str]:
    """The variables that the controller gets: few, and those that receivers, metrics, checks and trains name."""
    from fairway.bootstrap.trains import variables_of

    sources = [one.analysis.metrics.source for one in project.spec.environments]
    settings = [*(to.settings for to in project.spec.notify), *(one.settings for one in sources if one is not None)]
    named = {str(value) for each in settings for key, value in each if key.endswith("_variable")}
    named = named.union(*(one.suite.settings.needed for one in project.spec.environments))
    named = named.union(*(one.needed for each in project.spec.environments for one in each.databases))
    named |= variables_of(project)
    return named | {"PATH", "HOME", "LANG", "TZ", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "PGPASSWORD", "PGPASSFILE"}


def keep_serving(project: Project) -> None:
    """Starts what may have died meanwhile: the supervisor, which keeps the controller."""
    project.supervisor.ensure_running()


def is_served(project: Project) -> bool:
    """A controller runs in the foreground of some terminal."""
    lock = project.state / "controller.lock"
    if not lock.exists():
        return False
    with lock.open("rb") as file:
        return not take_lock(file, fcntl.LOCK_EX)


def take_lock(file: IO[bytes], kind: int) -> bool:
    """Takes a lock if that is possible; whoever only looks holds it for an instant, so that one try is not enough."""
    for _ in range(5):
        with suppress(BlockingIOError):
            fcntl.flock(file, kind | fcntl.LOCK_NB)
            return True
        pause(0.01)
    return False
