"""Dataclasses to JSON values and back, by their annotations.

A member of a union of dataclasses is written with its class name under `type`. Reading ignores unknown keys and takes
defaults for missing ones, so that older and newer code read each other's values; an unknown member or choice is an
error, because it cannot be acted upon.
"""

import types
from collections.abc import Callable, Iterable
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_json(value: Any) -> Any:
    """The JSON value of a dataclass, tuple, list, dict or scalar; dataclasses carry their class name as `type`."""
    kind = type(value)
    # By exact type, because evidence of hundreds of values is written each second.
    if kind in _SCALARS:
        return value
    if kind in _WRITERS:
        return _WRITERS[kind](value)
    if is_dataclass(value) and not isinstance(value, type):
        write = _WRITERS[kind] = writer(kind, [field.name for field in fields(value)], named=True)
        return write(value)
    if isinstance(value, (tuple, list)):
        return _list_to_json(value)
    if isinstance(value, dict):
        return _dict_to_json(value)
    return value


def writer(kind: type, names: Iterable[str], *, named: bool = False) -> Callable[[Any], dict[str, Any]]:
    """What writes some attributes of a dataclass's objects as a JSON object, by name.

    Args:
        kind: the dataclass.
        names: of its fields, in the order in which they are written.
        named: the name of the class comes first, under `type`.
    """
    wanted, head = tuple(names), {"type": kind.__name__} if named else {}

    def write(value: Any) -> dict[str, Any]:
        return head | {
            name: item if type(item := getattr(value, name)) in _SCALARS else to_json(item) for name in wanted
        }

    return write


def _list_to_json(value: tuple[Any, ...] | list[Any]) -> list[Any]:
    if _SCALARS.issuperset(map(type, value)):
        return list(value)
    return [item if type(item) in _SCALARS else to_json(item) for item in value]


def _dict_to_json(value: dict[Any, Any]) -> dict[str, Any]:
    return {str(key): to_json(item) for key, item in value.items()}


_SCALARS = frozenset((str, int, float, bool, type(None)))
_WRITERS: dict[type, Callable[[Any], Any]] = {tuple: _list_to_json, list: _list_to_json, dict: _dict_to_json}
"""How values of a type are written; dataclasses join when the first of their kind comes."""


def from_json(kind: type[T], value: Any) -> T:
    """The value of the given type that `to_json` wrote.

    Raises:
        ValueError: the value is not of that type.
    """
    return cast("T", _read(kind, value))


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(kind: Any, value: Any) -> Any:  # noqa: PLR0911 -- one return a kind of type
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _read_union(get_args(kind), value)
    if origin is tuple:
        return _read_tuple(get_args(kind), value)
    if origin is dict:
        item = get_args(kind)[1]
        return {key: _read(item, entry) for key, entry in _require(dict, value).items()}
    if origin is Literal:
        return _read_literal(get_args(kind), value)
    if is_dataclass(kind):
        return _read_dataclass(cast("type", kind), value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return _require(kind, value) if kind in _PLAIN else value


#: Types whose values JSON keeps as they are.
_PLAIN = (str, int, float, bool)


def _require(kind: type, value: Any) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"expected {_NAMES.get(kind, kind.__name__)}, got {value!r}")
    return value


_NAMES = {str: "a text", int: "a whole number", float: "a number", bool: "true or false", list: "a list"}
_NAMES |= {dict: "an object"}


def _read_literal(choices: tuple[Any, ...], value: Any) -> Any:
    if value not in choices:
        raise ValueError(f"unknown value {value!r}; known are {', '.join(map(str, choices))}")
    return value


def _read_tuple(items: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    entries = _require(list, value)
    if len(items) == 2 and items[1] is Ellipsis:
        return tuple(_read(items[0], entry) for entry in entries)
    return tuple(_read(item, entry) for item, entry in zip(items, entries, strict=True))


def _read_union(choices: tuple[Any, ...], value: Any) -> Any:
    if value is None and type(None) in choices:
        return None
    members = [choice for choice in choices if is_dataclass(choice)]
    if members and isinstance(value, dict):
        for member in members:
            if len(members) == 1 or cast("type", member).__name__ == value.get("type"):
                return _read(member, value)
        known = ", ".join(sorted(cast("type", member).__name__ for member in members))
        raise ValueError(f"unknown type {value.get('type')!r}; known are {known}")
    plain = [choice for choice in choices if choice is not type(None) and choice not in members]
    if not plain:
        raise ValueError(f"expected an object, got {value!r}")
    return _read(plain[0], value) if len(plain) == 1 else value


def _read_dataclass(kind: type, value: Any) -> Any:
    body = _require(dict, value)
    hints = _hints(kind)
    known = {}
    for field in fields(kind):
        if field.name in body:
            known[field.name] = _read(hints[field.name], body[field.name])
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"{kind.__name__} lacks {field.name!r}")
    return kind(**known)
