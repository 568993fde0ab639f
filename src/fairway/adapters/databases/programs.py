"""The programs `pg_dump` and `pg_restore`: found, of a version that fits, run with no secret in their arguments."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

from fairway.domain.errors import PermanentError, UserError

#: Where Debian puts each major version.
_DEBIAN = Path("/usr/lib/postgresql")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
#: Characters of what a program said that are told.
_SAID = 600
_INHERITED = ("PATH", "HOME", "LANG", "TZ")


def find_program(name: str, server: int, folder: str) -> Path:
    """The program of the lowest version that is not older than the server: only that reads all of it.

    Args:
        name: such as `pg_dump`.
        server: major version of the server.
        folder: the only place to look at; empty: PATH, then Debian's folders.

    Raises:
        UserError: there is none, or none that is new enough.
    """
    found = sorted((version, path) for path in _places(name, folder) if (version := _version(path)) is not None)
    fitting = [path for version, path in found if version >= server]
    if fitting:
        return fitting[0]
    where = folder or f"PATH and {_DEBIAN}"
    hint = f"install postgresql-client-{server}, or name its folder under programs of the database"
    if not found:
        raise UserError("programs-missing", f"there is no {name} in {where}", hint)
    newest = found[-1]
    sentence = f"{newest[1]} is of version {newest[0]}, older than the server's {server}"
    raise UserError("programs-old", sentence, hint)


def _places(name: str, folder: str) -> Iterator[Path]:
    if folder:
        yield Path(folder) / name
        return
    for each in os.environ.get("PATH", os.defpath).split(os.pathsep):
        yield Path(each or ".") / name
    if _DEBIAN.is_dir():
        for version in _DEBIAN.iterdir():
            yield version / "bin" / name


def _version(path: Path) -> int | None:
    """The major version that a program says; None where there is none that can be run."""
    if not os.access(path, os.X_OK):
        return None
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = _VERSION.search(done.stdout)
    return int(said[1]) if said else None


def run_program(
    arguments: list[str | Path],
    variables: Mapping[str, str],
    mask: Callable[[str], str],
    *,
    read: IO[bytes] | None = None,
    write: IO[bytes] | None = None,
) -> None:
    """Runs it to its end.

    Args:
        arguments: the program and its arguments, without anything secret.
        variables: of libpq, with everything that it needs to connect.
        mask: takes secrets out of what it said.
        read: its standard input.
        write: its standard output.

    Raises:
        PermanentError: it failed; why is known by its words only, and so it is not tried again by itself.
    """
    inherited = {name: value for name, value in os.environ.items() if name in _INHERITED or name.startswith("PG")}
    program = Path(arguments[0]).name
    try:
        done = subprocess.run(
            arguments,
            env=inherited | dict(variables) | {"LC_MESSAGES": "C"},
            stdin=read if read is not None else subprocess.DEVNULL,
            stdout=write if write is not None else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
    except OSError as error:
        raise PermanentError("program-failed", f"{arguments[0]} could not be run: {error.strerror}") from error
    if done.returncode == 0:
        return
    said = mask(" ".join(done.stderr.decode(errors="replace").split()))[-_SAID:]
    sentence = f"{program} ended with status {done.returncode}: {said or 'it said nothing'}"
    raise PermanentError("program-failed", sentence, "the account of the url must own what is in the database")
