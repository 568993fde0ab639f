"""The supervisor's one loop: look at the folder, do what is due, wait for the next thing to happen."""

import fcntl
import os
import select
import time

from fairway.adapters.supervisor.files import Json, Layout, read_json, write_json
from fairway.adapters.supervisor.keeper import Keeper
from fairway.adapters.supervisor.logs import LogKeeper
from fairway.adapters.supervisor.orphans import list_orphans
from fairway.adapters.supervisor.processes import Identity, identify, is_alive

_POLL = 1.0  # seconds between looks at the folder when the doorbell is silent
_AGAIN = 1.0  # seconds until what the system refused is tried again


class Definitions:
    """The units' definitions, read again only when their file changed."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._read: dict[str, tuple[tuple[int, int], Json | None]] = {}

    def find(self, unit: str) -> Json | None:
        """The definition of the unit; None if it has none, or one that cannot be understood."""
        path = self._layout.unit(unit)
        try:
            status = path.stat()
        except FileNotFoundError:
            self._read.pop(unit, None)
            return None
        version = (status.st_ino, status.st_mtime_ns)
        if unit not in self._read or self._read[unit][0] != version:
            self._read[unit] = (version, read_json(path))
        return self._read[unit][1]


class SupervisorLoop:
    """Makes the processes of this machine agree with the units in the folder.

    Args:
        layout: the folder.
        held: the descriptor of its lock, which this process holds.
        linger: seconds with nothing to do before it ends.
    """

    def __init__(self, layout: Layout, held: int, *, linger: float) -> None:
        self._layout = layout
        self._held = os.fstat(held)
        self._linger = linger
        self._definitions = Definitions(layout)
        self._keepers: dict[str, Keeper] = {}
        # Once: what is started from now on is known. They wait here until their unit is wanted again.
        self._orphans = {one.unit: one for one in list_orphans(layout)}
        self._logs = LogKeeper(layout.logs)
        self._doorbell = os.open(layout.doorbell, os.O_RDWR | os.O_NONBLOCK)  # both ends: it never reports a hang-up

    def run(self) -> None:
        """Returns once there has been nothing to do for a while, or another folder lies in the place of its own."""
        busy = time.monotonic()
        while not self._is_replaced():
            now = time.monotonic()
            due = self._advance(now)
            if any(not keeper.resting for keeper in self._keepers.values()):
                busy = now
                self._wait(due)
            elif now - busy >= self._linger and self._withdraw():
                return
            else:
                self._wait(min(due, busy + self._linger))

    def _is_replaced(self) -> bool:
        """Whether the folder was moved away and made anew: what lies there is its new supervisor's to keep."""
        try:
            return not os.path.samestat(self._held, self._layout.lock.stat())
        except OSError:
            return False

    def _advance(self, now: float) -> float:
        units = {*self._layout.list_units(), *self._layout.list_statuses(), *self._keepers}
        due = min(now + _POLL, self._logs.advance(now))
        for unit in sorted(units):
            if unit not in self._keepers:
                self._keepers[unit] = Keeper(unit, self._layout, self._orphans.pop(unit, None))
            again = self._advance_unit(unit, now)
            if again is None:
                del self._keepers[unit]
            else:
                due = min(due, again)
        return due

    def _advance_unit(self, unit: str, now: float) -> float | None:
        halted = self._layout.is_halted(unit)
        wanted = self._definitions.find(unit)
        try:
            again = self._keepers[unit].advance(wanted, halted=halted, now=now)
            while again is not None and again <= now:
                again = self._keepers[unit].advance(wanted, halted=halted, now=now)
        except OSError as problem:
            # A full disk or table must not end the watch over everybody else.
            print(f"{unit}: {problem}", flush=True)  # noqa: T201 its own log
            return now + _AGAIN
        return again

    def _wait(self, due: float) -> None:
        poller = select.poll()
        poller.register(self._doorbell, select.POLLIN)
        for keeper in self._keepers.values():
            for descriptor, events in keeper.interests:
                poller.register(descriptor, events)
        left = max(0.0, due - time.monotonic())
        for descriptor, _ in poller.poll(left * 1000):
            if descriptor == self._doorbell:
                os.read(self._doorbell, 65536)

    def announce(self) -> None:
        """Lets clients see who supervises."""
        present = identify(os.getpid())
        write_json(self._layout.supervisor, {"process": list(present or ())}, durable=False)

    def _withdraw(self) -> bool:
        """Takes the announcement back, and looks once more.

        A client writes first and then looks for a supervisor. So either its unit is seen here, or it sees that there
        is none and starts one, which waits for the lock.
        """
        self._layout.supervisor.unlink(missing_ok=True)
        self._advance(time.monotonic())
        if any(not keeper.resting for keeper in self._keepers.values()):
            self.announce()
            return False
        return True


def find_supervisor(layout: Layout) -> Identity | None:
    """The process that supervises the folder now, None if there is none."""
    announced = read_json(layout.supervisor)
    process = Identity(*announced["process"]) if announced else None
    return process if process and is_alive(process) else None


def lock(layout: Layout, patience: float) -> int | None:
    """Takes the folder's lock; None if another supervisor has it and lives.

    Args:
        layout: the folder.
        patience: seconds to wait for one that is about to end, or has only just begun.
    """
    descriptor = os.open(layout.lock, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if find_supervisor(layout) or time.monotonic() > deadline:
                os.close(descriptor)
                return None
            time.sleep(0.01)
        else:
            return descriptor
