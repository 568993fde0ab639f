"""Where the Unix sockets of instances lie: each in a folder of its own, which the supervisor makes and removes."""

import contextlib
import hashlib
import os
import socket
import stat
from itertools import count
from pathlib import Path

_LONGEST = 107  # bytes of a socket's path
# Not the user's runtime folder, which goes with the last session while instances stay; not TMPDIR, which may be long.
_SHORT = "/tmp"  # noqa: S108 whose folder it is, is looked at  # nosec B108


def choose_socket(name: str, folder: Path) -> str:
    """The path of a socket, the same for the same name unless somebody else has its folder; at most 107 bytes.

    Args:
        name: of the instance, among all of this machine.
        folder: open to its owner only, where nobody else can be faster. Where its path is too long, or its file system
            knows no sockets, the socket lies in the folder for temporary files.
    """
    for attempt in count():
        digest = hashlib.sha256(f"{name}/{attempt}".encode()).hexdigest()[:12]
        path = f"{folder.absolute()}/{digest}/socket"
        if len(os.fsencode(path)) > _LONGEST or not _holds_sockets(folder):
            path = f"{_SHORT}/fairway-{os.geteuid()}-{digest}/socket"
        if not is_taken(path):
            return path
    raise AssertionError("counting has no end")


def is_taken(path: str) -> bool:
    """Whether the socket's folder belongs to somebody else, who could listen there in our place."""
    try:
        found = Path(path).parent.lstat()
    except FileNotFoundError:
        return False
    return not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid()


def _holds_sockets(folder: Path) -> bool:
    """Tries it: folders shared with another system often do not."""
    trial = folder / f".{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.bind(str(trial))
        except OSError:
            return False
        finally:
            with contextlib.suppress(OSError):
                trial.unlink()
    return True
