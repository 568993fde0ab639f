"""Regular expressions that are compiled when they are first used: most questions need few of those that there are."""

import re
from typing import Any, cast

_METHODS = ("findall", "finditer", "fullmatch", "match", "search", "split", "sub")


class _Late:
    """Stands for a compiled expression, and is as quick as one from the second use on."""

    def __init__(self, text: str, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        if name not in _METHODS:
            raise AttributeError(name)
        compiled = re.compile(self._text, self._flags)
        self.__dict__.update({one: getattr(compiled, one) for one in _METHODS})
        return self.__dict__[name]


def pattern(text: str, flags: int = 0) -> "re.Pattern[str]":
    """The expression; a mistake in it shows when it is first used.

    Args:
        text: as `re.compile` takes it.
        flags: the same.
    """
    return cast("re.Pattern[str]", _Late(text, flags))
