"""Results go to stdout, logs and progress to stderr."""

import json
import sys
from collections.abc import Sequence
from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """Exit statuses: what scripts rely on."""

    YES = 0
    NO = 1
    WRONG_INPUT = 2
    UNKNOWN = 3
    WAITING = 4


def print_json(value: Any) -> None:
    """One JSON object on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def say(text: str) -> None:
    """A line for people on stdout."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """A line of progress or trouble on stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def complain(code: str, sentence: str, hint: str, *, as_json: bool) -> None:
    """Says what is wrong: on stderr for people, as an object on stdout for programs."""
    note(f"fairway: {sentence}" + (f"\n  {hint}" if hint else ""))
    if as_json:
        print_json({"error": {"code": code, "message": sentence, "hint": hint}})


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell, two blanks between them, no blanks at the end of a line."""
    widths = [max(len(str(row[i])) for row in [header, *rows]) for i in range(len(header))]
    lines = [
        "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [header, *rows]
    ]
    return "\n".join(line.rstrip() for line in lines)


def seconds(value: float | None) -> str:
    """A duration as people read it: 0.4 s, 12 s, 5 min, 1 h 30 min."""
    if value is None:
        return ""
    if value < 10:
        return f"{value:.1f} s"
    if value < 120:
        return f"{value:.0f} s"
    minutes = round(value / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
