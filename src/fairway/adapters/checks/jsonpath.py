"""JSON paths by the standard (RFC 9535)."""

from functools import lru_cache
from typing import Any

from jsonpath import JSONPathEnvironment
from jsonpath.exceptions import JSONPathError

from fairway.domain.errors import UserError

_ENVIRONMENT = JSONPathEnvironment(strict=True)


def find(path: str, value: Any) -> list[Any]:
    """The values that a path names, in the order of the document; none if there is nothing.

    Raises:
        UserError: it is no path.
    """
    return list(compiled(path).findall(value))


@lru_cache(maxsize=256)
def compiled(path: str) -> Any:
    """The path, read.

    Raises:
        UserError: it is none.
    """
    try:
        return _ENVIRONMENT.compile(path)
    except (JSONPathError, ValueError, RecursionError) as error:
        sentence = f"{path[:80]!r} is not a JSON path: {_said(error)}"
        raise UserError("json-path", sentence, "write it like $.user.id or $.items[0].name") from error


def _said(error: Exception) -> str:
    """The first line of what the library says; of an empty path it cannot say anything."""
    try:
        return str(error).splitlines()[0]
    except (ValueError, IndexError):
        return "it is empty"
