"""The instants at which a controller may die: numbered, before and after each effect and each write."""

from collections.abc import Callable
from typing import Any

#: The calls that change the world or the journal, by port.
EFFECTS = {
    "target": ("ensure_instances",),
    "router": ("ensure_routes",),
    "commands": ("ensure_run",),
    "notifier": ("notify",),
    "store": ("start", "append", "save_evidence", "claim", "mark_delivered"),
}


class Crash(BaseException):
    """The process is dead: nothing in it may catch this."""


class Boundaries:
    """Counts them, and does at some of them what a test wants done there.

    Attributes:
        names: what was passed, in order; the number of a boundary is its index.
        marks: what the world was like there, as far as effects and writes do not tell.
        planned: what to do, by number; each is done once.
        broken: the calls that fail, as `port.method`, each with what says how; it may also say None.
        look: called at every boundary.
        mark: asked at every boundary.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.marks: list[object] = []
        self.planned: dict[int, Callable[[], None]] = {}
        self.broken: dict[str, Callable[[], Exception | None]] = {}
        self.look: Callable[[str], None] = lambda name: None
        self.mark: Callable[[], object] = lambda: None

    def pass_by(self, name: str) -> None:
        number = len(self.names)
        self.marks.append(self.mark())
        self.names.append(name)
        self.look(name)
        action = self.planned.pop(number, None)
        if action is not None:
            action()

    def distinct(self) -> list[int]:
        """The boundaries at which a death leaves another world than at the boundary before.

        Right after one effect and right before the next one the world is the same unless it changed by itself.
        """
        numbers = range(len(self.names))
        return [n for n in numbers if self.names[n].startswith("after") or n == 0 or self.marks[n] != self.marks[n - 1]]


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
                return method(*args, **kwargs)
            self._boundaries.pass_by(f"before {full}")
            result = method(*args, **kwargs)
            self._boundaries.pass_by(f"after {full}")
            return result

        return call
