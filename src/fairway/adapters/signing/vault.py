"""Private halves that lie in a vault: commands of the user's own read and store them.

What passes between the command and this process goes through pipes only: never through a file, an argument, a variable
or a log. The command inherits the variables of whoever runs it, for that is where the address and the token of a vault
are, without our own secrets.
"""

import os
import selectors
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress

from fairway.domain.errors import TransientError, UserError

#: Seconds until it must have ended; bytes of the longest key.
_PATIENCE, _LARGEST = 60.0, 64 * 1024
#: How a private half begins as it is, and encrypted.
PLAIN, _ENCRYPTED = b"-----BEGIN PRIVATE KEY-----", (b"-----BEGIN AGE ENCRYPTED FILE-----", b"age-encryption.org/")
_ALONE = "run it by hand: it must print the private half and nothing else"
_OWN = ("FAIRWAY_KEY_PASSPHRASE", "FAIRWAY_AGE_IDENTITY", "FAIRWAY_SIGNING_KEY")


def read_private(command: str, environment: Mapping[str, str]) -> bytes:
    """What the command prints; its complaints are shown to nobody, for they may hold parts of it.

    Args:
        command: an argument line; no shell runs.
        environment: where variables are.

    Raises:
        UserError: there is no such program, or it prints no key, or more than one.
        TransientError: it failed, or did not end within a minute.
    """
    content = _run(command, environment, None).strip()
    if not content.startswith((PLAIN, *_ENCRYPTED)):
        sentence = f"{_named(command)} printed {'no key' if content else 'nothing'}"
        raise UserError("vault-command", sentence, _ALONE)
    return content


def store_private(command: str, environment: Mapping[str, str], private: bytes) -> None:
    """Gives the command the private half on its standard input.

    Raises:
        UserError: there is no such program.
        TransientError: it failed, or did not end within a minute.
    """
    _run(command, environment, private)


def _run(command: str, environment: Mapping[str, str], given: bytes | None) -> bytes:
    """What the command prints; nothing where it is given something, for then nobody listens to it."""
    process = _start(command, environment, given)
    try:
        if given is None:
            content = _read(process)
        else:
            content = b""
            process.communicate(given, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        sentence = f"{_named(command)} did not end within {_PATIENCE:g} s"
        raise TransientError("vault-command", sentence, "run it by hand") from None
    finally:
        if process.returncode is None:  # else its number may be that of a stranger
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.stdout:
            process.stdout.close()
    if len(content) > _LARGEST:
        sentence = f"{_named(command)} printed more than {_LARGEST >> 10} KiB"
        raise UserError("vault-command", sentence, _ALONE)
    if process.returncode != 0:
        sentence = f"{_named(command)} ended with status {process.returncode}"
        raise TransientError("vault-command", sentence, "run it by hand: what it says is not shown here")
    return content


def _start(command: str, environment: Mapping[str, str], given: bytes | None) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(
            shlex.split(command),
            env={name: value for name, value in environment.items() if name not in _OWN},
            stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
            stdout=subprocess.PIPE if given is None else subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError, IndexError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        sentence = f"{_named(command)} cannot be run: {reason}"
        raise UserError("vault-command", sentence, "compare the program's name and PATH") from None


def _read(process: "subprocess.Popen[bytes]") -> bytes:
    """What it printed until it ended; or, while it still runs, more than the longest key has.

    Raises:
        subprocess.TimeoutExpired: it did not end.
    """
    until = time.monotonic() + _PATIENCE
    content = b""
    output = process.stdout.fileno() if process.stdout else 0
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while len(content) <= _LARGEST:
            if not selector.select(max(0.0, until - time.monotonic())):
                raise subprocess.TimeoutExpired(process.args, _PATIENCE)
            chunk = os.read(output, 65_536)
            if not chunk:
                process.wait(max(0.0, until - time.monotonic()))
                break
            content += chunk
    return content


def _named(command: str) -> str:
    """The program alone: its arguments may hold a token."""
    return f"the command of the vault, {command.split(' ', maxsplit=1)[0][:60]!r},"
