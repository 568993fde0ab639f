"""Durations as people write them: `30s`, `5m`, `1h30m`, `250ms`."""

import re

_SECONDS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,6})?"
# Each unit at most once, the greatest first.
_DURATION = re.compile("".join(f"(?:({_NUMBER}){unit})?" for unit in _SECONDS))
PATTERN = r"^(0|(?=[0-9])([0-9.]+d)?([0-9.]+h)?([0-9.]+m)?([0-9.]+s)?([0-9.]+ms)?)$"
"""The same for JSON Schema; a little wider."""

LONGEST = 366 * 86_400.0


def parse_duration(text: str) -> float | None:
    """The duration in seconds; None if the text is none.

    Args:
        text: numbers with the units d, h, m, s and ms, the greatest first, each at most once; `0` needs no unit.
    """
    if text == "0":
        return 0.0
    found = _DURATION.fullmatch(text)
    if not text or not found:
        return None
    parts = zip(found.groups(), _SECONDS.values(), strict=True)
    return round(sum(float(number) * seconds for number, seconds in parts if number), 6)


def format_duration(seconds: float) -> str:
    """The shortest text that `parse_duration` reads as the same duration."""
    left = round(seconds * 1000)
    text = ""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, left = divmod(left, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"
