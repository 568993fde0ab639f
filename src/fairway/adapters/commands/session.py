"""A command's processes: which they are, beyond doubt, and how they are ended.

A command leads a session of its own. A number alone may belong to a stranger by now; number, start time and boot may
not.
"""

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import NamedTuple

GRACE = 5.0  # seconds between SIGTERM and SIGKILL
_PATIENCE = 5.0  # seconds for the kernel to carry out a SIGKILL; a process that waits for a dead disk takes longer
_LOOK = 0.02  # seconds between looks


class Leader(NamedTuple):
    """The first process of a session.

    Attributes:
        pid: its number, and that of its session.
        start: clock ticks from boot to its start: field 22 of `/proc/PID/stat`.
        boot: the kernel's random id of the boot.
    """

    pid: int
    start: int
    boot: str


class _Stat(NamedTuple):
    ended: bool
    session: int
    start: int


def identify(pid: int) -> Leader | None:
    """The process that has this number now, as a leader; None if there is none."""
    stat = _stat(pid)
    return Leader(pid, stat.start, _boot()) if stat else None


def end_session(leader: Leader) -> bool:
    """Ends every process of the leader's session: SIGTERM, grace, SIGKILL. Returns at once if none lives.

    Returns:
        Whether all are gone.
    """
    return _signal_until_gone(leader, signal.SIGTERM, GRACE) or _signal_until_gone(leader, signal.SIGKILL, _PATIENCE)


def _signal_until_gone(leader: Leader, number: signal.Signals, patience: float) -> bool:
    deadline = time.monotonic() + patience
    told: set[int] = set()
    while members := _members(leader):
        for pid in members:
            # A SIGTERM once each: programs take a second one as a wish to hurry.
            if number == signal.SIGKILL or pid not in told:
                _signal(pid, leader, number)
                told.add(pid)
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK)
    return True


def _members(leader: Leader) -> list[int]:
    """Numbers of the living processes of the session.

    The kernel gives no number away while a session carries it: if the leader's number belongs to another process now,
    nothing is left of the session.
    """
    if _boot() != leader.boot:
        return []
    present = _stat(leader.pid)
    if present and present.start != leader.start:
        return []
    numbers = (int(name) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208 names are enough
    return [pid for pid in numbers if _is_member(pid, leader)]


def _is_member(pid: int, leader: Leader) -> bool:
    stat = _stat(pid)
    return bool(stat and not stat.ended and stat.session == leader.pid and stat.start >= leader.start)


def _signal(pid: int, leader: Leader, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            # The check comes after the opening: what the handle refers to cannot change any more.
            if _is_member(pid, leader):
                signal.pidfd_send_signal(handle, number)
        finally:
            os.close(handle)


def _stat(pid: int) -> _Stat | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name in parentheses may hold spaces and parentheses itself: what counts begins after the last one.
    fields = text[text.rindex(b")") + 2 :].split()
    return _Stat(fields[0] in b"ZX", int(fields[3]), int(fields[19]))


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
