"""Who used the processors during a measurement: we, or others on this machine.

"We" are all processes that descend from this one, or whose working folder or command line lies in the folder of the
benchmark, for what Fairway starts outlives the command that started it. Everything else that was not idle is "others",
with it the time that the host took away and the kernel's own work.
"""

import itertools
import os
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

_TICKS = os.sysconf("SC_CLK_TCK")
_SECOND = 1.0


@dataclass(frozen=True, slots=True)
class Usage:
    """Processor time of one stretch of time, in cores: 1.0 is one processor used all the time.

    Attributes:
        seconds: length of the stretch.
        ours: used by the benchmark and everything that it started.
        others: used by everybody else.
        others_peak: the same in the second in which it was most, as far as the stretch was looked at in between.
    """

    seconds: float
    ours: float
    others: float
    others_peak: float


@dataclass(frozen=True, slots=True)
class Moment:
    """The counters at one moment, in seconds."""

    at: float
    busy: float
    ours: float

    def until(self, end: "Moment") -> Usage:
        """What was used between this moment and a later one."""
        seconds = end.at - self.at
        ours = max(0.0, end.ours - self.ours) / seconds
        others = round(max(0.0, (end.busy - self.busy) / seconds - ours), 3)
        return Usage(round(seconds, 2), round(ours, 3), others, others)


def observe(folder: Path, root: int | None = None) -> Moment:
    """The counters now.

    Args:
        folder: of the benchmark.
        root: the process whose descendants are ours; default: this one.
    """
    processes = list_processes()
    ours = own_processes(processes, root or os.getpid(), folder)
    # With their dead children: a process that ends hands its time to the one that waits for it.
    used = sum(processes[pid].used_with_children for pid in ours)
    return Moment(time.monotonic(), _busy(Path("/proc/stat").read_text()), used)


class Account:
    """Keeps the account of a block, with a look every second. A look costs a few milliseconds.

    Args:
        folder: of the benchmark.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._moments = [observe(self._folder)]
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._moments.append(observe(self._folder))

    def usage(self) -> Usage:
        """What was used in the block, once it has ended."""
        parts = [one.until(other) for one, other in itertools.pairwise(self._moments)]
        # The last part may be too short to say anything: the counters know hundredths of a second only.
        peak = max((part.others for part in parts if part.seconds > _SECOND / 2), default=0.0)
        whole = self._moments[0].until(self._moments[-1])
        return replace(whole, others_peak=max(peak, whole.others))

    def _look(self) -> None:
        while not self._ended.wait(_SECOND):
            self._moments.append(observe(self._folder))


@dataclass(frozen=True, slots=True)
class Process:
    """One process, and the seconds of processor time that it used together with its dead children."""

    parent: int
    used_with_children: float
    folder: str
    command: str


def list_processes() -> dict[int, Process]:
    """All processes of this machine by pid."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (process := _read(entry)) is not None:
            found[int(entry.name)] = process
    return found


def own_processes(processes: dict[int, Process], root: int, folder: Path) -> set[int]:
    """The root, whatever works in the folder or names it, and the descendants of all these."""
    place = str(folder)
    named = {pid for pid, one in processes.items() if place in one.command or one.folder.startswith(place)}
    return descendants(processes, named | {root})


def descendants(processes: dict[int, Process], roots: set[int]) -> set[int]:
    """The roots that live, and all their descendants."""
    found = roots & processes.keys()
    while more := {pid for pid, one in processes.items() if one.parent in found} - found:
        found |= more
    return found


def used_by(root: int) -> float:
    """Seconds of processor time that a process and its descendants used so far; 0 if it is gone."""
    processes = list_processes()
    return sum(processes[pid].used_with_children for pid in descendants(processes, {root}))


def memory_of(pid: int) -> float:
    """Resident memory of one process in MB; 0 if it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), 0.0)


def _read(entry: Path) -> Process | None:
    """None if the process is gone. One that has ended and is not waited for yet has neither folder nor command."""
    try:
        stat = (entry / "stat").read_text()
    except OSError:
        return None
    try:
        command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        folder = str((entry / "cwd").readlink())
    except OSError:
        command = folder = ""
    return parse(stat, folder, command)


def parse(stat: str, folder: str, command: str) -> Process:
    """A process from the text of its `stat`, whose second field is a name that may hold blanks and parentheses."""
    fields = stat.rpartition(")")[2].split()
    used = sum(int(field) for field in fields[11:15])
    return Process(int(fields[1]), used / _TICKS, folder, command)


def _busy(stat: str) -> float:
    """Seconds of all processors that were not idle, from the text of `/proc/stat`."""
    user, nice, system, _idle, _waiting, *rest = (int(value) for value in stat.partition("\n")[0].split()[1:9])
    return (user + nice + system + sum(rest)) / _TICKS
