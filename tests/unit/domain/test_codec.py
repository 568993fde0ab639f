import json
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from fairway.domain.codec import from_json, to_json
from fairway.domain.rollout.events import AbortRequested, Event, RunEnded


@dataclass(frozen=True)
class Point:
    x: float
    label: str = "origin"


@dataclass(frozen=True)
class Circle:
    centre: Point
    radius: float


@dataclass(frozen=True)
class Drawing:
    shapes: tuple[Point | Circle, ...]
    size: tuple[int, str]
    mood: Literal["calm", "wild"] = "calm"
    notes: dict[str, Point] = field(default_factory=dict)
    extra: Any = None
    background: Circle | None = None
    visible: bool = True


DRAWING = Drawing(
    shapes=(Point(1.5), Circle(Point(0.0, "c"), 2.0)),
    size=(3, "cm"),
    mood="wild",
    notes={"here": Point(9.0)},
    extra={"deep": [1, None, "x"]},
)


def through_text(kind, value):
    return from_json(kind, json.loads(json.dumps(to_json(value))))


def test_a_nested_value_comes_back_equal():
    assert through_text(Drawing, DRAWING) == DRAWING


def test_a_member_of_a_union_is_written_with_its_class_name():
    assert to_json(DRAWING)["shapes"][0] == {"type": "Point", "x": 1.5, "label": "origin"}


def test_unknown_keys_are_ignored_and_missing_ones_take_their_defaults():
    assert from_json(Point, {"x": 1.0, "colour": "red"}) == Point(1.0, "origin")


def test_a_missing_key_without_a_default_is_named():
    with pytest.raises(ValueError, match=r"Circle lacks 'radius'"):
        from_json(Circle, {"centre": {"x": 0.0}})


def test_a_whole_number_is_read_as_a_number():
    read = from_json(Point, {"x": 3})
    assert isinstance(read.x, float)


def test_an_unknown_member_of_a_union_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown type 'Square'; known are Circle, Point"):
        from_json(Drawing, {"shapes": [{"type": "Square"}], "size": [1, "cm"]})


def test_an_unknown_choice_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown value 'paused'; known are completed, rolled-back, superseded"):
        from_json(RunEnded, {"at": 0.0, "outcome": "paused", "reason": ""})


@pytest.mark.parametrize(
    "body",
    [
        {"shapes": 5, "size": [1, "cm"]},
        {"shapes": None, "size": [1, "cm"]},
        {"shapes": ["circle"], "size": [1, "cm"]},
        {"shapes": [], "size": [1]},
        {"shapes": [], "size": ["1", "cm"]},
        {"shapes": [], "size": [True, "cm"]},
        {"shapes": [], "size": [1, 2]},
        {"shapes": [], "size": [1, "cm"], "notes": [1]},
        {"shapes": [], "size": [1, "cm"], "visible": "yes"},
        {"shapes": [], "size": [1, "cm"], "background": 7},
        {"shapes": [{"type": "Point", "x": "far"}], "size": [1, "cm"]},
        [],
        "drawing",
        None,
    ],
)
def test_a_value_of_another_type_is_refused(body):
    with pytest.raises(ValueError, match=r"."):
        from_json(Drawing, body)


def test_an_event_is_found_by_its_type():
    event = AbortRequested(1.0, "ann", "wrong colour")
    assert through_text(Event, event) == event
