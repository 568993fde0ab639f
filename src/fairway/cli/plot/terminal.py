"""The course on a terminal, or as plain text where there is none: lines in Braille dots, bands in shades."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from math import ceil
from textwrap import wrap

from rich.console import Group, RenderableType
from rich.text import Text

from fairway.cli.plot.compared import AS_STABLE, Compared, compare_errors, compare_latency
from fairway.cli.plot.scale import Scale, round_seconds
from fairway.cli.plot.scene import (
    LOUD,
    QUIET,
    Scene,
    clock,
    compose,
    explanation,
    headline,
    number,
    subline,
)
from fairway.domain.analysis.history import LATENCY_LANE
from fairway.usecases.course import Course

LEFT, RIGHT, NARROWEST = 8, 22, 24
"""Columns beside a picture, and those that it has at least."""

MOST_MARKS = 12
"""Decisions that are listed below the picture."""

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_EIGHTHS = " ▁▂▃▄▅▆▇█"


class Canvas:
    """Rows of characters in which each has two by four dots.

    Args:
        width: characters.
        height: rows.
        time: the axis to the right.
        values: the axis upwards.
    """

    def __init__(self, width: int, height: int, *, time: Scale, values: Scale) -> None:
        self._width, self._height, self._time, self.values = width, height, time, values
        self._cells: dict[tuple[int, int], tuple[str, str]] = {}
        self._dots: dict[tuple[int, int], int] = {}

    def row(self, value: float) -> int:
        """The row of a value, from the top."""
        return min(self._height - 1, int((1.0 - self.values.place(value)) * self._height))

    def column(self, at: float) -> int:
        """The column of a time."""
        return min(self._width - 1, int(self._time.place(at) * self._width))

    def rule(self, value: float, character: str, style: str) -> None:
        """A line from left to right."""
        for column in range(self._width):
            self._cells[self.row(value), column] = (character, style)

    def shade(self, places: Iterable[tuple[float, float, float]]) -> None:
        """A band: time, lower and upper value."""
        known = list(places)
        for (at, low, high), (until, _, _) in pairwise([*known, *known[-1:]]):
            for column in range(self.column(at), max(self.column(at) + 1, self.column(until))):
                for row in range(self.row(high), self.row(low) + 1):
                    self._cells.setdefault((row, column), ("░", "blue"))

    def line(self, places: Iterable[tuple[float, float]]) -> None:
        """A line through times and values, in dots."""
        dots = [(self._time.place(at) * (2 * self._width - 1), self.values.place(value)) for at, value in places]
        scaled = [(x, (1.0 - y) * (4 * self._height - 1)) for x, y in dots]
        for (x, y), (to_x, to_y) in pairwise([*scaled, *scaled[-1:]]):
            many = max(1, ceil(max(abs(to_x - x), abs(to_y - y))))
            for part in range(many + 1):
                self._dot(round(x + (to_x - x) * part / many), round(y + (to_y - y) * part / many))

    def _dot(self, x: int, y: int) -> None:
        cell = y // 4, x // 2
        self._dots[cell] = self._dots.get(cell, 0) | _DOTS[y % 4][x % 2]

    def lines(self) -> list[Text]:
        """What was drawn; lines above bands."""
        cells = self._cells | {cell: (chr(0x2800 + dots), "bold cyan") for cell, dots in self._dots.items()}
        columns = range(self._width)
        return [
            Text.assemble(*(cells.get((row, column), (" ", "")) for column in columns)) for row in range(self._height)
        ]


def draw_text(course: Course, *, width: int = 80) -> RenderableType:
    """The course in so many columns."""
    head = [Text(headline(course), "bold"), Text(subline(course), "dim"), Text(explanation(course))]
    if course.silence:
        return Group(*head, Text(course.silence, "yellow"))
    scene, inside = compose(course), max(NARROWEST, width - LEFT - RIGHT)
    return Group(
        *head,
        Text(),
        *_errors(scene, inside),
        *_slowdown(scene, inside),
        Text(),
        *_evidence(scene, inside),
        *_parts(scene, width),
        Text(),
        *_weights(scene, inside),
        *_clock(scene, inside),
        *_marks(scene),
    )


def _errors(scene: Scene, width: int) -> list[Text]:
    return _compared(compare_errors(scene), Canvas(width, 10, time=scene.time, values=scene.ratio))


def _slowdown(scene: Scene, width: int) -> list[Text]:
    """Only where latency decided: errors are what people look for first."""
    shown = compare_latency(scene)
    if shown is None or scene.last.rule != LATENCY_LANE:
        return []
    return [Text(), *_compared(shown, Canvas(width, 8, time=scene.time, values=shown.axis))]


def _compared(shown: Compared, canvas: Canvas) -> list[Text]:
    """Ratios with their confidence sequences, the line of equality and the margin."""
    canvas.rule(1.0, "┄", "dim")
    labels = [(canvas.row(1.0), AS_STABLE, "dim")]
    for ratio in shown.ratios:
        canvas.shade(ratio.band)
        for piece in ratio.pieces:
            canvas.line(piece)
    if shown.limit is not None:
        canvas.rule(shown.limit[0], "╌", "red")
        labels.append((canvas.row(shown.limit[0]), shown.limit[1], "red"))
    labels.append((canvas.row(shown.last[0]), shown.last[1], "bold cyan"))
    return [Text(shown.title, "bold"), *_framed(canvas, 5, lambda value: f"{number(value)}×", labels)]


def _evidence(scene: Scene, width: int) -> list[Text]:
    canvas, threshold = Canvas(width, 8, time=scene.time, values=scene.evidence), scene.course.threshold
    canvas.rule(threshold, "╌", "red")
    canvas.line((point.at, point.e_value) for point in scene.course.points)
    labels = [
        (canvas.row(threshold), f"roll-back at {number(threshold)}", "red"),
        (canvas.row(scene.last.e_value), f"e-value {number(scene.last.e_value)}", "bold cyan"),
    ]
    title = "evidence against the candidate: e-value, by which a bet against it has grown"
    return [Text(title, "bold"), *_framed(canvas, 4, number, labels)]


def _parts(scene: Scene, width: int) -> list[Text]:
    """What the last e-values are made of, the greatest first."""
    told = [("parts", scene.last.lanes)]
    if scene.promotion is not None:
        told.append((f"good enough at {number(scene.course.shown)}", scene.last.promotion))
    lines = []
    for name, values in told:
        ordered = sorted(values.items(), key=lambda item: -item[1])
        words = f"{name}: {', '.join(f'{lane} {number(value)}' for lane, value in ordered)}" if ordered else ""
        lines += wrap(words, width - LEFT, initial_indent=" " * LEFT, subsequent_indent=" " * (LEFT + 2))
    return [Text(line, "dim") for line in lines]


def _framed(canvas: Canvas, most: int, words: Callable[[float], str], labels: list[tuple[int, str, str]]) -> list[Text]:
    """The drawing with its axis to the left and labels to the right, each in a row of its own."""
    ticks = {canvas.row(value): words(value) for value in reversed(canvas.values.ticks(most))}
    drawn = canvas.lines()
    beside = _apart(labels, len(drawn))
    lines = []
    for row, line in enumerate(drawn):
        tick = ticks.get(row, "")
        label, style = beside.get(row, ("", ""))
        edge = "┤" if tick else "│"
        axis = (f"{tick:>{LEFT - 2}} {edge}", "dim")
        lines.append(Text.assemble(axis, line, " ", (label[: RIGHT - 1], style)))
    return lines


def _apart(labels: list[tuple[int, str, str]], rows: int) -> dict[int, tuple[str, str]]:
    """A row of its own for each label, near its place."""
    taken: dict[int, tuple[str, str]] = {}
    for place, words, style in reversed(labels):
        free = [row for row in range(rows) if row not in taken]
        taken[min(free, key=lambda row: abs(row - place))] = (words, style)
    return taken


def _weights(scene: Scene, width: int) -> list[Text]:
    line = [" "] * width
    canvas = Canvas(width, 1, time=scene.time, values=Scale(0.0, 100.0))
    for at, until, weight in scene.weights:
        for column in range(canvas.column(at), canvas.column(until) + 1):
            line[column] = _EIGHTHS[max(1, round(weight / 100.0 * 8)) if weight > 0.0 else 0]
    last = f"{scene.weights[-1][2]:g} %" if scene.weights else ""
    return [Text.assemble((f"{'weight':>{LEFT - 2}} │", "dim"), ("".join(line), "green"), " ", last)]


def _clock(scene: Scene, width: int) -> list[Text]:
    """The time axis, with a sign where something was decided."""
    canvas = Canvas(width, 1, time=scene.time, values=Scale(0.0, 1.0))
    axis, labels = ["─"] * width, [" "] * (width + 6)
    unit, name = clock(scene)
    for gone in round_seconds(scene.time.high - scene.time.low, max(2, width // 12)):
        column = canvas.column(scene.time.low + gone)
        axis[column] = "┬"
        words = f"{gone / unit:g}"
        labels[column : column + len(words)] = words
    for mark in scene.marks:
        axis[canvas.column(mark.at)] = "▲"
    gap = " " * (LEFT - 1)
    return [
        Text.assemble((f"{gap}└{''.join(axis)}"[: LEFT + width], "dim")),
        Text(f"{gap} {''.join(labels).rstrip()}", "dim"),
        Text(f"{gap} {name}", "dim"),
    ]


def _marks(scene: Scene) -> list[Text]:
    lines = []
    for mark in scene.marks:
        style = "red" if mark.kind in LOUD else "yellow" if mark.kind in QUIET else ""
        gone = round(mark.at - scene.time.low)
        lines.append(Text.assemble((f"▲ {gone // 60:>4}:{gone % 60:02d}  {mark.label}", style)))
    if len(lines) > MOST_MARKS:
        half = MOST_MARKS // 2
        lines[half:-half] = [Text(f"▲    …     and {len(lines) - 2 * half} more", "dim")]
    return lines
