"""Keeps one unit running: what is due now, given what is wanted and what is.

A unit is *idle* (no process), *running*, *stopping* (asked to end), or *clearing* (its leader ended by itself, and what
it left behind is killed before the next start: a forgotten child would hold the port).

    idle ──start──► running ──ended──► clearing ──group empty──► idle
                       └──unwanted, changed, not alive──► stopping ──group empty──► idle
"""

import math
import os
import select
import signal
import time
from typing import Literal

from fairway.adapters.supervisor.children import collect, describe_end, start
from fairway.adapters.supervisor.files import Json, Layout, read_json, write_json
from fairway.adapters.supervisor.liveness import LivenessProbe
from fairway.adapters.supervisor.orphans import Orphan
from fairway.adapters.supervisor.processes import (
    Identity,
    age,
    is_alive,
    open_handle,
    session_members,
    signal_session,
)
from fairway.adapters.supervisor.sockets import make_folder, remove_folder

SETTLED = 10.0  # seconds after which a process counts as having started well
LOOP = 3  # starts in a row that did not go well make a crash loop
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 30.0  # seconds; the first restart comes at once, the pause then doubles
_LOOK = 0.02  # seconds between looks at a group that is about to be empty

Phase = Literal["idle", "running", "stopping", "clearing"]


def pause_after(quick: int) -> float:
    """Seconds until the next start after so many in a row that did not go well: none for the first, then doubling."""
    return 0.0 if quick < 2 else min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(quick - 2, 16))


class Keeper:
    """One unit, from its first start until it is forgotten.

    Args:
        unit: its id.
        layout: where its files are.
        orphan: what runs as this unit although no file tells of it, and shall go on as it is.
    """

    def __init__(self, unit: str, layout: Layout, orphan: Orphan | None = None) -> None:
        self.unit = unit
        self._layout = layout
        self._phase: Phase = "idle"
        self._process: Identity | None = None
        self._handle: int | None = None
        self._probe: LivenessProbe | None = None
        self._due = 0.0  # idle: when to start; stopping: when to kill
        self._ended = False  # how the present process ended has been noted
        self._running: Json = {}  # the definition that the process was started with, as far as it is needed
        self._known = read_json(layout.status(unit)) or {
            "state": "starting",
            "since": time.time(),
            "restarts": 0,
            "last_exit": "",
            "quick": 0,
            "process": None,
            "answered": False,
            "started": False,
        }
        self._orphan = None if self._known["process"] else orphan
        # Whether the last end was wanted: then the next start is no restart, for nothing went wrong.
        self._planned = self._known["state"] == "stopped" or not self._known["started"]
        self._adopt()

    @property
    def resting(self) -> bool:
        """Nothing runs and nothing is to be started."""
        return self._phase == "idle" and self._known["state"] == "stopped"

    @property
    def interests(self) -> list[tuple[int, int]]:
        """Descriptors and poll events after which to look at the unit again."""
        found = [] if self._handle is None else [(self._handle, select.POLLIN)]
        if self._probe is not None and self._probe.interest is not None:
            found.append(self._probe.interest)
        return found

    def advance(self, wanted: Json | None, *, halted: bool, now: float) -> float | None:
        """Does what is due; returns when to look again (monotonic), None once the unit is gone and forgotten."""
        if self._process is None:
            return self._advance_idle(wanted, halted=halted, now=now)
        if self._phase == "running":
            return self._advance_running(self._process, None if halted else wanted, now)
        return self._advance_ending(self._process, now)

    def _adopt(self) -> None:
        if not self._known["process"]:
            return
        self._process = Identity(*self._known["process"])
        self._handle = open_handle(self._process)
        self._phase = "running"
        self._running = {name: self._known.get(name) for name in ("fingerprint", "grace", "live", "socket")}
        self._listen(answered=bool(self._known["answered"]))

    def _listen(self, *, answered: bool) -> None:
        live = self._running.get("live")
        self._probe = LivenessProbe((live[0], live[1], live[2]), answered=answered) if live else None

    def _advance_idle(self, wanted: Json | None, *, halted: bool, now: float) -> float | None:
        if wanted is None:
            self._layout.status(self.unit).unlink(missing_ok=True)
            return None
        if self._orphan is not None:
            self._take_over(self._orphan, wanted)
            return now
        if halted:
            if self._known["state"] != "stopped":
                self._note(state="stopped", since=time.time())
            self._planned = True
            return math.inf
        if wanted.get("fingerprint") != self._known.get("fingerprint"):
            self._known.update(restarts=0, quick=0, last_exit="", started=False, fingerprint=wanted.get("fingerprint"))
            self._due = now
        if now < self._due:
            return self._due
        try:
            self._start(wanted)
        except OSError as problem:
            self._failed_to_start(problem, now)
        return now

    def _take_over(self, orphan: Orphan, wanted: Json) -> None:
        """Keeps what runs already; if it was started by another definition, it is started again in time."""
        self._note(
            state="running",
            since=time.time() - age(orphan.process),
            process=list(orphan.process),
            started=True,
            answered=False,
            fingerprint=orphan.fingerprint,
            grace=wanted.get("grace"),
            live=wanted.get("live"),
            socket=wanted.get("socket"),
        )
        self._orphan = None
        self._planned = False
        self._adopt()

    def _start(self, wanted: Json) -> None:
        self._running = wanted
        again = self._known["started"] and not self._planned
        crashing = self._known["quick"] >= LOOP

        def remember(process: Identity) -> None:
            self._note(
                state="crash-loop" if crashing else "running",
                since=time.time(),
                process=list(process),
                restarts=self._known["restarts"] + again,
                started=True,
                answered=False,
                fingerprint=wanted.get("fingerprint"),
                grace=wanted.get("grace"),
                live=wanted.get("live"),
                socket=wanted.get("socket"),
            )

        if wanted.get("socket"):
            make_folder(wanted["socket"])
        log, unit = self._layout.log(self.unit), self._layout.unit(self.unit)
        self._process = start(wanted, str(log), remember, str(unit))
        self._handle = open_handle(self._process)
        self._phase = "running"
        self._planned = self._ended = False
        self._listen(answered=False)

    def _failed_to_start(self, problem: OSError, now: float) -> None:
        self._remove_socket()
        self._planned = False
        self._known["process"] = None
        self._known["quick"] += 1
        self._pause(now)
        self._note(last_exit=f"could not be started: {problem.strerror}", since=time.time())

    def _advance_running(self, process: Identity, wanted: Json | None, now: float) -> float:
        if not is_alive(process):
            self._note_end(process, planned=False)
            self._phase = "clearing"
            return self._advance_ending(process, now)
        if wanted is None or wanted.get("fingerprint") != self._running.get("fingerprint"):
            return self._stop(process, now, planned=True)
        next_look = math.inf
        if self._probe is not None:
            next_look = self._probe.advance(now)
            if self._probe.answered and not self._known["answered"]:
                self._note(answered=True)
            if self._probe.failed:
                return self._stop(process, now, planned=False)
        if self._known["quick"]:
            lived = age(process)
            if lived < SETTLED:
                return min(next_look, now + SETTLED - lived)
            self._note(quick=0, state="running")
        return next_look

    def _stop(self, process: Identity, now: float, *, planned: bool) -> float:
        self._planned = planned
        self._phase = "stopping"
        self._due = now + float(self._running.get("grace") or 0.0)
        signal_session(process, signal.SIGTERM)  # first: a full disk or a removed folder must not keep it running
        self._note(state="stopping")
        return now + _LOOK

    def _advance_ending(self, process: Identity, now: float) -> float:
        if is_alive(process):
            if now < self._due:
                return self._due  # or sooner, when the handle tells of its end
            signal_session(process, signal.SIGKILL)
            return now + _LOOK
        if not self._ended:
            self._note_end(process, planned=self._planned)
        if session_members(process):
            if self._phase == "clearing" or now >= self._due:
                signal_session(process, signal.SIGKILL)
            return now + _LOOK
        self._finish(process, now)
        return now

    def _note_end(self, process: Identity, *, planned: bool) -> None:
        """Writes down how the leader ended, once; the handle would only go on telling what we know."""
        self._planned = planned
        self._ended = True
        self._close_handle()
        words = describe_end(process)
        if self._probe is not None:
            if self._probe.failed and not planned:
                words = f"{words}, after {self._running['live'][2]} failed three times ({self._probe.reason})"
            self._probe.close()
            self._probe = None
        if not planned:
            self._known["quick"] = self._known["quick"] + 1 if age(process) < SETTLED else 0
        self._known["last_exit"] = words

    def _finish(self, process: Identity, now: float) -> None:
        collect(process)
        self._remove_socket()
        self._close_handle()
        self._process = None
        self._phase = "idle"
        if self._planned:
            self._known["quick"] = 0
            self._due = now
        else:
            self._pause(now)
        self._note(process=None, since=time.time())

    def _pause(self, now: float) -> None:
        quick = self._known["quick"]
        self._due = now + pause_after(quick)
        self._known["state"] = "crash-loop" if quick >= LOOP else "starting"

    def _remove_socket(self) -> None:
        if self._running.get("socket"):
            remove_folder(self._running["socket"])

    def _close_handle(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _note(self, **changes: object) -> None:
        self._known.update(changes)
        write_json(self._layout.status(self.unit), self._known, durable=False)
