"""The port `ProcessorMeter` on Linux: what the kernel has counted."""

import os
from collections.abc import Sequence
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


class KernelMeter:
    """Reads `/proc`. Exact to a hundredth of a second for each process; nanoseconds where the scheduler tells them."""

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
    """With dead children that were waited for: a process that ends hands its time to the one that waits for it."""
    fields = _fields(Path(f"/proc/{pid}"))
    if not fields:
        return 0.0
    children = (int(fields[13]) + int(fields[14])) / _TICKS
    try:
        threads = [int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir()]
    except (OSError, ValueError, IndexError):
        threads = []
    own = (int(fields[11]) + int(fields[12])) / _TICKS
    # Threads that ended are in the process's own count only.
    return children + max(own, sum(threads) / 1e9)


def _fields(entry: Path) -> list[str]:
    """The fields behind the name, which may hold blanks and parentheses; none if the process is gone."""
    try:
        return (entry / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
