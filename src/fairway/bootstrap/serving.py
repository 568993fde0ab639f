"""Being the controller. Only the controller loads this: commands have no use for the engine."""

import fcntl
import gc
import logging
import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from fairway.bootstrap.ambient import now
from fairway.bootstrap.controller import take_lock
from fairway.bootstrap.private import open_private
from fairway.bootstrap.project import STATE_FOLDER, Project, recall
from fairway.bootstrap.repairing import keep_journal
from fairway.bootstrap.tidying import tidy
from fairway.bootstrap.trains import Dispatcher
from fairway.domain.errors import FairwayError, PermanentError
from fairway.engine.advance import Engine
from fairway.engine.controller import POSTMEN, WORKERS, Controller, Postman
from fairway.engine.judge import Judge

#: Seconds between two looks for what nobody needs any more.
TIDY_EVERY = 86400.0
#: New objects, and collections of the younger ones, after which each generation is collected; Python's own numbers.
_COLLECT = (700, 10, 10)
#: Seconds between two full collections, which take some milliseconds each: by itself Python waits until a quarter of
#: all that stays has come anew, and what runs leave in cycles would gather over a hundred of them.
_COLLECT_EVERY = 60.0


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
    with open_private(state / "controller.lock", "ab") as file:
        if not take_lock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH):
            raise PermanentError("controller-runs", f"another controller serves {state}", "fairway down stops it")
        yield


def _serve(project: Project, log: Callable[[str], None]) -> None:
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
        ThreadPoolExecutor(WORKERS, "meter") as readers,
    ):
        engine = Engine(store, Judge(store, looks, readers), project.world, now, looks)
        controller = Controller(engine, store, holder, now, workers, report)
        postman = Postman(store, project.notifier, now, report, postmen)
        others = [
            threading.Thread(target=postman.serve, args=(stop,), name="postman"),
            threading.Thread(target=_care, args=(project, stop, report), name="care"),
            threading.Thread(target=_tidy, args=(project, stop, report), name="tidy"),
            threading.Thread(target=Dispatcher(project, report).serve, args=(stop,), name="trains"),
        ]
        for thread in others:
            thread.start()
        _collect_as_usual()
        log(f"controller {holder} serves {project.folder}")
        try:
            controller.serve(stop)
        finally:
            # A controller that cannot go on ends with all its threads: only then does the supervisor start another.
            stop.set()
            for thread in others:
                thread.join()
    store.close()


def _collect_as_usual() -> None:
    """Lets garbage be collected as often as in any process that stays.

    A command is over before it has made much garbage, and so it collects late. What is there by now is left alone.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT)


def _care(project: Project, stop: threading.Event, report: Callable[[str, BaseException], None]) -> None:
    """The controller and the supervisor keep each other alive; and memory is given back."""
    collected = now()
    while not stop.wait(1.0):
        try:
            project.supervisor.ensure_running()
        except FairwayError as error:
            report("supervisor", error)
        if not 0 <= now() - collected < _COLLECT_EVERY:
            collected = now()
            gc.collect()


def _tidy(project: Project, stop: threading.Event, report: Callable[[str, BaseException], None]) -> None:
    """Copies of the journal are kept, and once a day, also where clocks jump, what nobody needs any more goes.

    A thread of its own: it may take minutes.
    """
    tidied = kept = float("-inf")
    pause = 0.0
    while not stop.wait(1.0):
        if not 0 <= now() - kept < pause:
            kept = now()
            pause = keep_journal(project, report)
        if not 0 <= now() - tidied < TIDY_EVERY:
            tidied = now()
            tidy(project, tidied, report)
