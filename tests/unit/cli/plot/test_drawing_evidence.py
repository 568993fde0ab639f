import re
import struct
import sys
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from plotted_courses import (
    COURSES,
    PICTURES,
    climbing,
    course,
    point,
    promoted,
    rolled_back,
    shifted,
    taken_back,
    text_of,
)

from fairway.cli.evidence import check_plot, save
from fairway.cli.plot.png import render
from fairway.cli.plot.scale import Scale, round_seconds
from fairway.cli.plot.svg import draw_svg
from fairway.domain.analysis.evidence import Counts
from fairway.domain.analysis.history import Slowdown
from fairway.domain.errors import UserError
from fairway.domain.rollout.events import Held, Released
from rollout_samples import BEGIN

SVG = "{http://www.w3.org/2000/svg}"


def words(svg):
    return [element.text for element in ET.fromstring(svg).iter(f"{SVG}text")]


def places(svg, kind):
    """The points of each path of that kind, in pixels."""
    paths = [path.get("d") for path in ET.fromstring(svg).iter(f"{SVG}path") if path.get("class") == kind]
    return [[tuple(map(float, pair.split())) for pair in re.split("[ML]", path.rstrip("Z")) if pair] for path in paths]


@pytest.mark.parametrize("name", COURSES)
def test_the_picture_on_the_terminal_is_the_one_that_was_looked_at(name):
    assert text_of(COURSES[name]()) == (PICTURES / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [52, 80, 120])
@pytest.mark.parametrize("name", COURSES)
def test_no_line_is_wider_than_the_terminal(name, width):
    assert max(len(line) for line in text_of(COURSES[name](), width=width).splitlines()) <= width


@pytest.mark.parametrize("name", COURSES)
def test_every_svg_is_well_formed_described_and_without_script_or_reference(name):
    svg = draw_svg(COURSES[name]())
    root = ET.fromstring(svg)
    assert (
        root.find(f"{SVG}title").text
        == f"shop {'nothing' if name == 'first-deployment' else '1.0.0'} → 1.1.0 in production"
    )
    assert len(root.find(f"{SVG}desc").text) > 40
    assert not list(root.iter(f"{SVG}script"))
    assert "href" not in svg
    assert "url(" not in svg
    assert "nan" not in svg
    assert "prefers-color-scheme: dark" in svg


def test_a_rollback_shows_its_limits_its_end_and_every_decision():
    shown = words(draw_svg(rolled_back()))
    assert "roll-back at 100" in shown
    assert "e-value 100" in shown
    assert "8× (1.7 to 46)" in shown
    assert "margin 1.3×" in shown
    assert "roll-back: error-lane" in shown
    assert "seconds since the first reading, 2023-11-14 22:13:20 UTC" in shown


def test_the_line_of_evidence_meets_its_limit_where_it_reached_it():
    svg = draw_svg(rolled_back())
    evidence = places(svg, "line")[1]
    limit = places(svg, "limit")[1]
    assert evidence[-1][1] == pytest.approx(limit[0][1], abs=0.2)
    assert evidence[0][1] > evidence[-1][1], "up is more"
    (roll_back,) = [path.get("d") for path in ET.fromstring(svg).iter(f"{SVG}path") if path.get("class") == "mark loud"]
    assert float(re.match(r"M([\d.]+)", roll_back)[1]) == pytest.approx(evidence[-1][0], abs=0.2)


def test_an_end_that_is_unlimited_reaches_the_edge_and_steps_do_not_run_into_each_other():
    svg = draw_svg(promoted())
    frame = next(one for one in ET.fromstring(svg).iter(f"{SVG}rect") if one.get("class") == "frame")
    top, bottom = float(frame.get("y")), float(frame.get("y")) + float(frame.get("height"))
    first, second = places(svg, "band")
    assert min(y for _, y in first) == pytest.approx(top)
    assert max(y for _, y in second) == pytest.approx(bottom)
    assert max(x for x, _ in first) < min(x for x, _ in second)


def test_every_decision_of_a_promotion_is_marked():
    svg = draw_svg(promoted())
    titles = [mark.find(f"{SVG}title").text for mark in ET.fromstring(svg).iter(f"{SVG}path") if len(mark)]
    for said in (
        "hold: shared-incident",
        "goes on",
        "bake at 10 % passed",
        "paused by bob. lunch",
        "resumed by bob",
        "promoted",
    ):
        assert any(said in title for title in titles), said
    assert not any("completed" in title for title in titles), "it lies two hours after the last reading"
    assert [word for word in words(svg) if word in ("10 %", "50 %")] == ["10 %", "50 %"]
    assert "good enough at 20" in words(svg)


def test_holds_that_flap_are_one():
    flapping = [
        event for t in range(5, 25) for event in (Held(BEGIN + t, "shared-incident", ""), Released(BEGIN + t + 0.5))
    ]
    picture = text_of(course(climbing(), shifted(0), *flapping, *taken_back(30)))
    assert picture.count("hold: shared-incident") == 1
    assert "0:24  goes on" in picture


def test_what_people_and_programs_write_cannot_break_the_file():
    hostile = 'lunch <script>alert("1")</script> & \x00\x1b[31m ]]> \ufffe'
    svg = draw_svg(course(climbing(), shifted(0), *taken_back(30, reason=hostile)))
    assert "<script" not in svg
    assert any("<script>alert" in text for text in words(svg))


def test_the_margin_is_drawn_for_the_error_ratio_that_stable_had_in_all_steps():
    first = [point(t, ratio=1.0, low=0.5, high=2.0, stable=Counts(1000, 1)) for t in (0, 9)]
    second = [point(t, since=10.0, ratio=1.0, low=0.5, high=2.0, stable=Counts(1000, 3)) for t in (10, 19)]
    assert course([*first, *second], shifted(0)).margin == pytest.approx(1.25 + 0.0001 / 0.002)


def test_a_run_without_readings_says_why():
    assert "no stable revision to compare with" in words(draw_svg(COURSES["first-deployment"]()))[-1]
    assert "has had no requests" in words(draw_svg(course()))[-1]


def test_labels_beside_a_picture_neither_cover_each_other_nor_leave_it():
    same = dict.fromkeys(("hard-lane", "error-lane", "latency-lane", "objective", "own"), 290.0)
    highest = [point(t, e_value=299.0, ratio=1.0, low=0.9, high=1.1, lanes=same) for t in (0, 9)]
    root = ET.fromstring(draw_svg(course(highest, shifted(0))))
    frame = [one for one in root.iter(f"{SVG}rect") if one.get("class") == "frame"][1]
    top, bottom = float(frame.get("y")), float(frame.get("y")) + float(frame.get("height"))
    beside = [one for one in root.iter(f"{SVG}text") if float(one.get("x")) > 700 and "text-anchor" not in one.attrib]
    ys = sorted(float(one.get("y")) for one in beside)
    assert len(ys) >= 9
    assert all(b - a >= 14.0 for a, b in pairwise(ys))
    inside = [y for y in ys if top - 10.0 <= y <= bottom + 10.0]
    assert len(inside) == 7


def test_a_level_line_is_two_places():
    svg = draw_svg(course([point(t, e_value=5.0, ratio=3.0, low=0.5, high=4.0) for t in range(60)], shifted(0)))
    assert [len(line) for line in places(svg, "line")] == [2, 2]


def test_a_long_history_makes_a_small_file():
    points = [point(t, e_value=1.0 + t % 7, ratio=1.0 + t % 3, low=0.5, high=3.0) for t in range(600)]
    assert len(draw_svg(course(points, shifted(0)))) < 100_000


def test_a_png_is_twice_as_large_as_the_svg_and_has_words_without_fonts_of_the_machine(tmp_path):
    svg = draw_svg(rolled_back())
    path = tmp_path / "evidence.PNG"
    save([rolled_back()], path)
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (1760, 2 * round(float(ET.fromstring(svg).get("height"))))
    without = re.sub(r"<text.*?</text>", "", svg)
    assert len(render(without)) < 0.7 * len(data)


@pytest.mark.parametrize("name", ["plot.gif", "plot", "svg"])
def test_other_kinds_of_files_are_refused(name, tmp_path):
    with pytest.raises(UserError) as caught:
        check_plot(tmp_path / name)
    assert (caught.value.code, name in caught.value.message) == ("plot-format", True)


def test_a_folder_that_is_missing_is_named_before_anything_is_drawn(tmp_path):
    with pytest.raises(UserError) as caught:
        check_plot(tmp_path / "nowhere" / "plot.svg")
    assert caught.value.code == "plot-folder"
    assert str(tmp_path / "nowhere") in caught.value.message


def test_a_png_without_its_renderer_names_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(UserError) as caught:
        check_plot(tmp_path / "plot.png")
    assert caught.value.code == "plot-extra"
    assert "resvg_py" in caught.value.message
    assert "fairway[plot]" in caught.value.hint


def test_axes_have_round_values():
    assert Scale(0.3, 300.0, logarithmic=True).ticks(6) == [1.0, 10.0, 100.0]
    assert Scale(0.4, 6.0, logarithmic=True).ticks(6) == pytest.approx([0.5, 1.0, 2.0, 5.0])
    assert Scale(1e-3, 1e12, logarithmic=True).ticks(6)[-1] == 1e12
    assert Scale(0.4, 6.0, logarithmic=True).place(1e9) == 1.0
    assert round_seconds(95.0, 10) == [10.0 * i for i in range(10)]
    assert round_seconds(3 * 86400.0, 6)[1] == 86400.0


def slow_by(quantile):
    known = Slowdown(1.4, 1.2, 1.7, 1.1, quantile)
    return course([point(t, rule="latency-lane", slowdown=known) for t in range(0, 31, 3)], shifted(0))


@pytest.mark.parametrize(("quantile", "name"), [(0.99, "P99"), (0.5, "P50")])
def test_a_picture_of_latency_names_the_quantile(quantile, name):
    for drawn in (draw_svg(slow_by(quantile)), text_of(slow_by(quantile))):
        assert f"latency, candidate ÷ stable at {name}; shaded: its 99 % interval" in drawn
    assert f"{name} 1.4× (1.2 to 1.7)" in draw_svg(slow_by(quantile))


def test_where_it_was_not_kept_no_quantile_is_named():
    assert "latency, candidate ÷ stable; shaded: its 99 % interval" in text_of(slow_by(None))


def test_a_level_line_on_the_terminal_has_no_gaps():
    level = course([point(t, e_value=1.0) for t in range(0, 31, 2)], shifted(0))
    rows = [re.sub("[^\u2800-\u28ff]", "", line) for line in text_of(level).splitlines()]
    drawn = next(row for row in rows if len(row) > 20)
    assert len(set(drawn[:-1])) == 1, drawn
