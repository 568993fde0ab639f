"""What the tests of the supervisor and of the local target share: fixtures, to be imported by name."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fairway.adapters.supervisor.client import SupervisorClient
from fairway.adapters.supervisor.files import Layout
from fairway.adapters.supervisor.loop import find_supervisor
from fairway.adapters.supervisor.processes import is_alive

WEB_APP = Path(__file__).parents[1] / "apps" / "web.py"


def wait_until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Returns as soon as the condition holds; fails the test if it does not within the time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain"
        time.sleep(0.005)


def kill_supervisor(folder: Path) -> None:
    """kill -9 of the folder's supervisor, if one runs; returns when it has ended."""
    process = find_supervisor(Layout(folder))
    if process:
        os.kill(process.pid, signal.SIGKILL)
        wait_until(lambda: not is_alive(process))


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[SupervisorClient]:
    """A client whose supervisor works in `tmp_path / "supervisor"`; everything it started is ended afterwards."""
    folder = tmp_path / "supervisor"
    client = SupervisorClient(folder)
    yield client
    for unit in client.observe():
        client.ensure_removed(unit)
    kill_supervisor(folder)
