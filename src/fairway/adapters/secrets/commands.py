"""Values that a command prints, such as that of a vault. What it prints is shown to nobody, its errors included."""

import os
import selectors
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress

from fairway.domain.errors import TransientError, UserError
from fairway.domain.validation.secret import SecretSource

#: Seconds until it must have ended; bytes of the longest value.
_PATIENCE, _LARGEST = 30.0, 64 * 1024
_INHERITED = ("PATH", "HOME", "LANG", "TZ")


def run_for_value(source: SecretSource, environment: Mapping[str, str]) -> str:
    """What a command prints, without the end of the last line. No shell runs, and nothing is to be read from a person.

    Raises:
        UserError: there is no such program, or what it prints is no text.
        TransientError: it failed, did not end in time, or printed too much.
    """
    missing = next((name for name in source.variables if name not in environment), None)
    if missing is not None:
        sentence = f"secret {source.name}: the variable {missing} that its command needs is not set"
        raise UserError("secret-missing", sentence, "set it for the command that reads it")
    names = [name for name in (*_INHERITED, *source.variables) if name in environment]
    try:
        process = subprocess.Popen(
            shlex.split(source.place),
            cwd=source.folder or None,
            env={name: environment[name] for name in names},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        sentence = f"secret {source.name}: {source.title} cannot be run: {error.strerror}"
        raise UserError("secret-command", sentence, "compare the program's name and PATH") from None
    try:
        content, status = _await(process)
    finally:
        if process.returncode is None:  # else its number may be that of a stranger
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.stdout:
            process.stdout.close()
    return _value(source, content, status)


def _await(process: "subprocess.Popen[bytes]") -> tuple[bytes, int | None]:
    """What it printed, and its status; None: it did not end, or printed too much."""
    until = time.monotonic() + _PATIENCE
    content = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout or 0, selectors.EVENT_READ)
        while len(content) <= _LARGEST and selector.select(max(0.0, until - time.monotonic())):
            chunk = os.read(process.stdout.fileno() if process.stdout else 0, 65_536)
            if not chunk:
                break
            content += chunk
        else:
            return content, None
    try:
        return content, process.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        return content, None


def _value(source: SecretSource, content: bytes, status: int | None) -> str:
    hint = f"run it by hand in {source.folder or 'the working folder'}; what it prints is not shown here"
    if len(content) > _LARGEST:
        sentence = f"secret {source.name}: {source.title} printed more than {_LARGEST >> 10} KiB"
        raise TransientError("secret-command", sentence, hint)
    if status != 0:
        how = f"did not end within {_PATIENCE:g} s" if status is None else f"ended with status {status}"
        raise TransientError("secret-command", f"secret {source.name}: {source.title} {how}", hint)
    try:
        return content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        sentence = f"secret {source.name}: {source.title} printed no text in UTF-8"
        raise UserError("secret-command", sentence, hint) from None
