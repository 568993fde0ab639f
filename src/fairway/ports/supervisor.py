"""What keeps processes of this machine alive while nobody looks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

UnitState = Literal["starting", "running", "stopping", "crash-loop", "stopped"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A process that should run until it is removed.

    Attributes:
        id: unique within one supervisor, of `[a-z0-9.-]`.
        argv: program and arguments; the program is an absolute path or is looked up in the unit's PATH.
        folder: working folder, absolute.
        variables: its whole environment.
        grace: seconds between SIGTERM and SIGKILL, both to the whole process group.
        live: `(host, port, path)` whose failure three times in a row, a second apart, means a restart; None: not asked.
            Asked only after it has answered once. In place of a host, with port 0, may stand the path of a Unix socket.
        socket: absolute path of the Unix socket that the process listens on, in a folder of the unit's own; None: no
            matter. The folder is there, empty and for the owner only, at each start, and is removed when the process
            has ended. A folder that belongs to somebody else is never used: the unit is not started then.
    """

    id: str
    argv: tuple[str, ...]
    folder: str
    variables: tuple[tuple[str, str], ...]
    grace: float = 10.0
    live: tuple[str, int, str] | None = None
    socket: str | None = None


@dataclass(frozen=True, slots=True)
class UnitStatus:
    """A unit as observed.

    Attributes:
        state: `crash-loop` when it ended within ten seconds of its start three times in a row; it is still tried again,
            with a growing pause of up to 30 s.
        pid: the present process, None if none runs.
        since: seconds since the epoch, UTC, of the present process's start, or of the last change if none runs.
        restarts: starts after the first one.
        last_exit: how the last process ended, in words, empty if none did.
        log: path of the file that its output goes to; what is older lies beside it with `.1` (youngest), `.2`, … added.
            The files stay when the unit is removed: who removes it removes them when it needs them no more.
    """

    id: str
    state: UnitState
    pid: int | None
    since: float
    restarts: int
    last_exit: str
    log: str


class Supervisor(Protocol):
    """Keeps units running, across its own death and that of its caller.

    A unit outlives whoever asked for it and the supervisor itself, which finds it again by pid and start time, so that
    no stranger is ever signalled. The units that should run are files: a supervisor that starts anew, after a reboot
    too, brings them back.
    """

    def ensure_unit(self, unit: Unit) -> UnitStatus:
        """Makes the unit run; a changed definition restarts it, the same one changes nothing. Starts the supervisor.

        Raises:
            PermanentError: the program does not exist or may not be run.
            TransientError: the supervisor did not answer in time.
        """
        ...

    def ensure_stopping(self, unit: str) -> None:
        """Has the unit's whole process group stopped (SIGTERM, grace, SIGKILL) and the unit forgotten; returns at once.

        Until it is gone it is observed as `stopping`, whoever dies meanwhile.
        """
        ...

    def ensure_removed(self, unit: str) -> None:
        """The same, but returns when it is gone."""
        ...

    def observe(self) -> Mapping[str, UnitStatus]:
        """All units by id, as they are now; works without a running supervisor as well."""
        ...
