"""The folder of a unit's Unix socket: made before each start, removed after each end.

It lies in a place where everybody may make folders, so whose it is comes first. Imported by the supervisor process too:
standard library only.
"""

import contextlib
import errno
import os
import stat


def make_folder(socket: str) -> None:
    """Makes the socket's folder, for the owner only; one of ours that is there already is emptied.

    Raises:
        PermissionError: it belongs to somebody else, who could listen in our place.
    """
    folder = os.path.dirname(socket)  # noqa: PTH120 light enough for the supervisor
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o700)  # noqa: PTH102
    if not is_ours(folder):
        raise PermissionError(errno.EPERM, f"{folder} belongs to somebody else")
    os.chmod(folder, 0o700)  # noqa: PTH101
    _empty(folder)


def remove_folder(socket: str) -> None:
    """Removes the socket with its folder, if the folder is ours; what cannot be removed stays."""
    folder = os.path.dirname(socket)  # noqa: PTH120
    if is_ours(folder):
        _empty(folder)
        with contextlib.suppress(OSError):
            os.rmdir(folder)  # noqa: PTH106


def is_ours(folder: str) -> bool:
    """Whether there is such a folder, and it is our own user's; a link to one is none."""
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def _empty(folder: str) -> None:
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(folder, name))  # noqa: PTH108, PTH118
