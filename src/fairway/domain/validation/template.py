"""Names in braces: `{{NAME}}` in a check stands for a value that is known only when it runs.

And the way back, so that no secret among those values is ever shown.
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from fairway.domain.validation.secret import SHORTEST

_NAME = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
#: What ends a text that was cut.
_CUT = "…"


class UnknownName(KeyError):  # noqa: N818 -- it is what happened
    """A name that stands for nothing."""


def names_in(value: Any) -> frozenset[str]:
    """The names that a text, or the texts within a JSON value, use."""
    if isinstance(value, str):
        return frozenset(_NAME.findall(value))
    if isinstance(value, Mapping):
        return frozenset().union(*(names_in(key) | names_in(item) for key, item in value.items()))
    if isinstance(value, (list, tuple)):
        return frozenset().union(*map(names_in, value))
    return frozenset()


def is_name(text: str) -> bool:
    """It is nothing but one name in braces."""
    return _NAME.fullmatch(text) is not None


def fill(value: Any, known: Mapping[str, Any]) -> Any:
    """The value with its names replaced; a text that is nothing but one name becomes that value, of whatever type.

    Raises:
        UnknownName: a name stands for nothing.
    """
    if isinstance(value, str):
        return _fill_text(value, known)
    if isinstance(value, Mapping):
        return {str(fill(key, known)): fill(item, known) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [fill(item, known) for item in value]
    return value


def _fill_text(text: str, known: Mapping[str, Any]) -> Any:
    whole = _NAME.fullmatch(text)
    if whole:
        return _look_up(whole[1], known)
    return _NAME.sub(lambda found: str(_look_up(found[1], known)), text)


def _look_up(name: str, known: Mapping[str, Any]) -> Any:
    if name not in known:
        raise UnknownName(name)
    return known[name]


def mask(text: str, secrets: Iterable[tuple[str, str]]) -> str:
    """The text without secrets, whole or in the ways in which requests carry them.

    Args:
        text: what is to be shown.
        secrets: pairs of name and value.
    """
    # Longer ones first: one may be the beginning of another.
    for name, value in sorted(secrets, key=lambda pair: -len(pair[1])):
        if len(value) >= SHORTEST:
            for shape in _shapes(value):
                text = _without_cut(text.replace(shape, f"<{name}>"), shape, f"<{name}>")
    return text


def _without_cut(text: str, shape: str, shown: str) -> str:
    """The text without the beginning of a secret where it was cut, at a mark or at its end."""
    parts = text.split(_CUT)
    for number, part in enumerate(parts):
        for length in range(min(len(shape), len(part)), SHORTEST - 1, -1):
            if part.endswith(shape[:length]):
                parts[number] = part[:-length] + shown
                break
    return _CUT.join(parts)


def _shapes(value: str) -> tuple[str, ...]:
    # A variable may hold bytes that are no characters; Python keeps them as surrogates.
    plain = value.encode("utf-8", "surrogateescape")
    coded = base64.b64encode(plain).decode()
    shapes = {
        value,
        quote(plain, safe=""),
        quote(plain),
        quote_plus(plain),
        coded,
        coded.rstrip("="),
        repr(value)[1:-1],
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        " ".join(value.split()),  # as a finding quotes it, on one line
    }
    return tuple(sorted(shapes, key=len, reverse=True))
