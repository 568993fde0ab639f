"""Every event and every plan comes back from its JSON text as it was."""

import json
import types
from dataclasses import fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import given
from hypothesis import strategies as st

from fairway.domain.codec import from_json, to_json
from fairway.domain.rollout.events import Event, RunStarted
from fairway.domain.rollout.plan import Plan

FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
SCALARS = {str: st.text(), int: st.integers(), float: FINITE, bool: st.booleans(), type(None): st.none(), Any: JSON}


def values_of(kind):  # noqa: PLR0911 -- one return a kind of type
    """Any value of a type, by its annotations; a type that is new to this function fails the test that meets it."""
    if kind in SCALARS:
        return SCALARS[kind]
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return st.builds(
            kind, **{field.name: st.deferred(lambda h=hints[field.name]: values_of(h)) for field in fields(kind)}
        )
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return st.one_of([values_of(choice) for choice in arguments])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is dict:
        return st.dictionaries(st.text(), values_of(arguments[1]), max_size=3)
    if origin is tuple and arguments[1:] == (Ellipsis,):
        return st.lists(values_of(arguments[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*[values_of(argument) for argument in arguments])
    raise TypeError(kind)


def through_text(kind, value):
    return from_json(kind, json.loads(json.dumps(to_json(value))))


@given(st.one_of([values_of(kind) for kind in get_args(Event) if kind is not RunStarted]))
def test_every_event_comes_back_as_it_was(event):
    assert through_text(Event, event) == event


@given(values_of(Plan))
def test_every_plan_comes_back_as_it_was(plan):
    event = RunStarted(0.0, "ann", "", plan)
    assert through_text(Event, event) == event


@given(
    st.one_of([values_of(kind) for kind in get_args(Event) if kind is not RunStarted]), st.dictionaries(st.text(), JSON)
)
def test_keys_of_a_later_version_are_ignored(event, later):
    body = to_json(event)
    assert from_json(Event, {f"later-{key}": value for key, value in later.items()} | body) == event
