"""The composition root: the only package that knows everyone.

Its modules are loaded when something of theirs is asked for: what a command does not need, its user does not wait for.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fairway.bootstrap.ambient import actor, duration, is_dumb_terminal, new_run, now, pause
    from fairway.bootstrap.controller import ensure_controller, keep_serving
    from fairway.bootstrap.hindrance import find_hindrance, is_down
    from fairway.bootstrap.machine import bring_down, bring_up, examined, list_strays, remove_state, resume
    from fairway.bootstrap.machine import machine as this_machine
    from fairway.bootstrap.project import (
        CONFIG_NAME,
        Project,
        insist_on_environment,
        load_spec,
        open_known,
        open_project,
        open_reader,
    )
    from fairway.bootstrap.repairing import journal_damage, repair_journal

__all__ = [
    "CONFIG_NAME",
    "Project",
    "actor",
    "bring_down",
    "bring_up",
    "duration",
    "ensure_controller",
    "examined",
    "find_hindrance",
    "insist_on_environment",
    "is_down",
    "is_dumb_terminal",
    "journal_damage",
    "keep_serving",
    "list_strays",
    "load_spec",
    "new_run",
    "now",
    "open_known",
    "open_project",
    "open_reader",
    "pause",
    "remove_state",
    "repair_journal",
    "resume",
    "serve",
    "this_machine",
]

#: Where each name is at home.
_HOMES = {
    "CONFIG_NAME": "project",
    "Project": "project",
    "actor": "ambient",
    "bring_down": "machine",
    "bring_up": "machine",
    "duration": "ambient",
    "ensure_controller": "controller",
    "examined": "machine",
    "find_hindrance": "hindrance",
    "insist_on_environment": "project",
    "is_down": "hindrance",
    "is_dumb_terminal": "ambient",
    "journal_damage": "repairing",
    "keep_serving": "controller",
    "list_strays": "machine",
    "load_spec": "project",
    "new_run": "ambient",
    "now": "ambient",
    "open_known": "project",
    "open_project": "project",
    "open_reader": "project",
    "pause": "ambient",
    "remove_state": "machine",
    "repair_journal": "repairing",
    "resume": "machine",
    "this_machine": "machine",
}
#: Names that are others at home, because a module of this package has the same.
_OTHERWISE = {"this_machine": "machine"}


def __getattr__(name: str) -> Any:
    """A name of one of the modules, loaded now and kept."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), _OTHERWISE.get(name, name))
    globals()[name] = found
    return found


def serve(config: Path | None, log: Callable[[str], None]) -> None:
    """Is the controller; see `serving`."""
    from fairway.bootstrap import serving

    serving.serve(config, log)
