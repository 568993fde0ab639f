"""Plain command lines, read without the parser, which takes longer to load than most commands to run.

What is not understood here to the last word is the parser's: help, `--option=value`, options that are abbreviated,
repeated, unknown or missing, numbers, values that begin with a dash. What is understood means the same to both.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from fairway.cli.options import Options

Read = Callable[[str], Any]


def bind(command: Callable[..., int], words: Sequence[str]) -> Callable[[], int] | None:
    """The call that the words ask for; None: ask the parser.

    Args:
        command: with names that stand alone before `/`, options after `*`, and at last those that all commands have.
        words: what follows the command's name.
    """
    wanted = inspect.signature(command).parameters
    places = [name for name, one in wanted.items() if one.kind is one.POSITIONAL_ONLY]
    options = dict(_list_options(wanted))
    given: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            name = places.pop(0) if places else None
            read: Read | None = _reader(wanted[name].annotation) if name else None
            value: str | None = word
        else:
            name, read = options.get(word, (None, None))
            value = word if read is _switch else next(rest, None)
        if name is None or name in given or read is None or value is None or (value[:1] == "-" and read is not _switch):
            return None
        try:
            given[name] = read(word if read is _switch else value)
        except ValueError:
            return None
    common = {name: given.pop(name) for name in ("json", "config") if name in given}
    if any(one.default is one.empty and name not in given for name, one in wanted.items()):
        return None
    alone = [given.pop(name) for name, one in wanted.items() if one.kind is one.POSITIONAL_ONLY and name in given]
    return lambda: command(*alone, **given, options=Options(**common))


def _list_options(wanted: Any) -> Iterator[tuple[str, tuple[str, Read]]]:
    """What may begin with a dash: the name behind it, and how its value is read. A switch is what changes it."""
    yield from (("--json", ("json", _switch)), ("--config", ("config", Path)), ("-c", ("config", Path)))
    for name, one in wanted.items():
        if one.kind is not one.KEYWORD_ONLY or one.annotation is Options:
            continue
        read = _reader(one.annotation)
        option = name.replace("_", "-")
        if read is _switch:
            yield f"--no-{option}" if one.default else f"--{option}", (name, _switch)
        elif read is not None:
            yield f"--{option}", (name, read)


def _reader(kind: Any) -> Read | None:
    """How a word becomes a value of that type; None: that is for the parser."""
    if get_origin(kind) in (Union, UnionType):
        members = [member for member in get_args(kind) if member is not NoneType]
        return _reader(members[0]) if len(members) == 1 else None
    if get_origin(kind) is Literal:
        return lambda word: _choose(word, get_args(kind))
    return _READERS.get(kind)


def _switch(word: str) -> bool:
    return not word.startswith("--no-")


_READERS: dict[Any, Read] = {str: str, Path: Path, bool: _switch}


def _choose(word: str, choices: tuple[Any, ...]) -> str:
    if word not in choices:
        raise ValueError(word)
    return word
