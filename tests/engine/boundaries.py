"""The instants at which a controller may die: numbered, before and after each effect and each write."""

from collections.abc import Callable
from typing import Any

#: The calls that change the world or the journal, by port.
EFFECTS = {
    "target": ("ensure_instances",),
    "router": ("ensure_routes",),
    "commands": ("ensure_run",),
    "database": ("dump", "load", "exchange", "drop"),
    "backups": ("keep", "replace", "remove"),
    "notifier": ("notify",),
    "store": ("start", "append", "save_evidence", "claim", "mark_delivered"),
}


class Crash(BaseException):
    """The process is dead: nothing in it may catch this."""


class Boundaries:
    """Counts them, and does at some of them what a test wants done there.

    Attributes:
        names: what was passed, in order; the number of a boundary is its index.
        marks: what the world was like there, as far as effects and writes do not tell, and how often the journal had
            been read.
        planned: what to do, by number; each is done once.
        broken: the calls that fail, as `port.method`, each with what says how; it may also say None.
        look: called at every boundary.
        mark: asked at every boundary.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.marks: list[tuple[object, int]] = []
        self.reads = 0
        self.planned: dict[int, Callable[[], None]] = {}
        self.broken: dict[str, Callable[[], Exception | None]] = {}
        self.look: Callable[[str], None] = lambda name: None
        self.mark: Callable[[], object] = lambda: None

    def pass_by(self, name: str) -> None:
        number = len(self.names)
        self.marks.append((self.mark(), self.reads))
        self.names.append(name)
        self.look(name)
        action = self.planned.pop(number, None)
        if action is not None:
            action()

    def for_deaths(self) -> list[int]:
        """The boundaries at which a death leaves another world than at the boundary before.

        Right after one effect and right before the next one the world is the same unless it changed by itself.
        """
        return [n for n in range(len(self.names)) if self._is_new(n) or self.marks[n][0] != self.marks[n - 1][0]]

    def for_facts(self) -> list[int]:
        """The boundaries at which a controller that goes on can tell a new fact from one at the boundary before.

        It cannot if it has not read the journal in between.
        """
        return [n for n in range(len(self.names)) if self._is_new(n) or self.marks[n] != self.marks[n - 1]]

    def _is_new(self, number: int) -> bool:
        return number == 0 or self.names[number].startswith("after")


class Watched:
    """A port whose effects have a boundary before and after them."""

    def __init__(self, port: str, inner: Any, boundaries: Boundaries) -> None:
        self._port, self._inner, self._boundaries = port, inner, boundaries

    def __getattr__(self, name: str) -> Any:
        method, full = getattr(self._inner, name), f"{self._port}.{name}"

        def call(*args: Any, **kwargs: Any) -> Any:
            error = self._boundaries.broken[full]() if full in self._boundaries.broken else None
            if error is not None:
                raise error
            if name not in EFFECTS[self._port]:
                self._boundaries.reads += self._port == "store"
                return method(*args, **kwargs)
            self._boundaries.pass_by(f"before {full}")
            result = method(*args, **kwargs)
            self._boundaries.pass_by(f"after {full}")
            return result

        return call
