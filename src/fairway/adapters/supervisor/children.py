"""Starting a process so that it is either remembered or never was, and learning how it ended."""

import contextlib
import os
import signal
from collections.abc import Callable
from typing import NoReturn

from fairway.adapters.supervisor.files import Json
from fairway.adapters.supervisor.orphans import mark
from fairway.adapters.supervisor.processes import Identity, identify

# What Python changes for itself and a program does not expect (as subprocess restores it).
_RESTORED = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGHUP, signal.SIGTERM, signal.SIGINT)


def start(definition: Json, log: str, remember: Callable[[Identity], None], unit: str = "") -> Identity:
    """Starts the unit's program as the leader of a session of its own, its output appended to the log.

    The child waits at a gate until `remember` has returned: if this process is killed before, the gate closes and the
    child leaves without having run anything. So there is no instant at which a program runs that nobody knows of.

    Args:
        definition: `argv`, `folder` and `variables` of the unit.
        log: file that standard output and standard error go to; opened for appending, so that it can be truncated.
        remember: writes the identity where a successor finds it.
        unit: path of the unit's definition, by which the process can be found if what was remembered is lost.

    Raises:
        OSError: no process, memory or descriptor is to be had.
    """
    pid = 0
    with contextlib.ExitStack() as opened:
        try:
            output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            opened.callback(os.close, output)
            waiting, opening = os.pipe()
            opened.callback(os.close, waiting)
            opened.callback(os.close, opening)
            pid = os.fork()
            if pid == 0:
                _become(definition, output, waiting, opening, unit)
            process = identify(pid)
            if process is None:  # cannot be: nobody else collects our children
                raise ChildProcessError(pid)
            remember(process)
            os.write(opening, b"!")
        except OSError:
            opened.close()
            if pid:
                os.waitpid(pid, 0)  # it leaves by itself: the gate is closed
            raise
    return process


def _become(definition: Json, output: int, waiting: int, opening: int, unit: str) -> NoReturn:
    try:
        os.close(opening)
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        if os.read(waiting, 1):
            for number in _RESTORED:
                signal.signal(number, signal.SIG_DFL)
            os.chdir(definition["folder"])
            variables = dict([*definition["variables"], *mark(unit, definition)])
            os.execvpe(definition["argv"][0], definition["argv"], variables)  # noqa: S606 no shell
    except (OSError, ValueError) as problem:
        os.write(2, f"fairway: cannot start {definition['argv'][0]}: {problem}\n".encode())
    finally:
        os._exit(127)


def describe_end(process: Identity) -> str:
    """How the process ended, in words; it stays uncollected, so that its number stays ours.

    Unknown for one that was started by a predecessor: only a parent is told.
    """
    try:
        end = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        end = None
    if end is None:
        return "ended (status unknown)"
    if end.si_code == os.CLD_EXITED:
        return f"exit status {end.si_status}"
    name = {number.value: number.name for number in signal.Signals}.get(end.si_status, str(end.si_status))
    return f"signal {name}"


def collect(process: Identity) -> None:
    """Lets the kernel forget an ended child; nothing to do for one that was started by a predecessor."""
    try:
        os.waitpid(process.pid, os.WNOHANG)
    except ChildProcessError:
        return
