"""The port `Supervisor`, by files in a folder that a process of its own watches."""

import contextlib
import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import fairway
from fairway.adapters.supervisor.files import Json, Layout, read_json, sync_folder, write_json
from fairway.adapters.supervisor.loop import find_supervisor
from fairway.adapters.supervisor.orphans import Orphan, list_orphans
from fairway.adapters.supervisor.processes import Identity, is_alive
from fairway.domain.errors import InvariantError, PermanentError, TransientError
from fairway.ports.supervisor import Unit, UnitState, UnitStatus

_ID = re.compile(r"[a-z0-9-][a-z0-9.-]{0,199}")
_LOOK = 0.005  # seconds between looks at what the supervisor did
_GRACE = 10.0  # seconds between SIGTERM and SIGKILL for what is stopped without its definition
_P = ParamSpec("_P")
_T = TypeVar("_T")


def _in_our_words(
    method: "Callable[Concatenate[SupervisorClient, _P], _T]",
) -> "Callable[Concatenate[SupervisorClient, _P], _T]":
    """What the system refuses, such as room on a full disk, may pass."""

    @functools.wraps(method)
    def translated(self: "SupervisorClient", /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return method(self, *args, **kwargs)
        except OSError as error:
            sentence = f"The folder {self.folder} of the supervisor could not be used: {error.strerror or error}."
            raise TransientError("supervisor-folder", sentence, "Is the disk full?") from error

    return translated


class SupervisorClient:
    """Units in a folder, kept running by the one supervisor of that folder.

    Safe to use from several threads and processes at once. The supervisor is started when it is needed and ends by
    itself when it has no unit to run.

    Args:
        folder: holds everything, see `files.py`; created with mode 0700.
        patience: seconds to wait for the supervisor, beyond the grace of what it has to stop.
        linger: seconds with nothing to do after which the supervisor ends.
    """

    def __init__(self, folder: Path, *, patience: float = 10.0, linger: float = 5.0) -> None:
        self._layout = Layout(folder.absolute())
        self._patience = patience
        self._linger = linger

    @property
    def folder(self) -> Path:
        """Where everything is."""
        return self._layout.folder

    @_in_our_words
    def ensure_unit(self, unit: Unit) -> UnitStatus:
        """Makes the unit run, also one that was stopped by `stop_all`; see the port."""
        _check(unit)
        self._layout.make()
        definition = _define(unit)
        path = self._layout.unit(unit.id)
        if read_json(path) != definition:
            write_json(path, definition, durable=True)
        self._layout.halt(unit.id).unlink(missing_ok=True)

        def has_settled() -> bool:
            status = read_json(self._layout.status(unit.id))
            if not status or status.get("fingerprint") != definition["fingerprint"]:
                return False
            process = _process(status)
            return is_alive(process) if process else status["state"] == "crash-loop"

        grace = (read_json(self._layout.status(unit.id)) or {}).get("grace") or 0.0
        self._await(has_settled, grace, f"start {unit.id}")
        return self._observe(unit.id)

    @_in_our_words
    def ensure_stopping(self, unit: str) -> None:
        """Has the unit's whole session of processes stopped and the unit forgotten; its log files stay."""
        if self._layout.unit(unit).exists():
            self._layout.unit(unit).unlink(missing_ok=True)
            self._layout.halt(unit).unlink(missing_ok=True)
            sync_folder(self._layout.units)
            self._ring()
        elif not self._layout.status(unit).exists():
            self._put_on_record([orphan for orphan in self.list_orphans() if orphan.unit == unit])
        self.ensure_running()

    @_in_our_words
    def ensure_removed(self, unit: str) -> None:
        """The same, and returns when it is gone."""
        self.ensure_stopping(unit)
        status = read_json(self._layout.status(unit))
        grace = (status or {}).get("grace") or 0.0
        self._await(lambda: not self._layout.status(unit).exists(), grace, f"stop {unit}")

    @_in_our_words
    def observe(self) -> Mapping[str, UnitStatus]:
        """All units by id, as they are now; works without a running supervisor as well."""
        units = {*self._layout.list_units(), *self._layout.list_statuses()}
        return {unit: self._observe(unit) for unit in sorted(units)}

    @_in_our_words
    def ensure_running(self) -> None:
        """Starts the supervisor if there is something to do for it and none runs; cheap enough for every second.

        After a reboot this brings back what ran.
        """
        if self._has_work() and find_supervisor(self._layout) is None:
            self._launch()

    @_in_our_words
    def stop_all(self, units: Collection[str] | None = None) -> None:
        """Stops units but keeps them defined, and returns when their processes are gone; a reboot does not change it.

        Units that are being stopped for good are waited for as well.

        Args:
            units: which ones; None: all, and what runs although no file tells of it.
        """
        if units is None:
            self._put_on_record(self.list_orphans())
        defined = self._layout.list_units()
        known = {*defined, *self._layout.list_statuses()}
        chosen = sorted(known if units is None else known.intersection(units))
        for unit in chosen:
            if unit in defined:
                self._layout.halt(unit).touch(mode=0o600)
        if not chosen:
            return
        sync_folder(self._layout.halts)
        statuses = [read_json(self._layout.status(unit)) or {} for unit in chosen]
        grace = max(float(status.get("grace") or 0.0) for status in statuses)
        self._await(lambda: all(self._is_stopped(unit) for unit in chosen), grace, "stop the units")

    @_in_our_words
    def resume_all(self, units: Collection[str] | None = None) -> None:
        """Lets units run again that `stop_all` stopped; returns when the supervisor has been told.

        Args:
            units: which ones; None: all.
        """
        for path in self._layout.halts.glob("*"):
            if units is None or path.name in units:
                path.unlink(missing_ok=True)
        self.ensure_running()
        self._ring()

    @_in_our_words
    def list_orphans(self) -> tuple[Orphan, ...]:
        """What runs as units of this folder although nobody keeps it, as when the folder was moved away meanwhile.

        `ensure_unit` with the same definition keeps it as it is; `ensure_stopping` stops it.
        """
        return tuple(list_orphans(self._layout))

    def _put_on_record(self, orphans: Collection[Orphan]) -> None:
        """Tells the supervisor of processes that nobody keeps: where their units are not wanted it stops them."""
        for orphan in orphans:
            status: Json = {"state": "running", "process": list(orphan.process), "fingerprint": orphan.fingerprint}
            status |= {"since": time.time(), "restarts": 0, "last_exit": "", "quick": 0}
            status |= {"started": True, "answered": False, "grace": _GRACE, "live": None, "socket": None}
            self._layout.make()
            if not self._layout.status(orphan.unit).exists():
                write_json(self._layout.status(orphan.unit), status, durable=False)

    def _observe(self, unit: str) -> UnitStatus:
        known = read_json(self._layout.status(unit)) or {}
        process = _process(known)
        alive = process is not None and is_alive(process)
        state: UnitState = known.get("state", "starting")
        if not self._layout.unit(unit).exists():
            state = "stopping"
        elif process and not alive:
            state = _after_end(state) if find_supervisor(self._layout) else "stopped"  # nobody would start it again
        return UnitStatus(
            id=unit,
            state=state,
            pid=process.pid if process and alive else None,
            since=known.get("since", 0.0),
            restarts=known.get("restarts", 0),
            last_exit=known.get("last_exit", ""),
            log=str(self._layout.log(unit)),
        )

    def _is_stopped(self, unit: str) -> bool:
        status = read_json(self._layout.status(unit))
        # A unit that has no status yet has never been started, and being halted it will not be.
        return status is None or (status["state"] == "stopped" and not status["process"])

    def _has_work(self) -> bool:
        units = set(self._layout.list_units())
        if any(not self._layout.is_halted(unit) for unit in units):
            return True
        return any(unit not in units or not self._is_stopped(unit) for unit in self._layout.list_statuses())

    def _ring(self) -> None:
        # Nobody listens, or the bell is full: whoever supervises looks at the folder every second anyway.
        with contextlib.suppress(OSError):
            bell = os.open(self._layout.doorbell, os.O_WRONLY | os.O_NONBLOCK)
            try:
                os.write(bell, b"!")
            finally:
                os.close(bell)

    def _await(self, is_done: Callable[[], bool], grace: float, what: str) -> None:
        self._ring()
        self.ensure_running()
        deadline = time.monotonic() + self._patience + grace
        while not is_done():
            if time.monotonic() > deadline:
                raise TransientError(
                    "supervisor-timeout",
                    f"The supervisor of {self._layout.folder} did not {what} within {self._patience + grace:g} s.",
                    f"See {self._layout.messages}, then try again.",
                )
            self.ensure_running()
            time.sleep(_LOOK)

    def _launch(self) -> None:
        """Runs the starter, which returns when a supervisor has the lock."""
        source = Path(fairway.__file__).parent.parent
        arguments = [str(self._layout.folder), str(self._linger)]
        command = [sys.executable, "-S", "-m", "fairway.adapters.supervisor", *arguments]
        variables = {"PYTHONPATH": str(source), "PATH": os.environ.get("PATH", os.defpath)}
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, env=variables, start_new_session=True, check=False
        )
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip().splitlines() or [f"see {self._layout.messages}"]
            raise TransientError(
                "supervisor-not-started",
                f"The supervisor of {self._layout.folder} could not be started: {said[-1]}.",
                "Check that the folder can be written to and that processes may be started.",
            )


def _after_end(state: UnitState) -> UnitState:
    """The state of a unit whose process has just ended, before the supervisor has seen it."""
    return "starting" if state == "running" else state


def _define(unit: Unit) -> Json:
    definition: Json = {
        "argv": list(unit.argv),
        "folder": unit.folder,
        "variables": [list(pair) for pair in unit.variables],
        "grace": unit.grace,
        "live": list(unit.live) if unit.live else None,
    }
    if unit.socket:  # else left out: a definition that an earlier version wrote must stay the same
        definition["socket"] = unit.socket
    content = json.dumps(definition, sort_keys=True).encode()
    return {**definition, "fingerprint": hashlib.sha256(content).hexdigest()}


def _process(status: Json) -> Identity | None:
    return Identity(*status["process"]) if status.get("process") else None


def _check(unit: Unit) -> None:
    if not _ID.fullmatch(unit.id):
        raise InvariantError("unit-id", f"{unit.id!r} is no unit id: 1 to 200 of a-z, 0-9, '.' and '-', no dot first.")
    if not unit.argv or not unit.argv[0]:
        raise PermanentError("command-empty", f"Unit {unit.id} has no command.", "Say which program to run.")
    if not Path(unit.folder).is_dir():
        raise PermanentError("folder-missing", f"The folder {unit.folder} of unit {unit.id} does not exist.")
    program = unit.argv[0]
    places = dict(unit.variables).get("PATH", os.defpath)
    path = os.path.join(unit.folder, program) if "/" in program else program  # noqa: PTH118 keeps an absolute program
    if shutil.which(path, path=places):
        return
    if shutil.which(path, mode=os.F_OK, path=places):
        raise PermanentError(
            "program-not-executable", f"The program {program!r} of unit {unit.id} may not be executed.", "chmod +x it."
        )
    raise PermanentError(
        "program-missing",
        f"The program {program!r} of unit {unit.id} does not exist: looked in {path if '/' in path else places}.",
        "Install it, or correct the command.",
    )
