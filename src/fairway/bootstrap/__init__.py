"""The composition root: the only package that knows everyone."""

from collections.abc import Callable
from pathlib import Path

from fairway.bootstrap.ambient import actor, duration, is_dumb_terminal, new_run, now, pause
from fairway.bootstrap.controller import ensure_controller, keep_serving
from fairway.bootstrap.hindrance import find_hindrance, is_down
from fairway.bootstrap.machine import bring_down, bring_up, examined, machine, remove_state, resume
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
    "load_spec",
    "machine",
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
]


def serve(config: Path | None, log: Callable[[str], None]) -> None:
    """Is the controller; see `serving`."""
    from fairway.bootstrap import serving

    serving.serve(config, log)
