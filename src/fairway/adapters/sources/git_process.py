"""Runs git without a shell, away from the caller's own git settings, and turns its failures into our errors."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import IO

from fairway.domain.errors import PermanentError, TransientError

_TIME_LIMIT = 120.0
_WIDE_PIPE = 1 << 20  # bytes; git and its reader change places less often
_PIECE = 1 << 18  # bytes; git writes a few thousand at a time, for each of which there is something to do
#: How remote repositories are reached and signed in to.
_CONNECTION = r"GIT_(SSH|SSH_COMMAND|SSH_VARIANT|ASKPASS|TERMINAL_PROMPT|ALLOW_PROTOCOL|(SSL|HTTP|PROXY)_\w+)"
#: Settings by variables: machines put the password of a remote repository into them.
_SETTINGS = r"GIT_CONFIG_(COUNT|(KEY|VALUE)_[0-9]+)"
_SPEAKING = frozenset({"fetch", "ls-remote", "push"})


def connection_variables() -> set[str]:
    """Names of the variables of this process that say how git reaches remote repositories."""
    return {name for name in os.environ if re.fullmatch(_CONNECTION, name) or re.fullmatch(_SETTINGS, name)}


def _variables(command: str) -> dict[str, str]:
    # GIT_DIR, GIT_INDEX_FILE and their like are set inside hooks and would point git at another repository.
    own = {name: value for name, value in os.environ.items() if name.startswith("GIT_")}
    variables = {name: value for name, value in os.environ.items() if name not in own}
    # A partial clone speaks to its remote repository for any command; settings would change what others answer.
    passed = {
        name: value
        for name, value in own.items()
        if re.fullmatch(_CONNECTION, name) or (command in _SPEAKING and re.fullmatch(_SETTINGS, name))
    }
    # Nobody is asked for a password, unless the caller says otherwise.
    return (
        variables
        | {"GIT_TERMINAL_PROMPT": "0"}
        | passed
        | {
            "LC_ALL": "C",
            "GIT_OPTIONAL_LOCKS": "0",
            # A replacement object would put other content behind the same commit.
            "GIT_NO_REPLACE_OBJECTS": "1",
        }
    )


class GitProcess:
    """git in one folder.

    Args:
        folder: where git runs; it finds the repository from there.
        repository: the repository itself, for one that is not found from the folder; None: find it.
        literal: paths are taken as they are written; else git's own signs in them count, such as `:/` for the top.
        variables: beside those that git always gets.
    """

    def __init__(
        self,
        folder: Path,
        repository: Path | None = None,
        *,
        literal: bool = True,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.folder = folder
        self._more = variables
        located = [f"--git-dir={repository}"] if repository else []
        # A file system monitor is a program of the repository's choice; nothing here needs one.
        pathspecs = ["--literal-pathspecs"] if literal else []
        self._command = ["git", *located, "-c", "core.fsmonitor=false", *pathspecs]

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """What git printed.

        Raises:
            PermanentError: git is not installed or refused; the sentence quotes its first line.
            TransientError: no answer within two minutes.
        """
        status, output, complaint = self.attempt(*arguments, stdin=stdin)
        if status != 0:
            raise PermanentError(
                "git-refused",
                f'git {arguments[0]} in "{self.folder}" ended with exit status {status}: {complaint}',
                "run the same git command there to see more",
            )
        return output

    def pieces(self, *arguments: str) -> Iterator[bytes]:
        """What git prints, while it prints it: for output of many megabytes, which is never in memory as a whole.

        Raises:
            PermanentError: git is not installed or refused, after what it printed until then.
        """
        try:
            process = subprocess.Popen(
                [*self._command, *arguments],
                cwd=self.folder,
                # Else git hands over every commit by itself, which takes half as long again on either side.
                env=_variables(arguments[0]) | {"GIT_FLUSH": "0"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=_PIECE,
                pipesize=_WIDE_PIPE,
            )
        except OSError as error:
            raise self._cannot_start(error) from error
        assert process.stdout is not None  # noqa: S101 - asked for above
        try:
            while piece := process.stdout.read(_PIECE):
                yield piece
            if process.wait() != 0:
                # What it complains about is asked for once more: two pipes cost a look at both for every piece.
                self.run(*arguments)
                sentence = f'git {arguments[0]} in "{self.folder}" ended before its output did'
                raise TransientError("git-cut-short", sentence, "run the command again")
        finally:
            process.kill()
            process.stdout.close()
            process.wait()

    def attempt(self, *arguments: str, stdin: bytes = b"") -> tuple[int, bytes, str]:
        """Exit status, output, and the first line of complaint; for commands whose failure is an answer."""
        try:
            done = subprocess.run(
                [*self._command, *arguments],
                cwd=self.folder,
                env={**_variables(arguments[0]), **self._more},
                input=stdin,
                capture_output=True,
                timeout=_TIME_LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise self._silent(arguments[0]) from error
        except OSError as error:
            raise self._cannot_start(error) from error
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        return done.returncode, done.stdout, lines[0] if lines else "no message"

    def attempt_beside(self, *commands: Sequence[str]) -> list[tuple[int, bytes, str]]:
        """The same for several commands that run beside each other."""
        running: list[subprocess.Popen[bytes]] = []
        try:
            running.extend(map(self._start, commands))
            return [self._answer(process, arguments) for process, arguments in zip(running, commands, strict=True)]
        finally:
            for process in running:
                with process:
                    process.kill()

    def _start(self, arguments: Sequence[str]) -> "subprocess.Popen[bytes]":
        try:
            return subprocess.Popen(
                [*self._command, *arguments],
                cwd=self.folder,
                env={**_variables(arguments[0]), **self._more},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            raise self._cannot_start(error) from error

    def _answer(self, process: "subprocess.Popen[bytes]", arguments: Sequence[str]) -> tuple[int, bytes, str]:
        try:
            output, complaint = process.communicate(timeout=_TIME_LIMIT)
        except subprocess.TimeoutExpired as error:
            raise self._silent(arguments[0]) from error
        lines = complaint.decode(errors="replace").strip().splitlines()
        return process.returncode, output, lines[0] if lines else "no message"

    def _silent(self, command: str) -> TransientError:
        sentence = f'git {command} in "{self.folder}" did not answer within {_TIME_LIMIT:g} s'
        return TransientError("git-timeout", sentence)

    @contextmanager
    def stream(self, *arguments: str, stdin: IO[bytes]) -> Iterator[IO[bytes]]:
        """The output of git while it runs; git is ended when the block is left early."""
        try:
            process = subprocess.Popen(
                [*self._command, *arguments],
                cwd=self.folder,
                env=_variables(arguments[0]),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise self._cannot_start(error) from error
        assert process.stdout is not None  # noqa: S101 - asked for above
        try:
            yield process.stdout
        finally:
            process.kill()
            process.stdout.close()
            process.wait()

    @contextmanager
    def dialogue(self, *arguments: str) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
        """A git that is spoken with, and its answers; it hears no more when the block ends, and is waited for."""
        try:
            process = subprocess.Popen(
                [*self._command, *arguments],
                cwd=self.folder,
                env=_variables(arguments[0]),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise self._cannot_start(error) from error
        assert process.stdin is not None  # noqa: S101 - asked for above
        assert process.stdout is not None  # noqa: S101 - asked for above
        try:
            with suppress(BrokenPipeError):  # it has ended: what it did not answer tells that
                yield process.stdin, process.stdout
        finally:
            with suppress(BrokenPipeError):
                process.stdin.close()
            process.stdout.close()
            process.wait()

    def _cannot_start(self, error: OSError) -> PermanentError:
        if not self.folder.is_dir():
            return PermanentError("no-repository", f'"{self.folder}" is not a folder', "name the repository's folder")
        return PermanentError("no-git", f"git cannot be started: {error.strerror}", "install git")
