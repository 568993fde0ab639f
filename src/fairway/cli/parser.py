"""The parser of command lines. Commands are loaded when they are called."""

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter
from cyclopts.validators import Number

from fairway import __version__
from fairway.cli.app import COMMANDS, GROUPS
from fairway.cli.options import Options
from fairway.cli.passing import Passing
from fairway.cli.rules import Rules, Steps
from fairway.domain.errors import UserError

_AT_LEAST_ONE = Annotated[int, Parameter(validator=Number(gte=1))]

#: Characters of a sentence of the parser.
_LONGEST = 300

#: What the parser has to know of parameters beside their types; here, so that commands can be used without it.
_DETAILS: dict[str, dict[str, Any]] = {
    "bench list": {"limit": _AT_LEAST_ONE},
    "bench compare": {"stored": Annotated[bool, Parameter(negative="")]},
    "doctor": {"repair": Annotated[bool, Parameter(negative="")]},
    "history": {"limit": _AT_LEAST_ONE},
    "logs": {"lines": _AT_LEAST_ONE},
    "restore": {
        "dry_run": Annotated[bool, Parameter(negative="")],
        "other_schema": Annotated[bool, Parameter(negative="")],
    },
    "status": {"evidence": Annotated[bool, Parameter(negative="")]},
    "validate": {
        "only": Annotated[list[str] | None, Parameter(negative="")],
        "verbose": Annotated[bool, Parameter(negative="")],
    },
}
_COMMON: dict[str, Any] = {
    "json": Annotated[bool, Parameter(negative="", help="Print one JSON object on stdout.")],
    "config": Annotated[
        Path | None, Parameter(name=["--config", "-c"], help="The fairway.yaml; default: the nearest one above here.")
    ],
}
Options.__init__.__annotations__.update(_COMMON)
Parameter(name="*")(Options)
Parameter(name="*")(Rules)
Parameter(name="*")(Passing)
Parameter(name="*")(Steps)

app = App(
    name="fairway",
    version=__version__,
    help="Takes a commit to production, watches it, and takes it back when it is bad.",
    result_action="return_value",
    exit_on_error=False,
    print_error=False,
    suppress_keyboard_interrupt=False,
)
_groups = {name: App(name=name, help=line) for name, line in GROUPS.items()}
for _group in _groups.values():
    app.command(_group)
for _name, _, _help in COMMANDS:
    _place, _, _own = _name.rpartition(" ")
    _groups.get(_place, app).command(f"{__name__}:{_name}", name=_own, help=_help)


def __getattr__(name: str) -> Any:
    """A command, loaded when the parser asks for it by its name."""
    place = next((place for known, place, _ in COMMANDS if known == name), None)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, function = place.partition(":")
    command = getattr(import_module(f"fairway.cli.{module}"), function)
    command.__annotations__.update(_DETAILS.get(name, {}))
    return command


def call(arguments: list[str]) -> object:
    """Runs what a command line asks for.

    Raises:
        UserError: it is no command line of ours.
    """
    for argument in arguments:
        if any("\ud800" <= character <= "\udfff" for character in argument):
            sentence = f"{argument[:60]!a} is not text in UTF-8"
            raise UserError("usage", sentence, "fairway --help lists the commands")
    try:
        return app(arguments)
    except CycloptsError as error:
        raise UserError("usage", _in_one_line(str(error)), "fairway --help lists the commands") from error


def _in_one_line(sentence: str) -> str:
    """What the parser says quotes what was typed, which may be anything: no terminal shall act on it."""
    shown = "".join(each if each.isprintable() else repr(each)[1:-1] for each in sentence)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
