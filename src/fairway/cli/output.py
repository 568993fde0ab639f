"""Results go to stdout, logs and progress to stderr."""

import sys
from collections.abc import Sequence
from enum import IntEnum
from typing import Any

#: Control characters, those that turn the direction of writing, halves of characters; not the sequences of colours.
_UNPRINTABLE = "(?!\x1b\\[[0-9;]*m)[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"


class Exit(IntEnum):
    """Exit statuses: what scripts rely on."""

    YES = 0
    NO = 1
    WRONG_INPUT = 2
    UNKNOWN = 3
    WAITING = 4


def print_json(value: Any) -> None:
    """One JSON object on stdout."""
    import json

    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def printable(text: str) -> str:
    """The text without anything that a terminal would act on, but for line breaks, tabs and colours.

    Names, reasons and the output of builds come from elsewhere and may hold whatever was written there.
    """
    if text.isprintable():
        return text
    import re

    return re.sub(_UNPRINTABLE, lambda found: ascii(found[0])[1:-1], text)


def say(text: str) -> None:
    """A line for people on stdout."""
    sys.stdout.write(printable(text) + "\n")


def note(text: str) -> None:
    """A line of progress or trouble on stderr."""
    sys.stderr.write(printable(text) + "\n")
    sys.stderr.flush()


def complain(code: str, sentence: str, hint: str, *, as_json: bool) -> None:
    """Says what is wrong: on stderr for people, as an object on stdout for programs."""
    sentence, hint = printable(sentence), printable(hint)
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
