"""What the models know about a place in the file: its keys, its choices, an example."""

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Tag
from pydantic.fields import FieldInfo

Loc = tuple[str | int, ...]


def model_at(model: type[BaseModel], loc: Loc) -> type[BaseModel] | None:
    """The model of the mapping at that place, None if something else stands there."""
    annotation: Any = model
    for part in loc:
        annotation = _inside(annotation, part)
    return next((option for option in _options(annotation) if _is_model(option)), None)


def field_at(model: type[BaseModel], loc: Loc) -> FieldInfo | None:
    """The field whose value stands at that place, None if it is no field of a model."""
    owner = model_at(model, loc[:-1]) if loc else None
    return fields_of(owner).get(str(loc[-1])) if owner else None


def fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The model's fields by the key that the file uses."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def choices_of(field: FieldInfo) -> tuple[str, ...]:
    """The words that a field of choices takes."""
    literals = [option for option in _options(field.annotation) if get_origin(option) is Literal]
    return tuple(str(word) for literal in literals for word in get_args(literal))


def nested_keys(model: type[BaseModel]) -> dict[str, str]:
    """Keys one level further down, each with the key that it stands under."""
    return {
        inner: outer
        for outer, field in fields_of(model).items()
        for option in _options(field.annotation)
        if _is_model(option)
        for inner in fields_of(option)
    }


def _inside(annotation: Any, part: str | int) -> Any:
    for option in _options(annotation):
        if get_origin(option) in (dict, list) and not _is_tag(part):
            return get_args(option)[-1]
        if _is_model(option) and str(part) in fields_of(option):
            return fields_of(option)[str(part)].annotation
    for option in _options(annotation, keep_tags=True):
        if get_origin(option) is Annotated and any(
            isinstance(mark, Tag) and mark.tag == part for mark in get_args(option)
        ):
            return get_args(option)[0]
    return None


def _options(annotation: Any, *, keep_tags: bool = False) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        for argument in get_args(annotation):
            yield from _options(argument, keep_tags=keep_tags)
    elif origin is Annotated:
        if keep_tags and any(isinstance(mark, Tag) for mark in get_args(annotation)):
            yield annotation
        else:
            yield from _options(get_args(annotation)[0], keep_tags=keep_tags)
    else:
        yield annotation


def _is_model(option: Any) -> bool:
    return isinstance(option, type) and issubclass(option, BaseModel)


def _is_tag(part: str | int) -> bool:
    return isinstance(part, str) and part.startswith("<")
