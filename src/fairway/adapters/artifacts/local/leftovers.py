"""Ends what a build left running: background processes of a step, or a whole build whose controller was killed.

They are known by a mark in their environment, which children inherit even where they leave the process group. The
handle is taken before the mark is read again, so that no stranger who got the same number is ever signalled.
"""

import os
import select
import signal
from pathlib import Path

from fairway.adapters.artifacts.local.environment import BUILD_MARK

_ROUNDS = 20
_PATIENCE = 5000  # milliseconds for a killed process to be gone


def end_processes_of(folder: Path) -> int:
    """Kills every process of the build in this folder and returns how many there were."""
    mark = f"{BUILD_MARK}={folder}".encode(errors="surrogateescape")
    ended = 0
    for _ in range(_ROUNDS):  # a process may have been started while we looked
        found = [pid for pid in _processes() if _is_marked(pid, mark)]
        ended += sum(_end(pid, mark) for pid in found)
        if not found:
            break
    return ended


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _is_marked(pid: int, mark: bytes) -> bool:
    try:
        return mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False  # it is gone, or belongs to someone else


def _end(pid: int, mark: bytes) -> bool:
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if not _is_marked(pid, mark):
            return False
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        gone = select.poll()
        gone.register(handle, select.POLLIN)
        return bool(gone.poll(_PATIENCE))
    except OSError:
        return False
    finally:
        os.close(handle)
