"""Turns pydantic's errors into problems: our words, the file's positions, and what would have been right."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from fairway.config.document import Document, Node
from fairway.config.problems import KeyPath, Problem, quote, suggest
from fairway.config.shapes import Loc, choices_of, field_at, fields_of, model_at, nested_keys
from fairway.config.strategy import STRATEGIES
from fairway.config.types import REFUSED

Complaint = tuple[str, str]
"""Message and hint."""


def problems_of(
    error: ValidationError, model: type[BaseModel], document: Document, *, under: KeyPath = ()
) -> Iterator[Problem]:
    """All errors of one validation as problems.

    Args:
        error: what the validation raised.
        model: what was validated.
        document: where the values came from.
        under: where in the document the model's values stand.
    """
    for detail in error.errors(include_url=False):
        loc: Loc = detail["loc"]
        is_key = bool(loc) and loc[-1] == "[key]"
        path = (*under, *(part for part in loc if not _is_marker(part)))
        if detail["type"] == "union_tag_invalid" and document.find((*path, "kind")):
            path = (*path, "kind")
        # A bare word stands for a mapping, so that the key it was read as does not exist in the file.
        while (
            detail["type"] not in ("missing", "extra_forbidden") and len(path) > len(under) and not document.find(path)
        ):
            path = path[:-1]
        message, hint = _complain(detail, model, document.find(path))
        yield document.problem(path, message, hint, key=is_key or detail["type"] in ("missing", "extra_forbidden"))


def one_of(value: object, what: str, known: Iterable[str]) -> Complaint:
    """The complaint that a word is none of the known ones."""
    words = tuple(known)
    meant = suggest(value, words) if isinstance(value, str) else None
    message = f"{quote(value)} is not {what}; known are {', '.join(words) or 'none'}"
    return message, f"did you mean {meant}?" if meant else ""


def _complain(detail: Any, model: type[BaseModel], node: Node | None) -> Complaint:
    kind, value, loc = detail["type"], detail["input"], detail["loc"]
    if value is None and kind not in (REFUSED, "extra_forbidden"):
        return "is empty", "give it a value or remove the key"
    if kind in _WANTED:
        return _not_wanted(_WANTED[kind], value)
    if kind in _LIMITS:
        return _LIMITS[kind].format(value=quote(value), **detail.get("ctx", {})), ""
    if kind == "string_type":
        return _not_text(value, node)
    if kind in _BY_PLACE:
        return _BY_PLACE[kind](model, loc, value)
    context = detail.get("ctx", {})
    return context.get("message", detail["msg"]), context.get("hint", "")


def _missing(model: type[BaseModel], loc: Loc, _: Any) -> Complaint:
    field = field_at(model, loc)
    if field is None or not field.examples:
        return "is missing", "it is required"
    return "is missing", f"for example {loc[-1]}: {json.dumps(field.examples[0], ensure_ascii=False)}"


def _choice(model: type[BaseModel], loc: Loc, value: Any) -> Complaint:
    field = field_at(model, loc)
    return one_of(value, "one of the choices", choices_of(field) if field else ())


def _unknown_key(model: type[BaseModel], loc: Loc, _: Any) -> Complaint:
    owner, given = model_at(model, loc[:-1]), str(loc[-1])
    if owner is None:
        return "unknown key", ""
    known = [key for key in fields_of(owner) if not (key == "kind" and owner in STRATEGIES.values())]
    message = f"unknown key; known keys are {', '.join(sorted(known))}"
    if meant := suggest(given, known):
        return message, f"did you mean {meant}?"
    nested = nested_keys(owner)
    meant = suggest(given, nested)
    return message, f"did you mean {meant}, under {nested[meant]}?" if meant else ""


def _strategy(_model: type[BaseModel], _loc: Loc, value: Any) -> Complaint:
    if not isinstance(value, dict):
        return _not_wanted("a strategy's name or a mapping", value)
    if "kind" not in value:
        return "the strategy has no kind", f"known kinds are {', '.join(STRATEGIES)}"
    return one_of(value["kind"], "a strategy", STRATEGIES)


def _not_text(value: Any, node: Node | None) -> Complaint:
    if isinstance(value, dict | list):
        return f"{quote(value)} stands where text is wanted", ""
    written = node.text if node else str(value)
    return f"{written} is not text but a {_kind_name(value)}", f'put it in quotes: "{written}"'


def _not_wanted(wanted: str, value: Any) -> Complaint:
    hint = ""
    if isinstance(value, str) and "number" in wanted:
        hint = "write it without quotes" if value.strip().isdigit() else "write a number"
    return f"{quote(value)} stands where {wanted} is wanted", hint


def _kind_name(value: Any) -> str:
    return "truth value" if isinstance(value, bool) else "number"


def _is_marker(part: str | int) -> bool:
    return part == "[key]" or (isinstance(part, str) and part.startswith("<") and part.endswith(">"))


_WANTED = {
    "model_type": "a mapping",
    "dict_type": "a mapping",
    "list_type": "a list",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "finite_number": "a finite number",
}

_LIMITS = {
    "greater_than": "{value} is not greater than {gt:g}",
    "greater_than_equal": "{value} is less than {ge:g}, the smallest possible",
    "less_than_equal": "{value} is more than {le:g}, the greatest possible",
    "too_short": "is empty, but at least one is needed",
    "too_long": "has {actual_length} entries, at most {max_length} are possible",
    "string_too_short": "is empty",
}

_BY_PLACE: dict[str, Callable[[type[BaseModel], Loc, Any], Complaint]] = {
    "missing": _missing,
    "extra_forbidden": _unknown_key,
    "literal_error": _choice,
    "union_tag_invalid": _strategy,
    "union_tag_not_found": _strategy,
}
