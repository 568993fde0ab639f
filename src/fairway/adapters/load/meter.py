"""The port `ProcessorMeter` on Linux: what the kernel has counted."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

#: The lowest bits of the number of a process's clock; those above are its id (clock_getcpuclockid(3)).
_SCHEDULER_CLOCK = 2
_TICKS = os.sysconf("SC_CLK_TCK")


class KernelMeter:
    """Asks the clock of each process, which knows nanoseconds; of children that ended, hundredths of a second."""

    def read(self, processes: Sequence[int]) -> float | None:
        """See the port."""
        parents = _parents()
        if not set(processes) <= parents.keys():
            return None
        wanted = set(processes)
        while more := {pid for pid, parent in parents.items() if parent in wanted} - wanted:
            wanted |= more
        return sum(_used(pid) for pid in wanted)


def _parents() -> dict[int, int]:
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (fields := _fields(entry)):
            found[int(entry.name)] = int(fields[1])
    return found


def _used(pid: int) -> float:
    """With its threads that ended, and with dead children that were waited for."""
    fields = _fields(Path(f"/proc/{pid}"))
    if not fields:
        return 0.0
    children = (int(fields[13]) + int(fields[14])) / _TICKS
    try:
        own = time.clock_gettime((~pid << 3) | _SCHEDULER_CLOCK)
    except OSError:  # gone, or the kernel lets nobody read another's clock
        own = (int(fields[11]) + int(fields[12])) / _TICKS
    return own + children


def _fields(entry: Path) -> list[str]:
    """The fields behind the name, which may hold blanks and parentheses; none if the process is gone."""
    try:
        return (entry / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
