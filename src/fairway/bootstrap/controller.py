"""Starting, finding and being the controller."""

import fcntl
import logging
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from fairway.bootstrap.ambient import now, pause
from fairway.bootstrap.project import COMMANDS_FOLDER, CONFIG_NAME, STATE_FOLDER, Project, recall
from fairway.domain.errors import FairwayError, PermanentError

#: The supervisor's unit that the controller is.
UNIT = "controller"
#: Seconds for which results and output of commands are kept, and between two looks for older ones.
KEPT_COMMANDS, PRUNE_EVERY = 30 * 86400.0, 86400.0


def ensure_controller(project: Project) -> None:
    """Makes sure that a controller advances this project's runs; it outlives this command."""
    from fairway.ports.supervisor import Unit

    running = project.supervisor.observe().get(UNIT)
    if (running is not None and running.pid is not None) or _is_served(project):
        keep_serving(project)
        return
    variables = tuple((name, os.environ[name]) for name in sorted(_wanted(project)) if name in os.environ)
    argv = (sys.executable, "-m", "fairway", "serve", "--config", str(project.config))
    project.supervisor.ensure_unit(Unit(UNIT, argv, str(project.folder), variables))


def _wanted(project: Project) -> set[str]:
    """The variables that the controller gets: few, and those that receivers of messages and sources of metrics name."""
    sources = [one.analysis.metrics.source for one in project.spec.environments]
    settings = [*(to.settings for to in project.spec.notify), *(one.settings for one in sources if one is not None)]
    named = {str(value) for each in settings for key, value in each if key.endswith("_variable")}
    return named | {"PATH", "HOME", "LANG", "TZ", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "PGPASSWORD", "PGPASSFILE"}


def keep_serving(project: Project) -> None:
    """Starts what may have died meanwhile: the supervisor, which keeps the controller."""
    project.supervisor.ensure_running()


def _is_served(project: Project) -> bool:
    """A controller runs in the foreground of some terminal."""
    lock = project.state / "controller.lock"
    if not lock.exists():
        return False
    with lock.open("rb") as file:
        return not _take(file, fcntl.LOCK_EX)


def serve(config: Path | None, log: Callable[[str], None]) -> None:
    """Is the controller until SIGTERM or SIGINT. A server is shared by several controllers, a file has one.

    Raises:
        PermanentError: another one serves the same file.
    """
    path, service, database = recall(config)
    alone = not database.startswith("postgres")
    with _present(path.parent / STATE_FOLDER, alone=alone):
        _serve(Project(path, path.parent, database, exclusive=alone, serves=service), log)


@contextmanager
def _present(state: Path, *, alone: bool) -> Iterator[None]:
    """Holds the lock by which commands see that a controller runs; the system frees it when the process ends."""
    with (state / "controller.lock").open("ab") as file:
        if not _take(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH):
            raise PermanentError("controller-runs", f"another controller serves {state}", "fairway down stops it")
        yield


def _take(file: IO[bytes], kind: int) -> bool:
    """Takes a lock if that is possible; whoever only looks holds it for an instant, so that one try is not enough."""
    for _ in range(5):
        with suppress(BlockingIOError):
            fcntl.flock(file, kind | fcntl.LOCK_NB)
            return True
        pause(0.01)
    return False


def _serve(project: Project, log: Callable[[str], None]) -> None:
    from fairway.engine.advance import Engine
    from fairway.engine.controller import POSTMEN, WORKERS, Controller, Postman
    from fairway.engine.judge import Judge

    logging.raiseExceptions = False
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    def report(what: str, error: BaseException) -> None:
        hint = error.hint if isinstance(error, FairwayError) else ""
        log(f"{what}: {type(error).__name__}: {error} {hint}".rstrip())

    store = project.store
    holder = f"{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(4)}"
    with (
        ThreadPoolExecutor(WORKERS, "run") as workers,
        ThreadPoolExecutor(WORKERS, "look") as looks,
        ThreadPoolExecutor(POSTMEN, "post") as postmen,
    ):
        engine = Engine(store, Judge(store, looks), project.world, now, looks)
        controller = Controller(engine, store, holder, now, workers, report)
        postman = Postman(store, project.notifier, now, report, postmen)
        others = [
            threading.Thread(target=postman.serve, args=(stop,), name="postman"),
            threading.Thread(target=_care, args=(project, stop, report), name="care"),
        ]
        for thread in others:
            thread.start()
        log(f"controller {holder} serves {project.folder}")
        try:
            controller.serve(stop)
        finally:
            # A controller that cannot go on ends with all its threads: only then does the supervisor start another.
            stop.set()
            for thread in others:
                thread.join()
    store.close()


def _care(project: Project, stop: threading.Event, report: Callable[[str, BaseException], None]) -> None:
    """The controller and the supervisor keep each other alive; once a day, what commands left long ago goes."""
    from fairway.adapters.commands import LocalCommands

    pruned = float("-inf")
    while not stop.wait(1.0):
        if not 0 <= now() - pruned < PRUNE_EVERY:
            pruned = now()
            with suppress(OSError):
                LocalCommands(project.state / COMMANDS_FOLDER).prune(KEPT_COMMANDS)
        try:
            project.supervisor.ensure_running()
        except FairwayError as error:
            report("supervisor", error)


__all__ = ["CONFIG_NAME", "ensure_controller", "keep_serving", "serve"]
