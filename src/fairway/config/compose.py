"""Turns the YAML parser's events into a `Document`, with an eye on size, depth and duplicate keys."""

from dataclasses import dataclass, field
from typing import Any, NoReturn

from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from fairway.config.document import DEEPEST, MOST_NODES, Document, Node, resolve, walk
from fairway.config.problems import ConfigError, Problem, quote, render_path

_STANDARD_TAG = "tag:yaml.org,2002:"
_MERGE = "<<"


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet; `at` is a mapping's latest key."""

    node: Node
    at: str = ""
    key: tuple[Node, tuple[int, int]] | None = None
    merges: list[Node] = field(default_factory=list)


class Composer:
    """Builds one document; take every event, then finish."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._problems: list[Problem] = []
        self._anchors: dict[str, Node] = {}
        self._open: list[_Open] = []
        self._root: Node | None = None
        self._documents = 0
        self._nodes = 0

    def take(self, event: Any) -> None:
        """Adds one event of the parser."""
        if isinstance(event, DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._stop(event, "a second document begins here; one file describes one service")
        elif isinstance(event, AliasEvent):
            self._add(self._alias(event), event)
        elif isinstance(event, ScalarEvent):
            self._add(self._scalar(event), event)
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            self._begin(event)
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            self._end(self._open.pop())

    def finish(self) -> Document:
        """The document, once all events were taken."""
        if self._root is None or (self._root.content is None and not self._root.text):
            raise ConfigError([Problem(self._file, 1, 1, "", "the file is empty", "fairway init writes a first one")])
        for count, (node, depth) in enumerate(walk(self._root)):
            if count > MOST_NODES or depth > DEEPEST:
                message = (
                    f"the file grows beyond {MOST_NODES:,} values or {DEEPEST} levels once its aliases are expanded"
                )
                raise ConfigError([Problem(self._file, node.line, node.column, "", message)])
        if not isinstance(self._root.content, dict):
            what = "a list" if isinstance(self._root.content, list) else quote(self._root.content)
            message = f"the file must be a mapping of keys to values, but is {what}"
            raise ConfigError([Problem(self._file, *self._root.position, "", message, "begin with service: NAME")])
        return Document(self._file, self._root, self._problems)

    def _begin(self, event: Any) -> None:
        if len(self._open) >= DEEPEST:
            self._stop(event, f"values are nested more than {DEEPEST} levels deep")
        node = Node(*_position(event), {} if isinstance(event, MappingStartEvent) else [])
        expected = "map" if isinstance(event, MappingStartEvent) else "seq"
        if event.tag not in (None, "!", _STANDARD_TAG + expected):
            self._refuse_tag(event)
        self._remember(event, node)
        self._add(node, event)
        self._open.append(_Open(node))

    def _end(self, finished: _Open) -> None:
        """Adds what `<<` brings to a mapping, beneath what the mapping says itself."""
        content = finished.node.content
        for merge in finished.merges:
            sources = merge.content if isinstance(merge.content, list) else [merge]
            for source in sources:
                if not isinstance(source.content, dict) or not isinstance(content, dict):
                    self._report(merge.position, "<< takes a mapping or a list of mappings", "write <<: *ANCHOR")
                    continue
                for key, value in source.content.items():
                    if key not in content:
                        content[key] = value
                        finished.node.keys[key] = source.keys[key]

    def _add(self, node: Node, event: Any) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            self._stop(event, f"the file has more than {MOST_NODES:,} values")
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if isinstance(parent.node.content, list):
            parent.node.content.append(node)
        elif parent.key is None:
            parent.key, parent.at = (node, _position(event)), node.text
        else:
            key, position = parent.key
            parent.key = None
            self._enter(parent, key, position, node)

    def _enter(self, parent: _Open, key: Node, position: tuple[int, int], node: Node) -> None:
        content = parent.node.content
        if isinstance(key.content, dict | list) or not isinstance(content, dict):
            self._report(position, "a key must be a word, but here it is a list or a mapping")
        elif key.text == _MERGE and not key.quoted:
            parent.merges.append(node)
        elif key.text in content:
            first = parent.node.keys[key.text][0]
            self._report(position, "this key is given twice", f"line {first} gives it already")
        else:
            content[key.text] = node
            parent.node.keys[key.text] = position

    def _scalar(self, event: Any) -> Node:
        text = self._whole_characters(event)
        quoted = not event.implicit[0]
        content = text if quoted else resolve(text)
        if event.tag not in (None, "!"):
            quoted = event.tag == _STANDARD_TAG + "str"
            content = text if quoted else resolve(text)
            if not quoted and event.tag != _STANDARD_TAG + _tag_of(content):
                self._refuse_tag(event)
        node = Node(*_position(event), content, text, quoted)
        self._remember(event, node)
        return node

    def _whole_characters(self, event: Any) -> str:
        """The scalar's text with pairs of surrogates joined: JSON escapes what lies beyond U+FFFF as such a pair."""
        text = str(event.value)
        if not any("\ud800" <= character <= "\udfff" for character in text):
            return text
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self._report(_position(event), "the text holds half of a character, a lone surrogate")
            return text.encode("utf-8", "replace").decode()

    def _alias(self, event: Any) -> Node:
        node = self._anchors.get(event.anchor)
        if node is None:
            self._stop(event, f"the alias *{event.anchor} names an anchor that was not given before")
        if any(node is unfinished.node for unfinished in self._open):
            self._stop(event, f"the alias *{event.anchor} stands inside what it names, so that it would never end")
        return node

    def _remember(self, event: Any, node: Node) -> None:
        if event.anchor:
            self._anchors[event.anchor] = node

    def _refuse_tag(self, event: Any) -> None:
        tag = str(event.tag).removeprefix(_STANDARD_TAG)
        self._report(_position(event), f"the tag {quote(tag)} does not fit here", "remove it")

    def _report(self, position: tuple[int, int], message: str, hint: str = "") -> None:
        path: list[str | int] = []
        for unfinished in self._open:
            content = unfinished.node.content
            # The entry that is being read is not in its list yet, unless it is a list or mapping itself.
            number = len(content) - (unfinished is not self._open[-1]) if isinstance(content, list) else 0
            path.append(number if isinstance(content, list) else unfinished.at)
        shown = tuple(path[:-1] if path[-1:] == [""] else path)
        self._problems.append(Problem(self._file, *position, render_path(shown), message, hint))

    def _stop(self, event: Any, message: str) -> NoReturn:
        raise ConfigError([*self._problems, Problem(self._file, *_position(event), "", message)])


def _position(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _tag_of(content: object) -> str:
    names = {str: "str", bool: "bool", int: "int", float: "float", type(None): "null"}
    return names[type(content)]
