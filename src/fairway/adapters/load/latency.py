"""Latencies counted in cells: exact to a microsecond below 16 ms, to one part in 8,192 above. Cheap to record."""

Cells = dict[int, int]

#: Microseconds below which each has a cell of its own.
EXACT = 1 << 14


def record(cells: Cells, microseconds: int) -> None:
    """Counts one latency."""
    if microseconds >= EXACT:
        shift = microseconds.bit_length() - 14
        microseconds = microseconds >> shift << shift
    cells[microseconds] = cells.get(microseconds, 0) + 1


def add(total: Cells, part: Cells) -> None:
    """Adds the counts of another one."""
    for microseconds, count in part.items():
        total[microseconds] = total.get(microseconds, 0) + count


def percentile(cells: Cells, percent: float) -> float | None:
    """The latency in milliseconds that `percent` of the requests did not exceed; None without any."""
    wanted = sum(cells.values()) * percent / 100
    seen = 0
    for microseconds in sorted(cells):
        seen += cells[microseconds]
        if seen >= wanted:
            return microseconds / 1000
    return None


def mean(cells: Cells) -> float | None:
    """The mean in milliseconds; None without any."""
    count = sum(cells.values())
    return sum(microseconds * number for microseconds, number in cells.items()) / count / 1000 if count else None


def longest(cells: Cells) -> float | None:
    """The longest latency in milliseconds; None without any."""
    return max(cells) / 1000 if cells else None
