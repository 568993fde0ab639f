"""Files and folders that nobody but the owner may look into."""

import os
from pathlib import Path
from typing import IO


def open_private(path: Path, mode: str) -> IO[bytes]:
    """Opens a file in a binary mode; one that does not exist is made for its owner only."""
    return open(path, mode, opener=lambda name, flags: os.open(name, flags, 0o600))


def make_private(folder: Path) -> None:
    """Makes a folder for its owner only; one of ours that is open to others is closed to them.

    Raises:
        OSError: as the system says.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    about = folder.stat()
    if about.st_uid == os.geteuid() and about.st_mode & 0o077:
        folder.chmod(0o700)
