"""The port `SecretCommands`: what passes between a command and this process goes through pipes only.

Never through a file, an argument, a variable or a log.
"""

import os
import selectors
import shlex
import signal
import subprocess
import time
from contextlib import suppress

from fairway.ports.secrets import LONGEST, NotStarted, Printed, SecretCommand

_CHUNK = 65_536


class LocalSecretCommands:
    """Runs them on this machine; safe to use from several threads at once."""

    def run(self, command: SecretCommand, given: bytes | None = None, *, patience: float) -> Printed | NotStarted:
        """See the port."""
        try:
            process = _start(command, given)
        except (OSError, ValueError, IndexError) as error:
            return NotStarted((error.strerror if isinstance(error, OSError) else None) or str(error))
        try:
            if given is None:
                return _listen(process, time.monotonic() + patience)
            process.communicate(given, timeout=patience)
            return Printed(b"", process.returncode)
        except subprocess.TimeoutExpired:
            return Printed(b"", None)
        finally:
            _end(process)


def _start(command: SecretCommand, given: bytes | None) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        shlex.split(command.line),
        cwd=command.folder or None,
        env=dict(command.variables),
        stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
        stdout=subprocess.PIPE if given is None else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _listen(process: "subprocess.Popen[bytes]", until: float) -> Printed:
    """What it prints until it has ended; or until then, in monotonic seconds; or until it is too much.

    Raises:
        subprocess.TimeoutExpired: it has closed its output and goes on.
    """
    content = b""
    output = process.stdout.fileno() if process.stdout else 0
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while len(content) <= LONGEST and selector.select(_left(until)):
            chunk = os.read(output, _CHUNK)
            if not chunk:
                return Printed(content, process.wait(_left(until)))
            content += chunk
    return Printed(content, None)


def _left(until: float) -> float:
    return max(0.0, until - time.monotonic())


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Stops what still runs, with all that it started."""
    if process.returncode is None:  # else its number may be that of a stranger
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdout:
        process.stdout.close()
