"""The candidate compared with stable: ratios, their confidence sequences, the margin and the words beside them.

For a terminal and a file alike; what is decided here is what is shown, never how.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from fairway.cli.plot.scale import Scale
from fairway.cli.plot.scene import Scene, number
from fairway.domain.analysis.history import Point, Slowdown

AS_STABLE = "1× as stable"
"""Beside the line of equality."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio over the time of one step.

    Attributes:
        pieces: times and values of its lines: 0 and what is unlimited have no place on the axis.
        band: times, lower and upper ends of its confidence sequence.
    """

    pieces: tuple[tuple[tuple[float, float], ...], ...]
    band: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """One quantity of the candidate divided by stable's.

    Attributes:
        title: what it is.
        ratios: one for each step.
        limit: the margin and what is written beside it; None where it is not known.
        last: where the ratio came to, and what is written beside it.
    """

    title: str
    axis: Scale
    ratios: tuple[Ratio, ...]
    limit: tuple[float, str] | None
    last: tuple[float, str]


def compare_errors(scene: Scene) -> Compared:
    """The error ratios."""
    margin, told = scene.course.margin, scene.told
    return Compared(
        f"error ratio, candidate ÷ {scene.course.reference}; shaded: its 99 % confidence sequence",
        scene.ratio,
        tuple(_errors(scene, step) for step in scene.steps),
        (margin, f"margin {number(margin)}×") if margin else None,
        (_end(told), ratio_words(told)),
    )


def compare_latency(scene: Scene) -> Compared | None:
    """The latencies, at the quantile that tells most; None where none are known."""
    last = last_slowdown(scene)
    if scene.slowdown is None or last is None:
        return None
    axis, name = scene.slowdown, quantile_name(last)
    which = f" at {name}" if name else ""
    return Compared(
        f"latency, candidate ÷ {scene.course.reference}{which}; shaded: its 99 % interval",
        axis,
        tuple(_slowdowns(axis, step) for step in scene.steps),
        (last.margin, f"margin {last.margin:.3g}×"),
        (_end(last), slowdown_words(last)),
    )


def ratio_words(point: Point) -> str:
    """The ratio of error ratios with its confidence sequence, short."""
    if point.low is None:
        return "no failure yet" if point.candidate.finished else "no request yet"
    return _with_ends("∞×" if point.ratio is None else f"{number(point.ratio)}×", point)


def slowdown_words(slowdown: Slowdown) -> str:
    """Likewise of latencies, with the quantile where it is known."""
    return _with_ends(f"{quantile_name(slowdown)} {slowdown.ratio:.3g}×".strip(), slowdown)


def quantile_name(slowdown: Slowdown) -> str:
    """P50, P99 and so on; empty where it is not known."""
    return "" if slowdown.quantile is None else f"P{slowdown.quantile * 100:g}"


def last_slowdown(scene: Scene) -> Slowdown | None:
    """The slowdown that was known last."""
    known = (point.slowdown for point in reversed(scene.course.points))
    return next((one for one in known if one is not None), None)


def _errors(scene: Scene, step: tuple[Point, ...]) -> Ratio:
    known = [(one.at, one.low, one.high) for one in step if one.low is not None]
    return _ratio([(one.at, one.ratio) for one in step], known, scene.ratio)


def _slowdowns(axis: Scale, step: tuple[Point, ...]) -> Ratio:
    seen = [(one.at, one.slowdown) for one in step if one.slowdown is not None]
    known = [(at, one.low, one.high) for at, one in seen if one.low is not None or one.high is not None]
    return _ratio([(at, one.ratio) for at, one in seen], known, axis)


def _ratio(
    values: Sequence[tuple[float, float | None]], ends: Sequence[tuple[float, float | None, float | None]], axis: Scale
) -> Ratio:
    return Ratio(tuple(_pieces(values)), tuple((at, low or axis.low, high or axis.high) for at, low, high in ends))


def _pieces(values: Sequence[tuple[float, float | None]]) -> Iterator[tuple[tuple[float, float], ...]]:
    for shown, piece in groupby(values, key=lambda pair: bool(pair[1])):
        if shown:
            yield tuple((at, value) for at, value in piece if value)


def _end(point: Point | Slowdown) -> float:
    """The ratio, or what comes nearest to it: where its label belongs."""
    return point.ratio or point.low or point.high or 1.0


def _with_ends(words: str, ends: Point | Slowdown) -> str:
    return f"{words} ({number(ends.low or 0.0)} to {'∞' if ends.high is None else number(ends.high)})"
