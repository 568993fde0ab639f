"""A YAML file as a tree of values that know where they were written.

YAML 1.2 with its core schema (so that `on` and `12:30` stay text), plus anchors, aliases and `<<`. The tree is built
from the parser's events, so that depth and size are bounded before anything is expanded, and so that all duplicate
keys are found, not only the first one.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fairway.config.problems import KeyPath, Problem, render_path

Value = str | int | float | bool | None

LARGEST_FILE = 256 * 1024
"""Bytes. The parser reads about 200 kB a second."""
DEEPEST = 24
MOST_NODES = 10_000
"""Counted after aliases are expanded."""

# In the order of the specification (10.3.2); numbers of more than 40 digits are text, as nothing here takes them.
_CORE_SCHEMA: tuple[tuple[re.Pattern[str], Callable[[str], Value]], ...] = (
    (re.compile(r"~|null|Null|NULL|"), lambda _: None),
    (re.compile(r"true|True|TRUE|false|False|FALSE"), lambda text: text.lower() == "true"),
    (re.compile(r"[-+]?[0-9]{1,40}"), int),
    (re.compile(r"0o[0-7]{1,40}|0x[0-9a-fA-F]{1,40}"), lambda text: int(text, 0)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), lambda text: float(text.replace(".", ""))),
)


@dataclass(slots=True)
class Node:
    """One value of the file.

    Attributes:
        line: from 1.
        column: from 1.
        content: a scalar's value, the items of a list, or the entries of a mapping.
        text: a scalar as it was written, without quotes.
        quoted: the scalar was in quotes or a block, so that it can only be text.
        keys: where each key of a mapping was written.
    """

    line: int
    column: int
    content: "Value | list[Node] | dict[str, Node]" = None
    text: str = ""
    quoted: bool = False
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def position(self) -> tuple[int, int]:
        """Line and column, from 1."""
        return self.line, self.column


@dataclass(slots=True)
class Document:
    """A file that could be read as YAML.

    Attributes:
        problems: what was wrong with single places of it, such as duplicate keys.
    """

    file: str
    root: Node
    problems: list[Problem] = field(default_factory=list)

    def find(self, path: KeyPath) -> Node | None:
        """The node at that path, None if there is none."""
        node: Node | None = self.root
        for part in path:
            node = _child(node, part) if node else None
        return node

    def locate(self, path: KeyPath, *, key: bool = False) -> tuple[int, int]:
        """Line and column of the value at the path; of what stands around it, if nothing stands there.

        Args:
            path: from the root.
            key: take the position of the key instead of the value's.
        """
        position = (1, 1)
        node: Node | None = self.root
        for part in path:
            inner = _child(node, part) if node else None
            if node is None or inner is None:
                return position
            key_position = node.keys.get(str(part))
            wants_key = key or inner.content is None or isinstance(inner.content, dict)
            position = key_position if key_position and wants_key else inner.position
            node = inner
        return position

    def problem(self, path: KeyPath, message: str, hint: str = "", *, key: bool = False) -> Problem:
        """A problem at that path."""
        line, column = self.locate(path, key=key)
        return Problem(self.file, line, column, render_path(path), message, hint)

    def plain(self) -> Any:
        """The file's content as dicts, lists and scalars."""
        return plain(self.root)


def plain(node: Node) -> Any:
    """The node's content as dicts, lists and scalars."""
    if isinstance(node.content, dict):
        return {key: plain(value) for key, value in node.content.items()}
    if isinstance(node.content, list):
        return [plain(item) for item in node.content]
    return node.content


def walk(node: Node) -> Iterator[tuple[Node, int]]:
    """The node and everything below it with its depth, aliases expanded; ends beyond the limits."""
    waiting = [(node, 0)]
    while waiting:
        current, depth = waiting.pop()
        yield current, depth
        if isinstance(current.content, dict):
            waiting += [(value, depth + 1) for value in current.content.values()]
        elif isinstance(current.content, list):
            waiting += [(item, depth + 1) for item in current.content]


def resolve(text: str) -> Value:
    """The value of a plain scalar by the core schema of YAML 1.2."""
    for pattern, read in _CORE_SCHEMA:
        if pattern.fullmatch(text):
            return read(text)
    return text


def _child(node: Node, part: str | int) -> Node | None:
    content = node.content
    if isinstance(content, dict) and isinstance(part, str):
        return content.get(part)
    if isinstance(content, list) and isinstance(part, int) and part < len(content):
        return content[part]
    return None
