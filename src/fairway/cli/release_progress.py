"""A release as it goes: a picture with the output above it on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from fairway.cli.output import note, seconds
from fairway.domain.pipeline.release import Release

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

_MARKS = {"waiting": "·", "running": "▶", "done": "✓", "failed": "✗", "errored": "✗"}
_STYLES = {"waiting": "dim", "running": "bold", "done": "green", "failed": "red", "errored": "red"}


class Progress(Protocol):
    """What a release is shown by; `log` and `wait` are called from several threads."""

    def show(self, release: Release, at: float) -> None:
        """The state, now."""
        ...

    def log(self, task: str, line: str) -> None:
        """A line of a task's output."""
        ...

    def wait(self, task: str, why: str) -> None:
        """What a task waits for."""
        ...


@contextmanager
def progress_of(release: Release) -> Iterator[Progress]:
    """The progress that suits where it is shown."""
    from fairway import bootstrap

    if not sys.stderr.isatty() or bootstrap.is_dumb_terminal():
        yield Lines(release)
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, highlight=False)
    with Live(console=console, refresh_per_second=8) as live:
        yield Screen(live)


class Lines:
    """A line for each thing that happened, and for each line of output."""

    def __init__(self, release: Release) -> None:
        self._id = release.id
        self._told = {name: (one.tries, str(one.phase)) for name, one in release.tasks.items()}
        self._waits: dict[str, str] = {}
        self._lock = Lock()
        note(f"{release.id} {release.plan.service} {release.plan.version}, {len(release.plan.tasks)} tasks")

    def show(self, release: Release, at: float) -> None:  # noqa: ARG002 -- lines need no clock
        """Tells of the tasks that stand otherwise than the last time."""
        for task in release.plan.tasks:
            state = release.tasks[task.id]
            now = (state.tries, str(state.phase))
            if self._told[task.id] == now:
                continue
            self._told[task.id] = now
            took = f" in {seconds(state.finished - state.started)}" if state.finished and state.started else ""
            if state.phase == "running":
                self._say(f"{self._id} {task.stage} {task.id}: started: {task.action.title}")
            elif state.phase != "waiting":
                detail = f". {state.detail}" if state.detail else ""
                self._say(f"{self._id} {task.stage} {task.id}: {state.phase}{took}{detail}")

    def log(self, task: str, line: str) -> None:
        """A line of output, behind the task's name."""
        self._say(f"{task} | {line}")

    def wait(self, task: str, why: str) -> None:
        """Each reason once."""
        if self._waits.get(task) != why:
            self._waits[task] = why
            self._say(f"{self._id} {task}: {why}")

    def _say(self, text: str) -> None:
        with self._lock:
            note(text)


class Screen:
    """All tasks at a glance; output scrolls by above them."""

    def __init__(self, live: "Live") -> None:
        self._live = live
        self._waits: dict[str, str] = {}

    def show(self, release: Release, at: float) -> None:
        """Draws the state anew."""
        self._live.update(self._draw(release, at))

    def log(self, task: str, line: str) -> None:
        """A line of output, behind the task's name."""
        from rich.text import Text

        self._live.console.print(Text.assemble((f"{task} │ ", "dim"), Text.from_ansi(line)))

    def wait(self, task: str, why: str) -> None:
        """What a task waits for, beside it."""
        self._waits[task] = why

    def _draw(self, release: Release, at: float) -> "RenderableType":
        from rich.table import Table
        from rich.text import Text

        plan = release.plan
        grid = Table(
            title=f"{plan.service} {plan.version}  {release.id}: {release.phase}", title_justify="left", box=None
        )
        for name in ("stage", "", "task", "took", ""):
            grid.add_column(name, no_wrap=True, overflow="ellipsis")
        for task in plan.tasks:
            state = release.tasks[task.id]
            style = _STYLES[state.phase]
            end = state.finished if state.finished is not None else at
            took = seconds(end - state.started) if state.started is not None else ""
            about = self._waits.get(task.id, "") if state.phase == "running" else state.detail.partition("\n")[0]
            cells = (task.stage, _MARKS[state.phase], task.id, took, about or task.action.title)
            grid.add_row(*(Text(cell, style=style) for cell in cells))
        return grid
