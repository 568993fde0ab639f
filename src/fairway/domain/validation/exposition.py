"""The text format in which Prometheus reads metrics (version 0.0.4), and what of OpenMetrics goes beyond it."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\\n]|\\["\\n])*)"\s*(,|(?=\}))')
_TYPES = frozenset({"counter", "gauge", "histogram", "summary", "untyped"})
_OPEN_TYPES = _TYPES | {"unknown", "info", "stateset", "gaugehistogram"}
_SUFFIXES = ("_bucket", "_count", "_sum", "_total", "_created", "_info")


class Malformed(ValueError):  # noqa: N818 -- it is what the text is
    """A line is not in the format."""


@dataclass(slots=True)
class Exposition:
    """What was read.

    Attributes:
        series: names of samples, each with its label sets and values.
        types: of metric families.
    """

    series: dict[str, dict[tuple[tuple[str, str], ...], float]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)

    def knows(self, name: str) -> bool:
        """Whether there is a sample of that name, or of that family."""
        family = name in self.types and any(name + suffix in self.series for suffix in _SUFFIXES)
        return name in self.series or family


def parse_exposition(text: str, *, openmetrics: bool = False) -> Exposition:
    """The metrics of a text.

    Raises:
        Malformed: a line is wrong; the sentence names it.
    """
    found = Exposition()
    lines = text.split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    elif text:
        raise Malformed(f"line {len(lines)} does not end with a newline")
    if openmetrics:
        if not lines or lines[-1] != "# EOF":
            raise Malformed("the text does not end with # EOF")
        lines.pop()
    for number, line in enumerate(lines, 1):
        try:
            _take(line, found, _OPEN_TYPES if openmetrics else _TYPES)
        except Malformed as error:
            raise Malformed(f"line {number}: {error}: {line[:80]!r}") from error
    for problem in _wrong_histograms(found):
        raise Malformed(problem)
    return found


def _take(line: str, found: Exposition, types: frozenset[str]) -> None:
    words = line.strip()
    if not words:
        return
    if words.startswith("#"):
        _take_comment(words, found, types)
        return
    name, labels, rest = _split(words)
    fields = rest.split("#")[0].split()
    if not 1 <= len(fields) <= 2:
        raise Malformed("expected a value and perhaps a time")
    value = _number(fields[0])
    if len(fields) == 2:
        _number(fields[1])
    samples = found.series.setdefault(name, {})
    if labels in samples:
        raise Malformed("the same series twice")
    samples[labels] = value


def _take_comment(words: str, found: Exposition, types: frozenset[str]) -> None:
    parts = words.split(None, 3)
    if len(parts) < 3 or parts[0] != "#" or parts[1] not in ("TYPE", "HELP"):
        return
    if not _NAME.fullmatch(parts[2]):
        raise Malformed("a name that is none of a metric")
    if parts[1] == "TYPE":
        if len(parts) < 4 or parts[3] not in types:
            raise Malformed("an unknown type")
        if parts[2] in found.types:
            raise Malformed("a second TYPE of the same metric")
        if parts[2] in found.series:
            raise Malformed("TYPE after the metric's samples")
        found.types[parts[2]] = parts[3]


def _split(words: str) -> tuple[str, tuple[tuple[str, str], ...], str]:
    """Name, labels and what follows them."""
    named = _NAME.match(words)
    if not named:
        raise Malformed("a name that is none of a metric")
    rest = words[named.end() :]
    if not rest.startswith("{"):
        if rest and not rest[0].isspace():
            raise Malformed("a name that is none of a metric")
        return named[0], (), rest
    labels: dict[str, str] = {}
    at = 1
    while not re.match(r"\s*\}", rest[at:]):
        label = _LABEL.match(rest, at)
        if not label:
            raise Malformed("labels that are not written as they should be")
        if label[1] in labels:
            raise Malformed("the same label twice")
        labels[label[1]] = label[2]
        at = label.end()
    return named[0], tuple(sorted(labels.items())), rest[rest.index("}", at) + 1 :]


def _number(text: str) -> float:
    try:
        # Python takes 1_000 for a number; Prometheus does not.
        return float(text.replace("_", "?"))
    except ValueError as error:
        raise Malformed(f"{text[:40]!r} is not a number") from error


def _wrong_histograms(found: Exposition) -> Iterator[str]:
    for name, kind in found.types.items():
        if kind != "histogram":
            continue
        groups: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
        for labels, value in found.series.get(f"{name}_bucket", {}).items():
            limit = dict(labels).get("le")
            if limit is None:
                yield f"a bucket of the histogram {name} has no label le"
                return
            rest = tuple(pair for pair in labels if pair[0] != "le")
            groups.setdefault(rest, []).append((_number(limit), value))
        for buckets in groups.values():
            buckets.sort()
            counts = [count for _, count in buckets]
            if not math.isinf(buckets[-1][0]):
                yield f"the histogram {name} has no bucket +Inf"
            elif counts != sorted(counts):
                yield f"the buckets of the histogram {name} are not cumulative"
