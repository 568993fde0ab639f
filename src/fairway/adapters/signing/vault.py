"""Private halves that lie in a vault: commands of the user's own read and store them.

What passes between the command and this process goes through pipes only: never through a file, an argument, a variable
or a log. The command inherits the variables of whoever runs it, for that is where the address and the token of a vault
are, without our own secrets.
"""

import os
import shlex
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress

from fairway.domain.errors import TransientError, UserError

#: Seconds until it must have ended; bytes of the longest key.
_PATIENCE, _LARGEST = 60.0, 64 * 1024
#: How a private half begins as it is, and encrypted.
PLAIN, _ENCRYPTED = b"-----BEGIN PRIVATE KEY-----", (b"-----BEGIN AGE ENCRYPTED FILE-----", b"age-encryption.org/")
_OWN = ("FAIRWAY_KEY_PASSPHRASE", "FAIRWAY_AGE_IDENTITY", "FAIRWAY_SIGNING_KEY")


def read_private(command: str, environment: Mapping[str, str]) -> bytes:
    """What the command prints; its complaints are shown to nobody, for they may hold parts of it.

    Args:
        command: an argument line; no shell runs.
        environment: where variables are.

    Raises:
        UserError: there is no such program, or it prints no key.
        TransientError: it failed, or did not end within a minute.
    """
    content = _run(command, environment, b"").strip()
    if not content.startswith((PLAIN, *_ENCRYPTED)) or len(content) > _LARGEST:
        sentence = f"{_named(command)} printed {'no key' if content else 'nothing'}"
        raise UserError("vault-command", sentence, "run it by hand: it must print the private half and nothing else")
    return content


def store_private(command: str, environment: Mapping[str, str], private: bytes) -> None:
    """Gives the command the private half on its standard input.

    Raises:
        UserError: there is no such program.
        TransientError: it failed, or did not end within a minute.
    """
    _run(command, environment, private)


def _run(command: str, environment: Mapping[str, str], given: bytes) -> bytes:
    try:
        arguments = shlex.split(command)
        process = subprocess.Popen(
            arguments,
            env={name: value for name, value in environment.items() if name not in _OWN},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError, IndexError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        sentence = f"{_named(command)} cannot be run: {reason}"
        raise UserError("vault-command", sentence, "compare the program's name and PATH") from None
    try:
        content, _ = process.communicate(given, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        sentence = f"{_named(command)} did not end within {_PATIENCE:g} s"
        raise TransientError("vault-command", sentence, "run it by hand") from None
    finally:
        if process.returncode is None:  # else its number may be that of a stranger
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode != 0:
        sentence = f"{_named(command)} ended with status {process.returncode}"
        raise TransientError("vault-command", sentence, "run it by hand: what it says is not shown here")
    return content


def _named(command: str) -> str:
    """The program alone: its arguments may hold a token."""
    return f"the command of the vault, {command.split(' ', maxsplit=1)[0][:60]!r},"
