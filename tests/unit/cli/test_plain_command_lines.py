"""What is read without the parser means what the parser would have read."""

import inspect
import random
import subprocess
import sys
from importlib import import_module
from typing import Any

import pytest
from cyclopts import CycloptsError

from fairway.cli.app import COMMANDS
from fairway.cli.parser import app
from fairway.cli.quick import bind

PLACES = {name: place.split(":") for name, place, _ in COMMANDS}
#: Words that mean something to some command, and words that are easily taken for something else.
WORDS = """
    --env --strategy --reason --wait --no-wait --timeout --lift-quarantine --to --confirm --run --evidence --no-evidence
    --plot --json --no-json --config -c --force --no-force --follow --limit --lines --revision --en --env=production
    --help -h --version -- - -1 production canary blue-green Canary 5 +5 0x5 none null v1.0.0 r-abc true no 10m
    sha256:00 CONFIRM . /tmp/x ü
"""


def given(name: str, words: list[str]) -> dict[str, Any] | None:
    """The arguments that a plain reading gives to the command; None if the words are left to the parser."""
    module, function = PLACES[name]
    command = getattr(import_module(f"fairway.cli.{module}"), function)
    got: list[dict[str, Any]] = []

    def stand_in(*values: Any, **named: Any) -> int:
        signature = bound(command, values, named)
        got.append(signature)
        return 0

    stand_in.__signature__ = inspect.signature(command)  # type: ignore[attr-defined]
    call = bind(stand_in, words)
    if call is None:
        return None
    call()
    return got[0]


def bound(command: Any, values: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    call = inspect.signature(command).bind(*values, **named)
    call.apply_defaults()
    return dict(call.arguments)


def parsed(name: str, words: list[str]) -> dict[str, Any] | None:
    """The arguments that the parser gives to the command; None if it refuses or shows help."""
    try:
        command, call, _ = app.parse_args([name, *words], print_error=False, exit_on_error=False)
    except CycloptsError:
        return None
    if command.__name__ != PLACES[name][1]:
        return None
    call.apply_defaults()
    return dict(call.arguments)


@pytest.mark.parametrize("name", PLACES)
def test_a_plain_reading_gives_what_the_parser_gives(name: str):
    chance = random.Random(name)
    for _ in range(400):
        words = chance.choices([*WORDS.split(), "", "two words"], k=chance.randint(0, 6))
        plain = given(name, words)
        if plain is not None:
            assert plain == parsed(name, words), words


@pytest.mark.parametrize(
    "line",
    [
        "status",
        "status --env production --json",
        "plan v1.0.0 --env production -c shop",
        "deploy v1.0.0 --env production --strategy canary --reason why --no-wait --timeout 10m --lift-quarantine why",
        "rollback --env production --to 1.0.0 --reason why --confirm CONFIRM --config shop/fairway.yaml",
        "abort r-234567 --reason why",
        "serve --config shop/fairway.yaml",
        "up --env production",
    ],
)
def test_what_is_given_often_is_read_plainly(line: str):
    name, *words = line.split()
    plain = given(name, words)
    assert plain is not None
    assert plain == parsed(name, words)


@pytest.mark.parametrize(
    "line",
    [
        "deploy v1.0.0",
        "deploy --env production",
        "deploy v1.0.0 --env production --strategy Canary",
        "deploy v1.0.0 --env production --env staging",
        "deploy v1.0.0 v1.1.0 --env production",
        "deploy v1.0.0 --env -c shop",
        "history --limit 5",
        "status --help",
        "status --env=production",
    ],
)
def test_what_is_not_plain_is_left_to_the_parser(line: str):
    name, *words = line.split()
    assert given(name, words) is None


def test_a_plain_command_line_does_not_load_the_parser():
    program = (
        "import sys; from fairway.cli import run; run(['deploy', 'v1', '--env', 'production', '--config', '/nowhere']);"
        "print(sorted({'cyclopts', 'sqlalchemy', 'rich', 'alembic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
    assert "/nowhere" in done.stderr
