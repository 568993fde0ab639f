"""What is wrong with a configuration file: every mistake at once, each with its position."""

import difflib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fairway.domain.errors import UserError

KeyPath = tuple[str | int, ...]
"""Where a value stands: keys of mappings and numbers of list items, from the root."""

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]{1,60}")
_LONGEST_QUOTE = 60


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake.

    Attributes:
        file: the file's path as the caller gave it.
        line: from 1.
        column: from 1, in characters.
        key_path: such as `environments.production.strategy.steps[1]`; empty for the file as a whole.
        message: one clause that says what is wrong and quotes the value.
        hint: what to do about it; may be empty.
    """

    file: str
    line: int
    column: int
    key_path: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """The problem in one line."""
        where = f"{self.file}:{self.line}:{self.column}: "
        key = f"{self.key_path}: " if self.key_path else ""
        return where + key + "; ".join(part for part in (self.message, self.hint) if part)


class ConfigError(UserError):
    """A configuration file that cannot be used.

    Attributes:
        problems: all mistakes, by position.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        first = self.problems[0]
        message = str(first)
        if len(self.problems) > 1:
            message = f"{first.file} has {len(self.problems)} problems, the first one: {first}"
        super().__init__("config-invalid", message, "fairway check lists every problem with its line")


def render(problems: Sequence[Problem]) -> str:
    """The problems as text, a line each."""
    return "\n".join(str(problem) for problem in problems)


def render_path(path: KeyPath) -> str:
    """The path as people write it; keys with unusual characters are quoted and shortened."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _PLAIN_KEY.fullmatch(part) else quote(part))
    return text


def quote(value: object) -> str:
    """The value as it can stand in a sentence: in one line, quoted if it is text, shortened if it is long."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, str) and len(value) > _LONGEST_QUOTE:
        return f"{as_text(value[: _LONGEST_QUOTE - 20])}… ({len(value):,} characters)"
    return as_text(value)


def suggest(given: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, None if none is near."""
    near = difflib.get_close_matches(given[:_LONGEST_QUOTE].lower(), list(known), n=1, cutoff=0.6)
    return near[0] if near else None


def as_text(value: object) -> str:
    """As JSON writes it; what has no shape of its own, or turns the direction of writing, by its number."""
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
