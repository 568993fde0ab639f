"""Runs the steps of a build, one after the other.

A step is an argument line, split like a shell would, without a shell. It runs in a session of its own without a
terminal and without input, so that a question fails instead of waiting. A step is over when its process is over: what
it left running in the background is ended then, so that nothing writes into a sealed artifact later.
"""

import os
import select
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

from fairway.adapters.artifacts.local.leftovers import end_processes_of
from fairway.adapters.artifacts.local.output import BuildLog
from fairway.domain.errors import PermanentError, TransientError, UserError

_CHUNK = 1 << 18
_GRACE = 2.0  # seconds between SIGTERM and SIGKILL for a step that took too long
_DRAIN = 5.0  # seconds to read what is left in the pipe once all writers are ended
_NO_ROOM = 1 << 20  # bytes
_NICENESS = 10  # of 19


def split_steps(steps: tuple[str, ...]) -> list[list[str]]:
    """The argument lists of the steps.

    Raises:
        UserError: a step is empty or has a quote that is not closed.
    """
    lines = []
    for step in steps:
        try:
            words = shlex.split(step)
        except ValueError as error:
            raise UserError("bad-build-step", f"build step {step!r} cannot be split into words: {error}") from error
        if not words:
            raise UserError("bad-build-step", f"build step {step!r} is empty")
        lines.append(words)
    return lines


class StepRunner:
    """Runs the steps of one build.

    Args:
        folder: where they run.
        variables: their whole environment.
        timeout: seconds for all of them together, counted from here.
        log: receives their output.
        called: what a step is called in sentences.
    """

    def __init__(
        self, folder: Path, variables: Mapping[str, str], *, timeout: float, log: BuildLog, called: str = "build step"
    ) -> None:
        self._folder = folder
        self._variables = dict(variables)
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout
        self._log = log
        self._called = called
        self._whose = "the build's" if called == "build step" else "their"

    def run(self, steps: tuple[str, ...]) -> None:
        """Runs all steps.

        Raises:
            PermanentError: one failed or took too long; the rest was not begun.
            TransientError: one failed and the disk is full.
        """
        for number, (step, words) in enumerate(zip(steps, split_steps(steps), strict=True), start=1):
            name = f"{self._called} {number} of {len(steps)} ({step})"
            self._log.say(f"$ {step}")
            ending = self._run_one(name, self._found(words))
            self._log.end_line()
            if ending is not None:
                raise self._failure(name, ending)

    def _found(self, words: list[str]) -> list[str]:
        path = self._variables["PATH"]
        if words[0] == "python" and shutil.which("python", path=path) is None:
            other = shutil.which("python3", path=path)
            if other is not None:
                self._log.say(f"(there is no python on the PATH: {other} is used)")
                return [other, *words[1:]]
        return words

    def _run_one(self, name: str, words: list[str]) -> str | None:
        """None if the step succeeded, else how it ended."""
        try:
            process = subprocess.Popen(
                words,
                cwd=self._folder,
                env=self._variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            raise PermanentError(
                "build-failed",
                f'{name} cannot be started: "{words[0]}": {error.strerror}',
                f"the program is looked for in the checkout if it has a slash, else in {self._variables['PATH']}",
            ) from error
        _step_back(process.pid)
        output = cast("IO[bytes]", process.stdout)
        os.set_blocking(output.fileno(), False)
        in_time = False
        try:
            in_time = self._follow(process, output)
        finally:
            self._end(process, output, gently=not in_time)
        if not in_time:
            return f"was still running after {self._timeout:g} s, the time for all steps, and was ended"
        return _ending(process.returncode)

    def _follow(self, process: subprocess.Popen[bytes], output: IO[bytes]) -> bool:
        """Reads until the process is over; False if the time is."""
        handle = os.pidfd_open(process.pid)
        try:
            ready = select.poll()
            ready.register(output, select.POLLIN)
            ready.register(handle, select.POLLIN)
            while (left := self._deadline - time.monotonic()) > 0:
                descriptors = {descriptor for descriptor, _ in ready.poll(left * 1000)}
                if output.fileno() in descriptors and self._read(output) is False:
                    ready.unregister(output)
                if handle in descriptors:
                    return True
            return False
        finally:
            os.close(handle)

    def _read(self, output: IO[bytes]) -> bool | None:
        """True if something was read, False at the end, None if there is nothing now."""
        chunk = output.read(_CHUNK)
        if chunk:
            self._log.write(chunk)
        return None if chunk is None else bool(chunk)

    def _end(self, process: subprocess.Popen[bytes], output: IO[bytes], *, gently: bool) -> None:
        # The process has not been waited for, so its number, and that of its group, cannot be anybody else's.
        if gently:
            _signal_group(process, signal.SIGTERM)
            _wait_unreaped(process, _GRACE)
        _signal_group(process, signal.SIGKILL)
        process.wait()
        if end_processes_of(self._folder):
            self._log.say("(processes that the step left in the background were ended)")
        deadline = time.monotonic() + _DRAIN
        ready = select.poll()
        ready.register(output, select.POLLIN)
        while (
            ready.poll(max(0, deadline - time.monotonic()) * 1000)
            and self._read(output)
            and time.monotonic() < deadline
        ):
            pass
        output.close()

    def _failure(self, name: str, ending: str) -> PermanentError | TransientError:
        lines = "".join(f"\n  {line}" for line in self._log.last_lines())
        hint = f'the whole output is in "{self._log.path}"'
        if _free_room(self._folder) < _NO_ROOM:
            return TransientError(
                "disk-full", f'{name} {ending}, and the disk of "{self._folder}" is full:{lines}', hint
            )
        return PermanentError("build-failed", f"{name} {ending}; the last lines of {self._whose} output:{lines}", hint)


def _step_back(leader: int) -> None:
    """The build takes what those leave who serve users on the same machine: its whole group and session.

    Linux shares a desktop's or a container's processors between sessions first, where niceness counts for nothing
    (autogroup, man 7 sched).
    """
    with suppress(OSError):  # it is over already, or the kernel has no sessions to choose between
        os.setpriority(os.PRIO_PGRP, leader, _NICENESS)
        Path(f"/proc/{leader}/autogroup").write_text(str(_NICENESS))


def _free_room(folder: Path) -> int:
    """Free bytes on the disk of a folder, which somebody who ended the step may have removed."""
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    return shutil.disk_usage(there).free


def _ending(status: int) -> str | None:
    if status == 0:
        return None
    return f"ended with exit status {status}" if status > 0 else f"was ended by {signal.Signals(-status).name}"


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _wait_unreaped(process: subprocess.Popen[bytes], seconds: float) -> None:
    handle = os.pidfd_open(process.pid)
    try:
        over = select.poll()
        over.register(handle, select.POLLIN)
        over.poll(seconds * 1000)
    finally:
        os.close(handle)
