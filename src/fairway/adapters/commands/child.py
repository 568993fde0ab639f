"""From the watching process to the command: a fork that waits for leave, then becomes the program."""

import contextlib
import os
import signal
from typing import NamedTuple, NoReturn

from fairway.adapters.commands.place import Json

# What a caller may have been told to ignore, or Python ignores by itself, and a command would inherit.
_SIGNALS = (
    *(signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM),
    *(signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD),
)


class Child(NamedTuple):
    """A process that will become the program.

    Attributes:
        pid: its number; it leads its session.
        gate: a byte written here lets it go on; closed without one, the process ends without having run anything.
        failure: gives what kept it from becoming the program, as `part errno`; nothing once it has become it.
        output: what the program writes.
    """

    pid: int
    gate: int
    failure: int
    output: int


def fork_child(definition: Json) -> Child:
    """Forks. Its identity can be written down before it is let go, so that no command ever runs unknown."""
    gate_out, gate_in = os.pipe()
    failure_out, failure_in = os.pipe()
    output_out, output_in = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(gate_in)
        _become(definition, gate_out, failure_in, output_in)
    for descriptor in (gate_out, failure_in, output_in):
        os.close(descriptor)
    return Child(pid, gate_in, failure_out, output_out)


def _become(definition: Json, gate: int, failure: int, output: int) -> NoReturn:
    part = "program"
    try:
        os.setsid()
        if os.read(gate, 1):
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(output, 1)
            os.dup2(output, 2)
            part = "folder"
            os.chdir(definition["folder"])
            part = "program"
            # All other descriptors close by themselves here, the lock's too: what stays behind cannot hold it.
            program, variables = definition["program"], dict(definition["variables"])
            os.execve(program, definition["argv"], variables)  # noqa: S606 no shell is wanted
    except OSError as problem:
        os.write(failure, f"{part} {problem.errno}".encode())
    except ValueError as problem:  # a zero byte, or a variable without a name
        os.write(failure, f"text {problem}".encode())
    finally:
        os._exit(127)


def let_go(child: Child) -> str:
    """Lets the child become the program; returns what kept it from it, empty if nothing did."""
    with contextlib.suppress(BrokenPipeError):
        os.write(child.gate, b"!")
    os.close(child.gate)
    with os.fdopen(child.failure, "rb") as failure:
        return failure.read().decode(errors="replace")
