"""The figures as tables for people."""

from collections.abc import Sequence

from benchmarks.figures import Row, shown

_TRAFFIC = (
    ("rate_per_s", "sent/s"),
    ("rate_to_rest", "÷ rest"),
    ("requests", "requests"),
    ("failed", "failed"),
    ("behind", "behind"),
    ("p50_ms", "P50 ms"),
    ("p99_ms", "P99 ms"),
    ("p99_to_rest", "÷ rest"),
    ("p999_ms", "P99.9 ms"),
    ("max_ms", "max ms"),
    ("proxy_us_per_request", "proxy µs/request"),
)


def traffic_table(rows: Sequence[Row]) -> str:
    """A line for each kind of traffic."""
    header = ["", *(title for _, title in _TRAFFIC), "cores: ours", "others", "peak"]
    lines = []
    for row in rows:
        cells = [_cell(row, name) for name, _ in _TRAFFIC]
        lines.append([row.name, *cells, *_cores(row)])
    return _table(header, lines) + _problems(rows)


def figure_table(rows: Sequence[Row], names: Sequence[str]) -> str:
    """A line for each figure of each row."""
    lines = []
    for row in rows:
        for index, name in enumerate(name for name in names if name in row.figures):
            limit = next((str(limit) for limit in row.limits if limit.figure == name), "")
            cores = _cores(row) if index == 0 else ["", "", ""]
            lines.append([row.name if index == 0 else "", name, _cell(row, name), limit, *cores])
    return _table(["", "figure", "measured", "limit", "cores: ours", "others", "peak"], lines) + _problems(rows)


def _cell(row: Row, name: str) -> str:
    value = row.figures.get(name)
    wrong = any(limit.figure == name and not limit.holds(value) for limit in row.limits)
    return shown(value) + (" !" if wrong else "")


def _cores(row: Row) -> list[str]:
    if row.usage is None:
        return ["", "", ""]
    return [f"{cores:.2f}" for cores in (row.usage.ours, row.usage.others, row.usage.others_peak)]


def _problems(rows: Sequence[Row]) -> str:
    return "".join(f"\n{row.name}: {row.problem}" for row in rows if row.problem is not None)


def _table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; the first to the left, numbers to the right."""
    widths = [max(len(line[n]) for line in [header, *lines]) for n in range(len(header))]

    def drawn(line: Sequence[str]) -> str:
        cells = [
            line[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)),
        ]
        return "  ".join(cells).rstrip()

    return "\n".join(drawn(line) for line in [header, *lines])
