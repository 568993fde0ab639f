"""Where the Unix sockets of instances lie: each in a folder of its own, which the supervisor makes and removes."""

import hashlib
import os
import stat
from itertools import count
from pathlib import Path

# Not the user's runtime folder, which goes with the last session while instances stay; not TMPDIR either, whose path
# may be long: that of a socket has no more than 107 bytes.
_PLACE = "/tmp"  # noqa: S108 whose folder it is, is looked at


def choose_socket(name: str) -> str:
    """The path of a socket: the same for the same name, unless somebody else has the folder; at most 107 bytes.

    Args:
        name: of the instance, among all of this machine.
    """
    for attempt in count():
        digest = hashlib.sha256(f"{name}/{attempt}".encode()).hexdigest()[:16]
        path = f"{_PLACE}/fairway-{os.geteuid()}-{digest}/socket"
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
