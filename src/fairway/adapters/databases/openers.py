"""Which process of this machine has a file open."""

import os
from contextlib import suppress
from pathlib import Path


def find_opener(path: Path) -> int | None:
    """The first process found, other than this one; None: none that this account may look at has it open."""
    wanted = path.stat()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid() and _has_open(entry / "fd", wanted):
            return int(entry.name)
    return None


def _has_open(folder: Path, wanted: os.stat_result) -> bool:
    with suppress(OSError):
        for link in folder.iterdir():
            with suppress(OSError):
                about = link.stat()
                if (about.st_ino, about.st_dev) == (wanted.st_ino, wanted.st_dev):
                    return True
    return False
