"""Messages on the standard input of a command."""

import errno
import json
import os
import select
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

from fairway.adapters.notifiers.settings import TIMEOUT
from fairway.domain.errors import PermanentError, TransientError

_INHERITED = ("HOME", "LANG", "PATH", "TZ")
_GRACE = 1.0  # seconds between SIGTERM and SIGKILL
_CHUNK = 1 << 16
_LONGEST = 4000  # characters of a variable
_LASTING = frozenset({errno.ENOEXEC, errno.ENOENT, errno.EACCES})
_KEPT, _SHOWN = 1 << 16, 500  # bytes of output in memory, characters of it in an error


class CommandNotifier:
    """Runs an argument line for each message; see `CommandSettings` for the arguments that come from a configuration.

    The command gets the message as JSON on stdin, and FAIRWAY_EVENT, FAIRWAY_TEXT and FAIRWAY_KEY (4,000
    characters of each) beside PATH, HOME, LANG and TZ. What it leaves running in its process group is ended with it.

    Args:
        run: the argument line, split like a shell would; no shell runs.
        folder: where it runs; None: the folder in which the caller works.
        timeout: seconds, after which it is ended with its process group.
    """

    def __init__(self, *, run: str, folder: Path | None = None, timeout: float = TIMEOUT) -> None:
        self._run = run
        self._folder = folder
        self._timeout = timeout

    def notify(self, key: str, message: Mapping[str, Any]) -> None:
        """Delivers the message; see the port."""
        words = self._split()
        with tempfile.TemporaryFile() as content:
            # A file and no pipe: a command that does not read keeps nobody waiting.
            content.write(json.dumps(message, ensure_ascii=False).encode())
            content.seek(0)
            process = self._start(words, _variables(key, message), content)
        status, output = _finish(process, self._timeout)
        if status == 0:
            return
        end = f"took longer than {self._timeout:g} s" if status is None else f"ended with status {status}"
        said = f": {output}" if output else ""
        raise TransientError("command-failed", f"The command {self._run!r} {end}{said}.")

    def _split(self) -> list[str]:
        try:
            words = shlex.split(self._run)
        except ValueError as problem:
            sentence = f"The command {self._run!r} cannot be split into words: {problem}."
            raise PermanentError("command-quotes", sentence, "Close every quote.") from problem
        if not words or not words[0]:
            raise PermanentError("command-empty", f"The command {self._run!r} names no program.")
        return words

    def _start(self, words: list[str], variables: Mapping[str, str], content: IO[bytes]) -> "subprocess.Popen[bytes]":
        folder = (self._folder or Path.cwd()).absolute()
        path = str(folder / words[0]) if "/" in words[0] else words[0]
        program = shutil.which(path, path=variables.get("PATH", os.defpath))
        if program is None:
            sentence = f"The program {words[0]!r} of the command {self._run!r} does not exist or may not be executed."
            raise PermanentError("program-missing", sentence, f"A name with a slash is looked for from {folder}.")
        try:
            return subprocess.Popen(
                words,
                executable=program,
                cwd=folder,
                env=variables,
                stdin=content,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                bufsize=0,
            )
        except OSError as problem:
            sentence = f"The command {self._run!r} cannot be started: {problem.strerror}."
            kind = PermanentError if problem.errno in _LASTING else TransientError
            raise kind(
                "command-not-started", sentence, "A script has to begin with a line such as #!/bin/sh."
            ) from problem


def _variables(key: str, message: Mapping[str, Any]) -> dict[str, str]:
    told = {"FAIRWAY_EVENT": message["event"], "FAIRWAY_TEXT": message["text"], "FAIRWAY_KEY": key}
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    # A zero byte ends a variable for the kernel, and output of commands may hold some; 128 KiB are too much for it.
    told = {name: str(value)[:_LONGEST].replace("\0", "\N{REPLACEMENT CHARACTER}") for name, value in told.items()}
    return inherited | told


def _finish(process: "subprocess.Popen[bytes]", timeout: float) -> tuple[int | None, str]:
    """Follows the command to its end; returns its status, None if its time was up, and the end of what it wrote."""
    source = cast("IO[bytes]", process.stdout)
    os.set_blocking(source.fileno(), False)
    handle = os.pidfd_open(process.pid)
    try:
        output, in_time = _follow(source, handle, timeout, b"")
        if not in_time:
            # It has not been waited for, so its number, and that of its group, cannot be anybody else's.
            _signal_group(process, signal.SIGTERM)
            output, _ = _follow(source, handle, _GRACE, output)
        _signal_group(process, signal.SIGKILL)
        output, _ = _follow(source, handle, _GRACE, output)
    finally:
        os.close(handle)
        source.close()
        process.wait()
    lines = output.decode(errors="replace").strip().splitlines()
    return process.returncode if in_time else None, "\n".join(lines[-10:])[-_SHOWN:]


def _follow(source: IO[bytes], handle: int, patience: float, output: bytes) -> tuple[bytes, bool]:
    """Reads until the process has ended; returns what is known of its output, and whether that was within patience."""
    deadline = time.monotonic() + patience
    ready = select.poll()
    ready.register(source, select.POLLIN)
    ready.register(handle, select.POLLIN)
    while (left := deadline - time.monotonic()) > 0:
        seen = {descriptor for descriptor, _ in ready.poll(left * 1000)}
        if source.fileno() in seen:
            chunk = source.read(_CHUNK)
            output = (output + (chunk or b""))[-_KEPT:]
            if chunk == b"":
                ready.unregister(source)
        if handle in seen:
            return output, True
    return output, False


def _signal_group(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
