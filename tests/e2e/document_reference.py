"""Writes the generated parts of the reference from the code: `python tests/e2e/document_reference.py`.

A generated part stands between `<!-- generated: NAME -->` and `<!-- end -->`; `NAME` is looked up in `PARTS`, what
follows it is given to the function. A test compares the pages with what would be written.
"""

import ast
import dataclasses
import inspect
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, get_args

from document_checks import describe_check, describe_findings
from document_pages import ROOT
from sqlalchemy import MetaData, Table, create_engine

from fairway.adapters.stores.sql import SqlStore
from fairway.adapters.stores.sql.upgrade import VERSION_TABLE
from fairway.catalog import BUILT_IN, load_object
from fairway.cli.app import COMMANDS
from fairway.cli.parser import app
from fairway.domain.pipeline.events import ReleaseEvent
from fairway.domain.pipeline.scanners import SCANNERS
from fairway.domain.rollout.events import Event
from fairway.domain.rollout.messages import MessageName

PART = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) ?(?P<rest>[^>]*?) -->\n).*?(<!-- end -->)", re.DOTALL)
ERRORS = ("UserError", "TransientError", "PermanentError", "AmbiguousError", "InvariantError", "Declined", "Refused")
MEANING = {
    "UserError": "input wrong",
    "TransientError": "may pass",
    "PermanentError": "refused",
    "AmbiguousError": "sent, no answer",
    "InvariantError": "fault in Fairway",
    "Declined": "the answer is no",
    "Refused": "the step's answer is no",
}


def rewrite(text: str) -> str:
    """The page with its generated parts as they should be."""
    return PART.sub(lambda part: f"{part[1]}\n{PARTS[part['name']](part['rest'].strip())}\n{part[4]}", text)


def describe_overview(_: str) -> str:
    rows = [(f"[`{name}`](#fairway-{name.replace(' ', '-')})", line) for name, _, line in COMMANDS]
    return _table(("command", "what it does"), rows)


def describe_command(name: str) -> str:
    """Usage, arguments and options; what every command has is described once, on top of the page."""
    command = app
    for word in name.split():
        command = command[word]
    arguments = [one for one in command.assemble_argument_collection(parse_docstring=True) if one.names != ("*",)]
    common = ("--json", "--config")
    own = [one for one in arguments if one.names[0] not in common]
    given = [one for one in own if not one.names[0].startswith("--")]
    options = [one for one in own if one.names[0].startswith("--")]
    needed = [f"{one.names[0]} {_value(one)}" for one in options if one.required]
    names = [one.names[0] if one.required else f"[{one.names[0]}]" for one in given]
    usage = " ".join(["fairway", name, *names, *needed, *(["[OPTIONS]"] if options else [])])
    parts = [inspect.cleandoc(command.help), "", f"```text\n{usage}\n```"]
    rows = [(f"`{one.names[0]}`", _sentence(one), "") for one in given]
    rows += [(" ".join(f"`{n}`" for n in one.names) + _shown(one), _sentence(one), _default(one)) for one in options]
    return "\n".join([*parts, *(["", _table(("argument or option", "meaning", "default"), rows)] if rows else [])])


def describe_events(_: str) -> str:
    rows = []
    for event in get_args(Event):
        names = [field.name for field in dataclasses.fields(event) if field.name != "at"]
        rows.append((f"`{event.__name__}`", _summary(event), ", ".join(f"`{name}`" for name in names)))
    return _table(("type", "the fact", "data besides `at`"), rows)


def describe_release_events(_: str) -> str:
    rows = []
    for event in get_args(ReleaseEvent):
        names = [field.name for field in dataclasses.fields(event) if field.name != "at"]
        rows.append((f"`{event.__name__}`", _summary(event), ", ".join(f"`{name}`" for name in names)))
    return _table(("type", "the fact", "data besides `at`"), rows)


def describe_messages(_: str) -> str:
    names: list[str] = []
    for choice in get_args(MessageName):
        names += get_args(choice) or [choice]
    return ", ".join(f"`{name}`" for name in names) + "."


def describe_journal(_: str) -> str:
    parts = []
    with tempfile.TemporaryDirectory() as folder:
        SqlStore.open(f"{folder}/journal.db").close()
        engine = create_engine(f"sqlite:///{folder}/journal.db")
        metadata = MetaData()
        metadata.reflect(engine)
        engine.dispose()
    for table in metadata.sorted_tables:
        if table.name == VERSION_TABLE:
            continue
        parts += [f"### `{table.name}`", "", _columns(table), ""]
    return "\n".join(parts).rstrip()


def describe_adapters(_: str) -> str:
    parts = []
    for entry in BUILT_IN:
        parts += [f"## {entry.port.capitalize()} `{entry.kind}`", "", entry.summary, ""]
        if entry.settings is None:
            parts += ["It has no settings.", ""]
            continue
        fields = load_object(entry.settings).model_fields
        rows = [
            (
                f"`{name}`",
                field.description or "",
                "required" if field.is_required() else _written(field.get_default(call_default_factory=True)),
            )
            for name, field in fields.items()
        ]
        parts += [_table(("key", "meaning", "default"), rows), ""]
    return "\n".join(parts).rstrip()


def describe_errors(_: str) -> str:
    """The codes, the kinds of errors that carry them, and the first sentence that one finds with each."""
    rows = []
    for code, found in sorted(list_errors().items()):
        sentence = next((words for _, words in found if words), "")
        rows.append((f"`{code}`", ", ".join(sorted({MEANING[kind] for kind, _ in found})), sentence))
    return _table(("code", "kind", "as in"), rows)


def list_errors() -> dict[str, list[tuple[str, str]]]:
    """The codes in the source, each with the kinds and sentences that go with it."""
    found: dict[str, list[tuple[str, str]]] = {}
    for path in sorted((ROOT / "src" / "fairway").rglob("*.py")):
        if "testing" not in path.parts:
            for kind, code, sentence in _codes(ast.parse(path.read_text(encoding="utf-8"))):
                found.setdefault(code, []).append((kind, sentence))
    return found


def describe_scanners(_: str) -> str:
    rows = [(f"`{one.name}`", one.summary, one.install) for one in SCANNERS]
    return _table(("scanner", "looks for", "to be had by"), rows)


PARTS: dict[str, Callable[[str], str]] = {
    "overview": describe_overview,
    "command": describe_command,
    "events": describe_events,
    "release-events": describe_release_events,
    "messages": describe_messages,
    "journal": describe_journal,
    "adapters": describe_adapters,
    "errors": describe_errors,
    "check": describe_check,
    "findings": describe_findings,
    "scanners": describe_scanners,
}


def _codes(tree: ast.AST) -> Iterator[tuple[str, str, str]]:
    """Calls such as `UserError("code", "sentence")`, and rows of tables such as `(…, UserError, "code")`."""
    for scope in [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef))]:
        said = _Said(scope)
        for node in _own(scope):
            if isinstance(node, ast.Call):
                yield from said.named(getattr(node.func, "id", ""), node.args)
            elif isinstance(node, ast.Tuple):
                for place, part in enumerate(node.elts):
                    yield from said.named(getattr(part, "id", ""), node.elts[place + 1 :])
        if isinstance(scope, ast.ClassDef) and any(getattr(base, "id", "") in ERRORS for base in scope.bases):
            for call in ast.walk(scope):
                if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "__init__":
                    yield from said.named(scope.bases[0].id, call.args)


class _Said:
    """The texts that are given a name in one scope, with the lines in which that happens."""

    def __init__(self, scope: ast.AST) -> None:
        self._texts = [
            (node.lineno, target.id, _words(node.value))
            for node in _own(scope)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        ]

    def named(self, kind: str, parts: list[ast.expr]) -> Iterator[tuple[str, str, str]]:
        """Kind, code and sentence, if that is what these parts are."""
        code = _words(parts[0]) if kind in ERRORS and parts else ""
        if re.fullmatch(r"[a-z0-9…]+(-[a-z0-9…]+)*", code):
            yield kind, code, self._sentence(parts[1]) if len(parts) > 1 else ""

    def _sentence(self, part: ast.expr) -> str:
        before = [one for one in self._texts if one[1] == getattr(part, "id", "") and one[0] <= part.lineno]
        return _words(part) or (max(before)[2] if before else "")


def _own(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes that belong to it and to no function or class inside it."""
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node
            waiting += ast.iter_child_nodes(node)


def _words(value: ast.expr) -> str:
    """The text of a literal, with `…` for what is filled in; empty if it is none."""
    if isinstance(value, ast.Constant):
        return re.sub(r"\{[^}]*\}", "…", value.value) if isinstance(value.value, str) else ""
    if isinstance(value, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in value.values)
    return ""


def _columns(table: Table) -> str:
    rows = []
    for column in table.columns:
        notes = ["key"] if column.primary_key else []
        notes += ["may be empty"] if column.nullable else []
        rows.append((f"`{column.name}`", column.type.__class__.__name__.lower(), ", ".join(notes)))
    return _table(("column", "type", ""), rows)


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in lines
    )


def _value(argument: Any) -> str:
    return argument.names[0].removeprefix("--").upper()


def _shown(argument: Any) -> str:
    return "" if argument.hint is bool else f" `{_value(argument)}`"


def _sentence(argument: Any) -> str:
    text = (argument.parameter.help or "").strip()
    choices = [str(one) for part in get_args(argument.hint) for one in get_args(part) if one is not str]
    return text[:1].upper() + text[1:] + (f" One of {', '.join(f'`{one}`' for one in choices)}." if choices else "")


def _default(argument: Any) -> str:
    default = argument.field_info.default
    if argument.required:
        return "required"
    if argument.hint is bool:
        return f"`{argument.names[0 if default else -1]}`"
    return "" if default in (None, "") else f"`{default}`"


def _written(value: Any) -> str:
    return "" if value is None or value == {} else f"`{value:g} s`" if isinstance(value, float) else f"`{value}`"


def _summary(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0].replace("\n", " ")


def main() -> None:
    for path in sorted((ROOT / "docs").rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        new = rewrite(text)
        if new != text:
            path.write_text(new, encoding="utf-8")
            sys.stdout.write(f"{path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
