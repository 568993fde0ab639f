"""The course as SVG: no script, nothing from outside, readable on light and dark, described for who cannot see it."""

from collections.abc import Callable, Iterable, Iterator
from statistics import median
from textwrap import wrap

from fairway.cli.plot.compared import AS_STABLE, Compared, compare_errors, compare_latency, ratio_words
from fairway.cli.plot.panel import (
    CHARACTER,
    INSIDE,
    LEFT,
    RIGHT,
    Panel,
    document,
    draw_axis,
    draw_box,
    draw_clock,
    draw_limit,
    draw_line,
    label_beside,
    safe,
    title,
    write,
)
from fairway.cli.plot.scale import Scale
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
from fairway.usecases.course import Course, Mark
from fairway.usecases.report import timestamp


def draw_svg(course: Course) -> str:
    """The file's text."""
    if course.silence:
        body, height = list(_silence(course)), 130.0
    else:
        body, height = _picture(compose(course))
    return document(body, height=height, name=headline(course), description=_description(course))


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
    body += [*_halts(scene, panels[0], panels[-1]), *draw_clock(panels, *clock(scene))]
    body += [*_marks(rows, panels[0], panels[-1]), *drawn]
    return body, panels[-1].bottom + 48.0


Draw = Callable[[Scene, Panel], Iterable[str]]


def _pictures(scene: Scene) -> Iterator[tuple[float, Scale, Draw]]:
    """Height, axis and content, from the top; what nothing is known of is left out."""
    yield 190.0, scene.ratio, _errors
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
    yield write(LEFT, top + 16.0, course.silence, "name")


def _header(course: Course) -> tuple[list[str], float]:
    lines = wrap(explanation(course), 125, max_lines=6, placeholder=" …")
    head = [write(LEFT, 28.0, headline(course), "title"), write(LEFT, 47.0, subline(course))]
    head += [write(LEFT, 66.0 + 16.0 * place, line) for place, line in enumerate(lines)]
    return head, 56.0 + 16.0 * len(lines)


def _errors(scene: Scene, panel: Panel) -> Iterator[str]:
    yield from _compared(panel, compare_errors(scene))


def _slowdown(scene: Scene, panel: Panel) -> Iterator[str]:
    shown = compare_latency(scene)
    if shown is not None:
        yield from _compared(panel, shown)


def _compared(panel: Panel, shown: Compared) -> Iterator[str]:
    """Ratios with their confidence sequences, the line of equality and the margin."""
    yield title(panel, shown.title)
    yield from draw_axis(panel, lambda value: f"{number(value)}×")
    yield f'<path class="even" d="{panel.path([(panel.time.low, 1.0), (panel.time.high, 1.0)])}"/>'
    for ratio in shown.ratios:
        if ratio.band:
            upper = [(at, high) for at, _, high in ratio.band]
            lower = [(at, low) for at, low, _ in reversed(ratio.band)]
            yield f'<path class="band" d="{panel.path([*upper, *lower])}Z"/>'
        for piece in ratio.pieces:
            yield from draw_line(panel, piece, "line")
    labels = [(panel.y(1.0), AS_STABLE, ""), (panel.y(shown.last[0]), shown.last[1], "blue")]
    if shown.limit is not None:
        yield draw_limit(panel, shown.limit[0])
        labels.append((panel.y(shown.limit[0]), shown.limit[1], "red"))
    yield from label_beside(panel, labels)


def _evidence(scene: Scene, panel: Panel) -> Iterator[str]:
    yield title(
        panel,
        "evidence against the candidate: e-value, by which a bet against it has grown; thin: the part of each lane",
    )
    yield from draw_axis(panel, number)
    yield draw_limit(panel, scene.course.threshold)
    labels = [(panel.y(scene.course.threshold), f"roll-back at {number(scene.course.threshold)}", "red")]
    points = scene.course.points
    for lane in scene.last.lanes:
        values = [(point.at, point.lanes[lane]) for point in points if lane in point.lanes]
        yield from draw_line(panel, values, "lane")
        labels.append((panel.y(values[-1][1]), f"{lane} {number(values[-1][1])}", ""))
    yield from draw_line(panel, [(point.at, point.e_value) for point in points], "line")
    labels.append((panel.y(scene.last.e_value), f"e-value {number(scene.last.e_value)}", "blue"))
    yield from label_beside(panel, labels)


def _promotion(scene: Scene, panel: Panel) -> Iterator[str]:
    yield title(panel, "evidence for the candidate, step by step: that it is within the promotion margin")
    yield from draw_axis(panel, number)
    yield draw_limit(panel, scene.course.shown, "goal")
    labels = [(panel.y(scene.course.shown), f"good enough at {number(scene.course.shown)}", "green")]
    tests = dict.fromkeys(name for point in scene.course.points for name in point.promotion)
    for test in tests:
        for step in scene.steps:
            values = [(point.at, point.promotion[test]) for point in step if test in point.promotion]
            yield from draw_line(panel, values, "lane")
        last = [point.promotion[test] for point in scene.course.points if test in point.promotion][-1]
        labels.append((panel.y(last), f"{test} {number(last)}", ""))
    yield from label_beside(panel, labels)


def _latency(scene: Scene, panel: Panel) -> Iterator[str]:
    yield title(panel, "latency, milliseconds: half and 99 % of the requests were answered within")
    yield from draw_axis(panel, number)
    labels = []
    for role, kind, words in (("stable", "lane", ""), ("candidate", "line", "blue")):
        for quantile in ("p50", "p99"):
            values = scene.latencies(role, quantile)
            yield from draw_line(panel, values, kind)
            if values:
                # The newest stretch may hold a single request.
                usual = median(value for _, value in values[-10:])
                labels.append((panel.y(usual), f"{role} {quantile.upper()} {number(usual)} ms", words))
    yield from label_beside(panel, labels)


def _weights(scene: Scene, panel: Panel) -> Iterator[str]:
    yield title(panel, "weight: the candidate's share of requests")
    for value in (0.0, 100.0):
        yield write(LEFT - 8.0, panel.y(value) + 4.0, f"{value:g} %", "", "end")
    for at, until, weight in scene.weights:
        x, y = panel.x(at), panel.y(weight)
        yield draw_box("weight", (x, panel.x(until)), (y, panel.bottom))
        if panel.x(until) - x > 5.0 * CHARACTER:
            yield write(x + 5.0, min(y - 4.0, panel.bottom - 5.0) if weight < 60.0 else y + 14.0, f"{weight:g} %")


def _halts(scene: Scene, first: Panel, last: Panel) -> Iterator[str]:
    for at, until in scene.halts:
        yield draw_box("halt", (first.x(at), first.x(until)), (first.top, last.bottom))


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
        yield f"{line}<title>{safe(_full(mark))}</title></path>"
        if row is not None and mark.kind != "release":
            yield write(x - 4.0 if left else x + 4.0, top, mark.label, kind, "end" if left else "start")


def _full(mark: Mark) -> str:
    return f"{timestamp(mark.at)} {mark.label}. {mark.reason}".strip()


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
