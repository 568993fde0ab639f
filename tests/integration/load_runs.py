"""Runs of the load generator in tests."""

import subprocess
import sys
import time
from contextlib import contextmanager

from fairway.adapters.load.process import Load
from fairway.adapters.load.report import Report

COMMAND = [sys.executable, "-m", "fairway.adapters.load"]


def load(url: str, *, rate: float = 1000.0, count: int = 100, connections: int = 4, options: tuple = ()) -> Report:
    """A number of requests rather than a time, so that a busy machine changes nothing."""
    options = ("--count", str(count), *options)
    with Load(url, rate=rate, connections=connections, options=options, niceness=10) as run:
        return run.wait()


def load_for(url: str, seconds: float, *, rate: float, connections: int = 4, options: tuple = ()) -> Report:
    with Load(url, rate=rate, duration=seconds, connections=connections, options=options, niceness=10) as run:
        return run.wait()


@contextmanager
def generator(*arguments: str, **settings):
    with subprocess.Popen([*COMMAND, *arguments, "--json"], stdout=subprocess.PIPE, text=True, **settings) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(condition, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
