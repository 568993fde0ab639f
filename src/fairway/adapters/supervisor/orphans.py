"""Processes of units that no file tells of any more, as when the folder was moved away while they ran.

Each process of a unit carries a variable that says for which unit, by which definition and as which process it was
started; its children have it from there. So what runs can be found again by looking at all processes.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from fairway.adapters.supervisor.files import Json, Layout, read_json
from fairway.adapters.supervisor.processes import (
    Identity,
    boot_id,
    identify,
    list_pids,
    session_members,
    session_of,
)

VARIABLE = "FAIRWAY_UNIT"


class Orphan(NamedTuple):
    """A session of processes that was started for a unit.

    Attributes:
        unit: its id.
        fingerprint: of the definition that it was started with.
        process: its leader. Where that has ended and is forgotten, with the start of the eldest that it left behind.
    """

    unit: str
    fingerprint: str
    process: Identity


def mark(unit: str, definition: Json) -> list[tuple[str, str]]:
    """The variable for the present process, which is about to become the unit's.

    Args:
        unit: path of its definition; empty: it is not marked.
        definition: what is in that file.
    """
    return [(VARIABLE, f"{os.getpid()}:{definition.get('fingerprint')}:{unit}")] if unit else []


def list_orphans(layout: Layout) -> list[Orphan]:
    """Sessions of the folder's units that no status tells of; the eldest first. Other accounts' are not seen."""
    found: dict[int, Orphan] = {}
    units = os.path.realpath(layout.units)
    for pid in list_pids():
        marked = _read_mark(pid, units)
        # A child in a session of its own is left alone: nobody knows what it is there for.
        if marked is None or session_of(pid) != marked[0]:
            continue
        number, fingerprint, unit = marked
        # The number is given to nobody else while a session carries it.
        process = identify(number) or identify(pid)
        if process is not None and (number not in found or process.start < found[number].process.start):
            found[number] = Orphan(unit, fingerprint, process._replace(pid=number))
    # Only now: what was started or ended meanwhile is none.
    known = _known(layout) if found else set()
    strays = [one for one in found.values() if one.process.pid not in known and session_members(one.process)]
    return sorted(strays, key=lambda one: one.process.start)


def _known(layout: Layout) -> set[int]:
    """Numbers of the sessions that statuses tell of."""
    statuses = [read_json(layout.status(unit)) or {} for unit in layout.list_statuses()]
    processes = [Identity(*status["process"]) for status in statuses if status.get("process")]
    return {process.pid for process in processes if process.boot == boot_id()}


def _read_mark(pid: int, units: str) -> tuple[int, str, str] | None:
    """Number of the process that was started, fingerprint and unit; None if it is none of this folder's."""
    begin = f"{VARIABLE}=".encode()
    with suppress(OSError, ValueError):
        for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            if entry.startswith(begin):
                number, fingerprint, place = os.fsdecode(entry[len(begin) :]).split(":", 2)
                folder, _, name = place.rpartition("/")
                if os.path.realpath(folder) == units and name.endswith(".json"):
                    return int(number), fingerprint, name.removesuffix(".json")
    return None
