"""Plots as SVG, written by hand so that the report is one file that needs nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import isinf, log10

LEFT, WIDTH, RIGHT, LINE, TOP = 270.0, 640.0, 90.0, 26.0, 46.0

COLOURS = ("#0b6e4f", "#c1440e", "#8a6d00", "#3d5a99", "#8c2f6b")


@dataclass(frozen=True, slots=True)
class Axis:
    """A logarithmic axis; what lies beyond its end is drawn in a lane of its own.

    Attributes:
        beyond: what the lane at the end means; empty: there is none.
    """

    least: float
    most: float
    title: str
    beyond: str = ""

    def x(self, value: float) -> float:
        """Where a value lies."""
        if isinf(value):
            return LEFT + WIDTH + RIGHT / 2.0
        inside = min(self.most, max(self.least, value))
        return LEFT + WIDTH * log10(inside / self.least) / log10(self.most / self.least)

    def marks(self) -> list[float]:
        """Powers of ten on it."""
        return [10.0**power for power in range(-2, 8) if self.least <= 10.0**power <= self.most]


def dots(
    title: str, axis: Axis, rows: Sequence[tuple[str, Mapping[str, tuple[float, float]]]], series: Sequence[str]
) -> str:
    """A line for each row: a dot at each series' median, a thin line from there to its 90 % quantile."""
    height = TOP + LINE * len(rows) + 44.0
    parts = [f'<text x="0" y="16" class="title">{escape(title)}</text>', _legend(series)]
    parts += [_grid(axis, mark, height) for mark in axis.marks()]
    if axis.beyond:
        parts.append(_text(axis.x(float("inf")), height - 26.0, axis.beyond, "middle"))
    for index, (name, values) in enumerate(rows):
        middle = TOP + LINE * (index + 0.5)
        parts.append(f'<line x1="{LEFT}" x2="{LEFT + WIDTH + RIGHT}" y1="{middle}" y2="{middle}" class="row"/>')
        parts.append(_text(LEFT - 10.0, middle + 4.0, name, "end"))
        parts += [_dot(axis, middle, number, len(series), values[one]) for number, one in enumerate(series)]
    parts.append(_text(LEFT + WIDTH / 2.0, height - 4.0, axis.title, "middle"))
    return (
        f'<svg viewBox="0 0 {LEFT + WIDTH + RIGHT:.0f} {height:.0f}" role="img" '
        f'aria-label="{escape(title, quote=True)}">{"".join(parts)}</svg>'
    )


def _legend(series: Sequence[str]) -> str:
    parts, x = [], LEFT
    for number, name in enumerate(series):
        parts.append(f'<circle cx="{x}" cy="34" r="4.5" fill="{COLOURS[number]}"/>')
        parts.append(_text(x + 9.0, 38.0, name, "start"))
        x += 26.0 + 7.2 * len(name)
    return "".join(parts)


def _grid(axis: Axis, mark: float, height: float) -> str:
    x = axis.x(mark)
    line = f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{height - 40.0}" class="grid"/>'
    return line + _text(x, height - 26.0, f"{mark:,.10g}", "middle")


def _dot(axis: Axis, middle: float, number: int, of: int, values: tuple[float, float]) -> str:
    colour, (median, tail) = COLOURS[number], values
    y = middle + (number - (of - 1) / 2.0) * (LINE - 8.0) / of
    line = ""
    if not isinf(median):
        line = f'<line x1="{axis.x(median):.1f}" x2="{axis.x(tail):.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}"/>'
    return f'{line}<circle cx="{axis.x(median):.1f}" cy="{y:.1f}" r="3.4" fill="{colour}"/>'


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
