"""A supervisor without processes."""

from collections.abc import Mapping
from dataclasses import replace

from fairway.domain.errors import PermanentError
from fairway.ports.supervisor import Unit, UnitState, UnitStatus


class FakeSupervisor:
    """Units that run in memory only, until told otherwise.

    Attributes:
        units: the definitions by id; to be read.
        missing: programs that do not exist.
    """

    def __init__(self) -> None:
        self.units: dict[str, Unit] = {}
        self.missing: set[str] = set()
        self._statuses: dict[str, UnitStatus] = {}
        self._next_pid = 2_000_000_000  # no process of a real machine has such a number

    def ensure_unit(self, unit: Unit) -> UnitStatus:
        """See the port."""
        if unit.argv[0] in self.missing:
            raise PermanentError("program-missing", f"The program {unit.argv[0]!r} does not exist.")
        if self.units.get(unit.id) != unit:
            self.units[unit.id] = unit
            log = f"/nowhere/{unit.id}.log"
            self._statuses[unit.id] = UnitStatus(unit.id, "running", self._pid(), 0.0, 0, "", log)
        return self._statuses[unit.id]

    def ensure_stopping(self, unit: str) -> None:
        """See the port; it is gone at once."""
        self.ensure_removed(unit)

    def ensure_removed(self, unit: str) -> None:
        """See the port."""
        self.units.pop(unit, None)
        self._statuses.pop(unit, None)

    def observe(self) -> Mapping[str, UnitStatus]:
        """See the port."""
        return dict(self._statuses)

    def end(self, unit: str, how: str, state: UnitState = "running") -> None:
        """The unit's process ended like this; it runs again at once, unless the state says otherwise."""
        status = self._statuses[unit]
        pid = self._pid() if state == "running" else None
        self._statuses[unit] = replace(
            status, state=state, pid=pid, restarts=status.restarts + (pid is not None), last_exit=how
        )

    def _pid(self) -> int:
        self._next_pid += 1
        return self._next_pid
