"""The port `CommandRunner`, by a watching process for each command."""

import errno
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import fairway
from fairway.adapters.commands.place import Json, Place, read_json
from fairway.domain.errors import PermanentError, TransientError
from fairway.ports.checks import Command, CommandResult

# All that a command gets from the environment of whoever starts it.
_INHERITED = ("HOME", "LANG", "PATH", "TZ")
_PATIENCE = 30.0  # seconds for a start; what a killed watcher left behind may have to be ended first


class LocalCommands:
    """Runs commands on this machine, each once.

    Safe to use from several threads and processes at once. A command and the process that watches it are in sessions of
    their own: whatever happens to the caller, at any moment, the command runs once and its result waits here.

    Only if the watching process itself was killed, or the machine went down, may a command run a second time: the next
    call ends what is left of the first execution and starts it again, for how it ended is not known.

    When a command is over, what it left running in its session is ended too: it gets a second, SIGTERM, 5 s
    and SIGKILL.

    Args:
        folder: holds a folder for each key, see `place.py`; created with mode 0700.
        clock: seconds since the epoch, UTC.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder.absolute()
        self._clock = clock

    def ensure_run(self, command: Command) -> CommandResult | None:
        """Starts the command unless it runs or ran before; see the port.

        Raises:
            PermanentError: bad quotes, no such folder, or no program that may be run there; nothing was started, and
                the next call tries again.
            TransientError: this machine refuses at the moment; nothing was started.
        """
        place = Place(self._folder / name_of(command.key))
        try:
            found = _read_result(place)
            lock = place.take_lock() if found is None else None
            if lock is None:
                return found
            try:
                # It may have ended between the look and the lock.
                found = _read_result(place)
                if found is None:
                    _start(place, lock, command)
                return found
            finally:
                # A copy of the lock lives on in the watching process.
                os.close(lock)
        except OSError as problem:
            raise TransientError(
                "command-not-started",
                f"The command {command.line!r} could not be started from {str(place.folder)!r}: {problem}.",
                "Check the folder's owner, the room on its disk and the limits of this account.",
            ) from problem

    def prune(self, older_than: float) -> int:
        """Forgets executions that ended that many seconds ago or earlier; their keys would run again.

        Returns:
            How many.
        """
        places = [Place(folder) for folder in self._folder.iterdir()] if self._folder.is_dir() else []
        return sum(self._forget(place, self._clock() - older_than) for place in places)

    def _forget(self, place: Place, before: float) -> bool:
        if place.folder.name.startswith("."):
            shutil.rmtree(place.folder, ignore_errors=True)  # a former call was killed here
            return False
        result = read_json(place.result)
        if result is None or result["finished"] > before:
            return False
        lock = place.take_lock()
        if lock is None:
            return False
        try:
            # In one step, so that a key is known or unknown and never half of it.
            gone = place.folder.rename(self._folder / f".{place.folder.name}.{os.getpid()}.{os.urandom(4).hex()}")
        finally:
            os.close(lock)
        shutil.rmtree(gone, ignore_errors=True)
        return True


def name_of(key: str) -> str:
    """The folder's name for a key: readable, and different for different keys."""
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", key)[:60].strip("-")
    return f"{readable or 'command'}.{hashlib.sha256(key.encode(errors='surrogatepass')).hexdigest()[:16]}"


def _read_result(place: Place) -> CommandResult | None:
    result = read_json(place.result)
    return None if result is None else CommandResult(result["status"], result["tail"])


def _start(place: Place, lock: int, command: Command) -> None:
    """Runs the starter, which returns when the command runs, and takes over the lock."""
    source = Path(fairway.__file__).parent.parent
    definition = _define(command)
    try:
        done = subprocess.run(
            # -P: nothing in a working folder can take the place of a module; -S: nothing installed is needed.
            [sys.executable, "-P", "-S", "-m", "fairway.adapters.commands", str(place.folder), str(lock)],
            input=json.dumps(definition).encode(),
            capture_output=True,
            cwd="/",
            env={"PYTHONPATH": str(source), "PATH": os.environ.get("PATH", os.defpath)},
            pass_fds=(lock,),
            start_new_session=True,
            timeout=_PATIENCE,
            check=False,
        )
        word = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError) as problem:
        said = problem if isinstance(problem, subprocess.TimeoutExpired) else done.stderr.decode(errors="replace")
        last = (str(said).strip().splitlines() or ["its watching process ended without a word"])[-1]
        raise TransientError(
            "command-not-started", f"The command {command.line!r} could not be started: {last}."
        ) from problem
    if "failure" in word:
        raise _failure(command, definition, word)


def _define(command: Command) -> Json:
    variables = {name: os.environ[name] for name in _INHERITED if name in os.environ} | dict(command.variables)
    try:
        words = shlex.split(command.line)
    except ValueError as problem:
        sentence = f"The command {command.line!r} cannot be split into words: {problem}."
        raise PermanentError("command-quotes", sentence, "Close every quote.") from problem
    if not words or not words[0]:
        raise PermanentError("command-empty", f"The command {command.line!r} names no program.")
    if not Path(command.folder).is_dir():
        raise _folder_missing(command)
    program = _find_program(command, words[0], variables.get("PATH", os.defpath))
    return {
        "program": program,
        "argv": words,
        "folder": str(Path(command.folder).absolute()),
        "variables": list(variables.items()),
        "timeout": command.timeout,
    }


def _find_program(command: Command, name: str, places: str) -> str:
    path = str(Path(command.folder) / name) if "/" in name else name
    found = shutil.which(path, path=places)
    if found is not None:
        return str(Path(found).absolute())
    if shutil.which(path, mode=os.F_OK, path=places) is not None:
        raise PermanentError(
            "program-not-executable",
            f"The program {name!r} of the command {command.line!r} may not be executed.",
            "Set its executable bit, or name its interpreter first.",
        )
    raise PermanentError(
        "program-missing",
        f"The program {name!r} of the command {command.line!r} does not exist: looked for it in "
        f"{Path(path).parent if '/' in name else places}.",
        "A name with a slash is looked for from the command's folder, any other one in PATH.",
    )


def _folder_missing(command: Command) -> PermanentError:
    sentence = f"The folder {command.folder!r} of the command {command.line!r} does not exist."
    return PermanentError("folder-missing", sentence)


_HINTS = {
    errno.ENOEXEC: "A script has to begin with a line such as #!/bin/sh.",
    errno.ENOENT: "The interpreter in its first line does not exist.",
    errno.EACCES: "It, its interpreter or a folder on the way to it may not be used by this account.",
}
_PASSING = frozenset({errno.ENOMEM, errno.EAGAIN, errno.ETXTBSY, errno.EMFILE, errno.ENFILE, errno.EIO})


def _failure(command: Command, definition: Json, word: Json) -> PermanentError | TransientError:
    """Why the command could not be started, from what the starter says."""
    part, detail = word["failure"], word["detail"]
    if part == "former":
        sentence = f"An earlier execution of {command.line!r}, process {detail}, cannot be ended."
        return TransientError("command-not-ended", sentence, "It probably waits for a disk that does not answer.")
    if part == "watcher":
        return TransientError("command-not-started", f"The command {command.line!r} could not be started: {detail}.")
    if part == "text":
        return PermanentError("command-text", f"The command {command.line!r} or a variable of it is refused: {detail}.")
    number = int(detail)
    reason = os.strerror(number)
    if part == "folder" and number == errno.ENOENT:
        return _folder_missing(command)
    what = f"the folder {command.folder!r}" if part == "folder" else f"the program {definition['program']!r}"
    sentence = f"The command {command.line!r} cannot be started: {what}: {reason}."
    if number in _PASSING:
        return TransientError("command-not-started", sentence)
    return PermanentError("program-refused", sentence, _HINTS.get(number, ""))
