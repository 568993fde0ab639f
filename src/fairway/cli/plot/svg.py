"""The course as SVG: no script, nothing from outside, readable on light and dark, described for who cannot see it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from textwrap import wrap
from xml.sax.saxutils import escape

from fairway.cli.plot.scale import Scale, round_seconds
from fairway.cli.plot.scene import (
    LOUD,
    QUIET,
    Ratio,
    Scene,
    clock,
    compose,
    errors,
    explanation,
    headline,
    last_slowdown,
    number,
    ratio_end,
    ratio_words,
    slowdown_words,
    slowdowns,
    subline,
)
from fairway.usecases.course import Course, Mark
from fairway.usecases.report import timestamp

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
.frame { stroke: #8c959f; stroke-width: 1; fill: none }
.even { stroke: #8c959f; stroke-width: 1; fill: none }
.band { fill: #0969da; fill-opacity: 0.16; stroke: #0969da; stroke-opacity: 0.45; stroke-width: 0.75 }
.line { stroke: #0969da; stroke-width: 2; fill: none; stroke-linejoin: round; stroke-linecap: round }
.dot { fill: #0969da }
.lane { stroke: #6e7781; stroke-width: 1; fill: none; stroke-linejoin: round }
.limit { stroke: #cf222e; stroke-width: 1.5; stroke-dasharray: 6 4; fill: none }
.goal { stroke: #1a7f37; stroke-width: 1.5; stroke-dasharray: 6 4; fill: none }
.weight { fill: #57606a; fill-opacity: 0.22; stroke: #57606a; stroke-width: 1 }
.halt { fill: #bf8700; fill-opacity: 0.12 }
.mark { stroke: #57606a; stroke-width: 1; stroke-dasharray: 2 3 }
path.quiet { stroke: #9a6700 } path.loud { stroke: #cf222e; stroke-dasharray: none; stroke-width: 1.5 }
text.blue { fill: #0969da; font-weight: 600 } text.red, text.loud { fill: #cf222e; font-weight: 600 }
text.quiet { fill: #9a6700 } text.green { fill: #1a7f37; font-weight: 600 }
@media (prefers-color-scheme: dark) {
text { fill: #9198a1; stroke: #0d1117 }
.ground { fill: #0d1117 } .title, .name { fill: #f0f6fc } .grid { stroke: #262c36 } .frame, .even { stroke: #656c76 }
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
        return "M" + "L".join(f"{self.x(at):.1f} {self.y(value):.1f}" for at, value in places)


def draw_svg(course: Course) -> str:
    """The file's text."""
    if course.silence:
        body, height = list(_silence(course)), 130.0
    else:
        body, height = _picture(compose(course))
    described = f"<title>{_safe(headline(course))}</title><desc>{_safe(_description(course))}</desc>"
    box = f'width="{WIDTH:g}" height="{height:g}" viewBox="0 0 {WIDTH:g} {height:g}"'
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img">'
    ground = f'<rect class="ground" width="{WIDTH:g}" height="{height:g}"/>'
    return "\n".join([opening, described, f"<style>{STYLE}</style>", ground, *body, "</svg>", ""])


def _picture(scene: Scene) -> tuple[list[str], float]:
    """What is drawn, and how high it is."""
    body, top = _header(scene.course)
    rows, depth = _arrange(scene)
    panels: list[Panel] = []
    drawn: list[str] = []
    top += 16.0 * depth + 24.0
    for height, values, draw in _pictures(scene):
        panels.append(Panel(top, height, scene.time, values))
        drawn += draw(scene, panels[-1])
        top = panels[-1].bottom + 34.0
    body += [*_halts(scene, panels[0], panels[-1]), *_clock(scene, panels)]
    body += [*_marks(rows, panels[0], panels[-1]), *drawn]
    return body, panels[-1].bottom + 48.0


Draw = Callable[[Scene, Panel], Iterable[str]]


def _pictures(scene: Scene) -> Iterator[tuple[float, Scale, Draw]]:
    """Height, axis and content, from the top; what nothing is known of is left out."""
    yield 190.0, scene.ratio, _ratio
    if scene.slowdown is not None:
        yield 120.0, scene.slowdown, _slowdown
    yield 150.0, scene.evidence, _evidence
    if scene.promotion is not None:
        yield 90.0, scene.promotion, _promotion
    if scene.latency is not None:
        yield 110.0, scene.latency, _latency
    yield 48.0, Scale(0.0, 100.0), _weights


def _silence(course: Course) -> Iterator[str]:
    head, top = _header(course)
    yield from head
    yield _text(LEFT, top + 16.0, course.silence, "name")


def _header(course: Course) -> tuple[list[str], float]:
    lines = wrap(explanation(course), 125, max_lines=6, placeholder=" …")
    head = [_text(LEFT, 28.0, headline(course), "title"), _text(LEFT, 47.0, subline(course))]
    head += [_text(LEFT, 66.0 + 16.0 * place, line) for place, line in enumerate(lines)]
    return head, 56.0 + 16.0 * len(lines)


def _ratio(scene: Scene, panel: Panel) -> Iterator[str]:
    yield _name(panel, "error ratio of the candidate ÷ stable's in the present step, with its 99 % confidence sequence")
    limit = (scene.course.margin, f"margin {number(scene.course.margin)}×") if scene.course.margin else None
    last = (ratio_end(scene.told), ratio_words(scene.told))
    yield from _compared(panel, [errors(scene, step) for step in scene.steps], limit, last)


def _slowdown(scene: Scene, panel: Panel) -> Iterator[str]:
    yield _name(panel, "latency of the candidate ÷ stable's in the present step, by the quantile that tells most")
    last = last_slowdown(scene)
    if last is not None:
        ratios = [slowdowns(panel.values, step) for step in scene.steps]
        limit = (last.margin, f"margin {last.margin:.3g}×")
        yield from _compared(panel, ratios, limit, (last.ratio, slowdown_words(last)))


def _compared(
    panel: Panel, ratios: list[Ratio], limit: tuple[float, str] | None, last: tuple[float, str]
) -> Iterator[str]:
    """Ratios with their confidence sequences, the line of equality and the margin."""
    yield from _axis(panel, lambda value: f"{number(value)}×")
    yield f'<path class="even" d="{panel.path([(panel.time.low, 1.0), (panel.time.high, 1.0)])}"/>'
    for ratio in ratios:
        if ratio.band:
            upper = [(at, high) for at, _, high in ratio.band]
            lower = [(at, low) for at, low, _ in reversed(ratio.band)]
            yield f'<path class="band" d="{panel.path([*upper, *lower])}Z"/>'
        for piece in ratio.pieces:
            yield from _line(panel, piece, "line")
    labels = [(panel.y(1.0), "1× as stable", ""), (panel.y(last[0]), last[1], "blue")]
    if limit is not None:
        yield _limit(panel, limit[0])
        labels.append((panel.y(limit[0]), limit[1], "red"))
    yield from _beside(panel, labels)


def _evidence(scene: Scene, panel: Panel) -> Iterator[str]:
    yield _name(panel, "evidence against the candidate: e-value, and the part of each lane")
    yield from _axis(panel, number)
    yield _limit(panel, scene.course.threshold)
    labels = [(panel.y(scene.course.threshold), f"roll-back at {number(scene.course.threshold)}", "red")]
    points = scene.course.points
    for lane in scene.last.lanes:
        values = [(point.at, point.lanes[lane]) for point in points if lane in point.lanes]
        yield from _line(panel, values, "lane")
        labels.append((panel.y(values[-1][1]), f"{lane} {number(values[-1][1])}", ""))
    yield from _line(panel, [(point.at, point.e_value) for point in points], "line")
    labels.append((panel.y(scene.last.e_value), f"e-value {number(scene.last.e_value)}", "blue"))
    yield from _beside(panel, labels)


def _promotion(scene: Scene, panel: Panel) -> Iterator[str]:
    yield _name(panel, "evidence for the candidate in the present step: it is not worse than the promotion margin")
    yield from _axis(panel, number)
    yield _limit(panel, scene.course.shown, "goal")
    labels = [(panel.y(scene.course.shown), f"shown at {number(scene.course.shown)}", "green")]
    tests = dict.fromkeys(name for point in scene.course.points for name in point.promotion)
    for test in tests:
        for step in scene.steps:
            values = [(point.at, point.promotion[test]) for point in step if test in point.promotion]
            yield from _line(panel, values, "lane")
        last = [point.promotion[test] for point in scene.course.points if test in point.promotion][-1]
        labels.append((panel.y(last), f"{test} {number(last)}", ""))
    yield from _beside(panel, labels)


def _latency(scene: Scene, panel: Panel) -> Iterator[str]:
    yield _name(panel, "latency, milliseconds: half and 99 % of the requests were answered within")
    yield from _axis(panel, number)
    labels = []
    for role, kind, words in (("stable", "lane", ""), ("candidate", "line", "blue")):
        for quantile in ("p50", "p99"):
            values = scene.latencies(role, quantile)
            yield from _line(panel, values, kind)
            if values:
                # The newest stretch may hold a single request.
                usual = median(value for _, value in values[-10:])
                labels.append((panel.y(usual), f"{role} {quantile.upper()} {number(usual)} ms", words))
    yield from _beside(panel, labels)


def _weights(scene: Scene, panel: Panel) -> Iterator[str]:
    yield _name(panel, "weight: the candidate's share of requests")
    for value in (0.0, 100.0):
        yield _text(LEFT - 8.0, panel.y(value) + 4.0, f"{value:g} %", "", "end")
    for at, until, weight in scene.weights:
        x, y = panel.x(at), panel.y(weight)
        yield _box("weight", (x, panel.x(until)), (y, panel.bottom))
        if panel.x(until) - x > 5.0 * CHARACTER:
            yield _text(x + 5.0, min(y - 4.0, panel.bottom - 5.0) if weight < 60.0 else y + 14.0, f"{weight:g} %")


def _axis(panel: Panel, words: Callable[[float], str]) -> Iterator[str]:
    for value in panel.values.ticks(int(panel.height / 22.0)):
        yield f'<path class="grid" d="{panel.path([(panel.time.low, value), (panel.time.high, value)])}"/>'
        yield _text(LEFT - 8.0, panel.y(value) + 4.0, words(value), "", "end")


def _clock(scene: Scene, panels: list[Panel]) -> Iterator[str]:
    """The time axis below the last panel, and what it divides."""
    lowest = panels[-1]
    span = scene.time.high - scene.time.low
    unit, name = clock(scene)
    for gone in round_seconds(span, 10):
        x = lowest.x(scene.time.low + gone)
        yield _text(x, lowest.bottom + 17.0, f"{gone / unit:g}", "", "middle")
        for panel in panels:
            yield f'<path class="grid" d="M{x:.1f} {panel.top:.1f}V{panel.bottom:.1f}"/>'
    for panel in panels:
        yield _box("frame", (LEFT, LEFT + INSIDE), (panel.top, panel.bottom))
    yield _text(LEFT, lowest.bottom + 36.0, name)


def _halts(scene: Scene, first: Panel, last: Panel) -> Iterator[str]:
    for at, until in scene.halts:
        yield _box("halt", (first.x(at), first.x(until)), (first.top, last.bottom))


def _arrange(scene: Scene) -> tuple[list[tuple[Mark, int | None, bool]], int]:
    """A row for the label of each mark, so that none covers another; None where there is no room in three rows.

    Returns:
        The marks with their row and whether the label stands to the left of its line; how many rows there are.
    """
    ends: list[float] = []
    placed: list[tuple[Mark, int | None, bool]] = []
    for mark in scene.marks:
        x, wide = INSIDE * scene.time.place(mark.at), CHARACTER * len(mark.label) + 10.0
        if mark.kind == "release":
            wide = 0.0
        left = x + wide > INSIDE + RIGHT
        begin, end = (x - wide, x) if left else (x, x + wide)
        row = next((place for place, taken in enumerate(ends) if taken <= begin), None)
        if row is None and len(ends) < 3:
            row = len(ends)
            ends.append(0.0)
        if row is not None:
            ends[row] = end
        placed.append((mark, row, left))
    return placed, len(ends)


def _marks(placed: list[tuple[Mark, int | None, bool]], first: Panel, last: Panel) -> Iterator[str]:
    for mark, row, left in placed:
        kind = "loud" if mark.kind in LOUD else "quiet" if mark.kind in QUIET else ""
        x, top = first.x(mark.at), first.top - 22.0 - 16.0 * (row or 0)
        line = f'<path class="mark {kind}" d="M{x:.1f} {top - 10.0:.1f}V{last.bottom:.1f}">'
        yield f"{line}<title>{_safe(_full(mark))}</title></path>"
        if row is not None and mark.kind != "release":
            yield _text(x - 4.0 if left else x + 4.0, top, mark.label, kind, "end" if left else "start")


def _full(mark: Mark) -> str:
    return f"{timestamp(mark.at)} {mark.label}. {mark.reason}".strip()


def _limit(panel: Panel, value: float, kind: str = "limit") -> str:
    return f'<path class="{kind}" d="{panel.path([(panel.time.low, value), (panel.time.high, value)])}"/>'


def _line(panel: Panel, places: Sequence[tuple[float, float]], kind: str) -> Iterator[str]:
    """A line; a dot where there is but one place."""
    if len(places) == 1 and kind == "line":
        yield f'<circle class="dot" cx="{panel.x(places[0][0]):.1f}" cy="{panel.y(places[0][1]):.1f}" r="3"/>'
    elif len(places) > 1:
        yield f'<path class="{kind}" d="{panel.path(places)}"/>'


def _beside(panel: Panel, labels: list[tuple[float, str, str]]) -> Iterator[str]:
    """Labels at the right end of what they name, pushed apart where they would cover each other."""
    ordered = sorted(labels)
    places = [y for y, _, _ in ordered]
    for place in range(1, len(places)):
        places[place] = max(places[place], places[place - 1] + 15.0)
    over = max(0.0, places[-1] - panel.bottom - 4.0)
    for place in range(len(places) - 1, -1, -1):
        ceiling = places[place] - over if place == len(places) - 1 else places[place + 1] - 15.0
        places[place] = min(places[place], ceiling)
    for y, (_, words, kind) in zip(places, ordered, strict=True):
        yield _text(WIDTH - RIGHT + 8.0, y + 4.0, words, kind)


def _box(kind: str, across: tuple[float, float], down: tuple[float, float]) -> str:
    (left, right), (top, bottom) = across, down
    return f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}"/>'


def _name(panel: Panel, words: str) -> str:
    return _text(LEFT, panel.top - 8.0, words, "name")


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    where = f'x="{x:.1f}" y="{y:.1f}"' + (f' text-anchor="{anchor}"' if anchor != "start" else "")
    return f"<text {where}{f' class={chr(34)}{kind}{chr(34)}' if kind else ''}>{_safe(words)}</text>"


def _safe(words: str) -> str:
    """Text that may stand in XML 1.0: without the control characters that it forbids."""
    return escape("".join(one if one >= " " and one not in "\ufffe\uffff" else " " for one in words))


def _description(course: Course) -> str:
    """The picture in words."""
    if course.silence:
        return course.silence
    scene = compose(course)
    told = " ".join(_full(mark).rstrip(".") + "." for mark in course.marks)
    return (
        f"{explanation(course)} Ratio of the error ratios: {ratio_words(scene.told)}. "
        f"E-value {number(scene.last.e_value)}, roll-back at {number(course.threshold)}. {told}"
    )
