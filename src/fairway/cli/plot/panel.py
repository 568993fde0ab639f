"""The parts of an SVG picture: panels with a time axis, lines, labels; readable on light and dark ground."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import escape

from fairway.cli.plot.scale import Scale, round_seconds

WIDTH, LEFT, RIGHT = 880.0, 62.0, 172.0
INSIDE = WIDTH - LEFT - RIGHT
CHARACTER = 6.3
"""How wide a character of the labels is, about."""


STYLE = """
text { font: 12px system-ui, -apple-system, 'Segoe UI', 'Open Sans', sans-serif; fill: #57606a;
  paint-order: stroke; stroke: #ffffff; stroke-width: 3px; stroke-linejoin: round }
.ground { fill: #ffffff }
.title { font-size: 17px; font-weight: 600; fill: #1f2328 }
.name { font-weight: 600; fill: #1f2328 }
.grid { stroke: #d8dee4; stroke-width: 1; fill: none }
.frame, .leader { stroke: #8c959f; stroke-width: 1; fill: none }
.even { stroke: #8c959f; stroke-width: 1; fill: none }
.band { fill: #0969da; fill-opacity: 0.16; stroke: #0969da; stroke-opacity: 0.45; stroke-width: 0.75 }
.line { stroke: #0969da; stroke-width: 2; fill: none; stroke-linejoin: round; stroke-linecap: round }
.dot { fill: #0969da }
.lane { stroke: #6e7781; stroke-width: 1; fill: none; stroke-linejoin: round }
.limit { stroke: #cf222e; stroke-width: 1.5; stroke-dasharray: 6 4; fill: none }
.goal { stroke: #1a7f37; stroke-width: 1.5; stroke-dasharray: 6 4; fill: none }
.weight { fill: #57606a; fill-opacity: 0.22; stroke: #57606a; stroke-width: 1 }
.halt { fill: #bf8700; fill-opacity: 0.12 }
.many { stroke: #6e7781; stroke-width: 1; stroke-opacity: 0.4; fill: none }
.bad { stroke: #cf222e; stroke-width: 1; stroke-opacity: 0.6; fill: none }
.mark { stroke: #57606a; stroke-width: 1; stroke-dasharray: 2 3 }
path.quiet { stroke: #9a6700 } path.loud { stroke: #cf222e; stroke-dasharray: none; stroke-width: 1.5 }
text.blue { fill: #0969da; font-weight: 600 } text.red, text.loud { fill: #cf222e; font-weight: 600 }
text.quiet { fill: #9a6700 } text.green { fill: #1a7f37; font-weight: 600 }
@media (prefers-color-scheme: dark) {
text { fill: #9198a1; stroke: #0d1117 }
.ground { fill: #0d1117 } .title, .name { fill: #f0f6fc } .grid { stroke: #262c36 }
.frame, .even, .leader { stroke: #656c76 }
.band { fill: #4493f8; fill-opacity: 0.22; stroke: #4493f8 } .line { stroke: #4493f8 } .dot { fill: #4493f8 }
.lane { stroke: #7d8590 } .limit { stroke: #f85149 } .weight { fill: #9198a1; stroke: #9198a1 }
.halt { fill: #d29922 } .mark { stroke: #9198a1 }
path.quiet { stroke: #d29922 } path.loud { stroke: #f85149 }
text.blue { fill: #4493f8 } text.red, text.loud { fill: #f85149 } text.quiet { fill: #d29922 }
.goal { stroke: #3fb950 } text.green { fill: #3fb950 }
}
"""


@dataclass(frozen=True, slots=True)
class Panel:
    """One of the pictures above each other; all share the time axis.

    Attributes:
        top: pixels from the top of the file.
        height: pixels.
    """

    top: float
    height: float
    time: Scale
    values: Scale

    @property
    def bottom(self) -> float:
        """Pixels from the top of the file."""
        return self.top + self.height

    def x(self, at: float) -> float:
        """Pixels from the left."""
        return LEFT + INSIDE * self.time.place(at)

    def y(self, value: float) -> float:
        """Pixels from the top."""
        return self.bottom - self.height * self.values.place(value)

    def path(self, places: Iterable[tuple[float, float]]) -> str:
        """Lines through times and values."""
        drawn = [(f"{self.x(at):.1f}", f"{self.y(value):.1f}") for at, value in places]
        return "M" + "L".join(f"{x} {y}" for x, y in _straight(drawn))


def draw_axis(panel: Panel, words: Callable[[float], str]) -> Iterator[str]:
    """The axis of values with its lines across the panel."""
    for value in panel.values.ticks(int(panel.height / 22.0)):
        yield f'<path class="grid" d="{panel.path([(panel.time.low, value), (panel.time.high, value)])}"/>'
        yield write(LEFT - 8.0, panel.y(value) + 4.0, words(value), "", "end")


def draw_limit(panel: Panel, value: float, kind: str = "limit") -> str:
    """A line that must be crossed, or must not."""
    return f'<path class="{kind}" d="{panel.path([(panel.time.low, value), (panel.time.high, value)])}"/>'


def draw_line(panel: Panel, places: Sequence[tuple[float, float]], kind: str) -> Iterator[str]:
    """A line; a dot where there is but one place."""
    if len(places) == 1 and kind == "line":
        yield f'<circle class="dot" cx="{panel.x(places[0][0]):.1f}" cy="{panel.y(places[0][1]):.1f}" r="3"/>'
    elif len(places) > 1:
        yield f'<path class="{kind}" d="{panel.path(places)}"/>'


def label_beside(panel: Panel, labels: list[tuple[float, str, str]]) -> Iterator[str]:
    """Labels at the right end of what they name, pushed apart where they would cover each other, and led to it then."""
    ordered = sorted(labels)
    places = [y for y, _, _ in ordered]
    for place in range(1, len(places)):
        places[place] = max(places[place], places[place - 1] + 15.0)
    over = max(0.0, places[-1] - panel.bottom - 4.0)
    for place in range(len(places) - 1, -1, -1):
        ceiling = places[place] - over if place == len(places) - 1 else places[place + 1] - 15.0
        places[place] = min(places[place], ceiling)
    for y, (end, words, kind) in zip(places, ordered, strict=True):
        if abs(y - end) > 1.0:
            yield f'<path class="leader" d="M{WIDTH - RIGHT:.1f} {end:.1f}L{WIDTH - RIGHT + 7.0:.1f} {y:.1f}"/>'
        yield write(WIDTH - RIGHT + 9.0, y + 4.0, words, kind)


def draw_box(kind: str, across: tuple[float, float], down: tuple[float, float]) -> str:
    """A rectangle between two places to the right and two downwards."""
    (left, right), (top, bottom) = across, down
    return f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}"/>'


def title(panel: Panel, words: str) -> str:
    """What a panel shows, above it."""
    return write(LEFT, panel.top - 8.0, words, "name")


def write(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """Words at a place, whatever is in them."""
    where = f'x="{x:.1f}" y="{y:.1f}"' + (f' text-anchor="{anchor}"' if anchor != "start" else "")
    return f"<text {where}{f' class={chr(34)}{kind}{chr(34)}' if kind else ''}>{safe(words)}</text>"


def safe(words: str) -> str:
    """Text that may stand in XML 1.0: without the control characters that it forbids."""
    return escape("".join(one if one >= " " and one not in "\ufffe\uffff" else " " for one in words))


def draw_clock(panels: list[Panel], unit: float, words: str) -> Iterator[str]:
    """The time axis below the last panel, what it divides, and the frames.

    Args:
        panels: from the top; all have the same time axis.
        unit: seconds for which the numbers count one.
        words: what is counted, and since when.
    """
    lowest, time = panels[-1], panels[-1].time
    for gone in round_seconds(time.high - time.low, 10):
        x = lowest.x(time.low + gone)
        yield write(x, lowest.bottom + 17.0, f"{gone / unit:g}", "", "middle")
        for panel in panels:
            yield f'<path class="grid" d="M{x:.1f} {panel.top:.1f}V{panel.bottom:.1f}"/>'
    for panel in panels:
        yield draw_box("frame", (LEFT, LEFT + INSIDE), (panel.top, panel.bottom))
    yield write(LEFT, lowest.bottom + 36.0, words)


def document(body: Iterable[str], *, height: float, name: str, description: str) -> str:
    """The text of a file.

    Args:
        body: what is drawn.
        height: pixels.
        name: of the picture, for those who cannot see it.
        description: what it shows, likewise.
    """
    described = f"<title>{safe(name)}</title><desc>{safe(description)}</desc>"
    box = f'width="{WIDTH:g}" height="{height:g}" viewBox="0 0 {WIDTH:g} {height:g}"'
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img">'
    ground = f'<rect class="ground" width="{WIDTH:g}" height="{height:g}"/>'
    return "\n".join([opening, described, f"<style>{STYLE}</style>", ground, *body, "</svg>", ""])


def _straight(places: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Without the places in the middle of a level line, which make a file large and change nothing."""
    yield places[0]
    for (before, here), after in zip(pairwise(places), places[2:], strict=False):
        if not before[1] == here[1] == after[1]:
            yield here
    yield from places[1:][-1:]
