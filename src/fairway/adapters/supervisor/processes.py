"""Which process is which: a number alone may belong to a stranger by now; number, start time and boot may not."""

import functools
import os
import signal
import time
from pathlib import Path
from typing import NamedTuple

_TICKS = os.sysconf("SC_CLK_TCK")


class Identity(NamedTuple):
    """A process that no other one can be mistaken for.

    Attributes:
        pid: its number; also that of its session and process group, for processes started here.
        start: clock ticks from boot to its start: field 22 of `/proc/PID/stat`.
        boot: the kernel's random id of the boot; the same number and tick may come again after a reboot.
    """

    pid: int
    start: int
    boot: str


class _Stat(NamedTuple):
    state: str
    group: int
    session: int
    start: int

    @property
    def ended(self) -> bool:
        return self.state in "ZX"


@functools.cache
def boot_id() -> str:
    """The id that the kernel drew when it booted."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _stat(pid: int) -> _Stat | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name in parentheses may hold spaces and parentheses itself: what counts begins after the last one.
    fields = text[text.rindex(b")") + 2 :].split()
    return _Stat(fields[0].decode(), int(fields[2]), int(fields[3]), int(fields[19]))


def identify(pid: int) -> Identity | None:
    """The identity of the process that has this number now, None if there is none."""
    stat = _stat(pid)
    return Identity(pid, stat.start, boot_id()) if stat else None


def is_alive(process: Identity) -> bool:
    """Whether exactly this process still runs; one that ended but was not collected yet does not."""
    stat = _stat(process.pid)
    return bool(stat and not stat.ended and stat.start == process.start and boot_id() == process.boot)


def age(process: Identity) -> float:
    """Seconds since the process was started, at least 0."""
    return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - process.start / _TICKS)


def open_handle(process: Identity) -> int | None:
    """A pidfd of exactly this process, readable once it ends; None if it does not run any more."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return None
    # The check comes after the opening: what the handle refers to cannot change any more.
    if not is_alive(process):
        os.close(handle)
        return None
    return handle


def session_members(leader: Identity) -> list[int]:
    """Numbers of the living processes of the leader's session: itself, its children, and theirs.

    The kernel does not give a number away while a session carries it. So if the number belongs to another process
    now, nothing is left of the session, and whatever has that session number is none of ours.
    """
    if boot_id() != leader.boot:
        return []
    present = _stat(leader.pid)
    if present and present.start != leader.start:
        return []
    return [pid for pid in list_pids() if _is_member(_stat(pid), leader)]


def list_pids() -> list[int]:
    """Numbers of all processes."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 names are enough


def session_of(pid: int) -> int | None:
    """The number of the session of a living process; None if it does not live."""
    stat = _stat(pid)
    return None if stat is None or stat.ended else stat.session


def _is_member(stat: _Stat | None, leader: Identity) -> bool:
    return bool(stat and not stat.ended and stat.session == leader.pid and stat.start >= leader.start)


def signal_session(leader: Identity, number: signal.Signals) -> None:
    """Sends the signal once to every living process of the leader's session, and to nobody else."""
    present = _stat(leader.pid)
    whole = bool(present and present.start == leader.start and boot_id() == leader.boot)
    if whole:
        # All at once, so that nothing that forks meanwhile slips through. An ended leader that was not collected yet
        # keeps the number ours just as well.
        try:
            os.killpg(leader.pid, number)
        except ProcessLookupError:
            whole = False
    for pid in session_members(leader):
        stat = _stat(pid)
        if stat and not (whole and stat.group == leader.pid):
            _signal_member(pid, leader, number)


def _signal_member(pid: int, leader: Identity, number: signal.Signals) -> None:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if _is_member(_stat(pid), leader):
            signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        pass  # it ended by itself in between
    finally:
        os.close(handle)
