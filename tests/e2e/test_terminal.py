"""What a person sees: live progress on a terminal, plain lines elsewhere, and JSON alone on stdout."""

import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from services import corner, release
from workshop import FAIRWAY, Workshop

from fairway.adapters.load.process import Load

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[(?:\d+;)*3[0-7]m")
SHOW_CURSOR = "\x1b[?25h"
#: Parts of the picture: steps, weight, time left, requests of both revisions, latency, and evidence.
PICTURE = (
    "corner 1.0.0 → 1.1.0 in production",
    "weight 50 %",
    "left",
    "▶",
    "bake at 50 %",
    "candidate 1.1.0",
    "stable 1.0.0",
    "requests",
    "failed",
    "P99",
    "of 100",
    "The candidate failed 0 of",
)


class Terminal:
    """A command on a terminal of its own.

    Args:
        shop: where it runs.
        arguments: of `fairway`.
        size: columns and lines.
        variables: further environment variables.
        stdout: where its standard output goes; None: to the terminal too.
    """

    def __init__(
        self, shop: Workshop, *arguments: str, size: tuple[int, int], stdout: int | None = None, **variables: str
    ) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        environment = {
            name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS", "LINES"}
        }
        self.process = subprocess.Popen(
            [FAIRWAY, *arguments],
            cwd=shop.folder,
            stdin=theirs,
            stdout=theirs if stdout is None else stdout,
            stderr=theirs,
            env=environment | {"TERM": "xterm-256color"} | variables,
            start_new_session=True,
        )
        os.close(theirs)
        self._written: list[bytes] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def raw(self) -> str:
        """Everything written so far."""
        return b"".join(self._written).decode(errors="ignore")

    @property
    def text(self) -> str:
        """The same without control sequences."""
        return CONTROL.sub("", self.raw)

    def _read(self) -> None:
        # The system reports an error when the last process on the terminal has ended.
        with contextlib.suppress(OSError):
            while chunk := os.read(self._ours, 65536):
                self._written.append(chunk)

    def await_text(self, *wanted: str, seconds: float = 60) -> None:
        """Waits until all of it was written."""
        deadline = time.monotonic() + seconds
        while missing := [part for part in wanted if part not in self.text]:
            assert time.monotonic() < deadline, (missing, self.text[-3000:])
            assert self.process.poll() is None, self.text[-3000:]
            time.sleep(0.05)

    def interrupt(self) -> int:
        """Ctrl-C; returns the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.wait()

    def wait(self) -> int:
        """Returns the exit status."""
        status = self.process.wait(60)
        self._reader.join()
        return status

    def close(self) -> None:
        """Ends it, whatever became of it."""
        self.process.kill()
        self.wait()
        os.close(self._ours)


@contextlib.contextmanager
def _terminal(
    shop: Workshop, *arguments: str, size: tuple[int, int] = (80, 24), stdout: int | None = None, **variables: str
) -> Iterator[Terminal]:
    made = Terminal(shop, *arguments, size=size, stdout=stdout, **variables)
    try:
        yield made
    finally:
        made.close()


class Canary(NamedTuple):
    """A canary at 50 %, under load, that takes ten minutes if nobody skips it."""

    shop: Workshop
    run: str


@pytest.fixture(scope="module")
def canary(shared_shop: Workshop) -> Iterator[Canary]:
    shop = shared_shop
    port = corner(shop, "{kind: canary, steps: [10, 50, 100], bake: 600s}", instances=1, observe="0s")
    assert shop.deploy("1.0.0", "production").status == 0
    release(shop, "1.1.0")
    with Load(f"http://127.0.0.1:{port}/", rate=100, connections=8):
        run = shop.deploy("1.1.0", "production", "--no-wait").json["run"]
        shop.await_status("production", lambda status: status["evidence"] is not None)
        assert shop.steer("promote", run).status == 0
        shop.await_status("production", lambda status: status["weight"] == 50 and _judged(status) > 50)
        yield Canary(shop, run)
        shop.steer("abort", run)
        shop.steer("watch", run, "--timeout", "30s")


def _judged(status: dict) -> int:
    return status["evidence"]["evidence"]["candidate"]["finished"]


@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=["80-columns", "200-columns"])
def test_live_progress_is_drawn_on_a_terminal(canary: Canary, size: tuple[int, int]) -> None:
    with _terminal(canary.shop, "watch", canary.run, size=size) as terminal:
        terminal.await_text(*PICTURE)
        frames = len(_frames(terminal))
        deadline = time.monotonic() + 60
        while len(_frames(terminal)) < frames + 3:
            assert time.monotonic() < deadline, "it is not drawn anew"
            time.sleep(0.05)
        status = terminal.interrupt()
    assert status == 3
    assert "Traceback" not in terminal.text
    assert "what was started goes on" in terminal.text
    assert COLOUR.search(terminal.raw)
    assert SHOW_CURSOR in terminal.raw
    # The last picture stays, and what is said at the end follows it.
    for frame in _frames(terminal)[:-1]:
        assert max(len(line) for line in frame.splitlines()) <= size[0], frame
        assert len(frame.splitlines()) <= size[1], frame
        assert "The candidate failed" in frame


def _frames(terminal: Terminal) -> list[str]:
    """What was drawn, one picture after the other: each begins by going back to the first line of the one before."""
    parts = re.split(r"\r(?:\x1b\[1A\x1b\[2K|\x1b\[2K)+", terminal.raw)
    return [CONTROL.sub("", part) for part in parts if "corner 1.0.0 → 1.1.0" in part]


def test_without_colours_it_is_drawn_all_the_same(canary: Canary) -> None:
    with _terminal(canary.shop, "watch", canary.run, NO_COLOR="1") as terminal:
        terminal.await_text(*PICTURE)
        terminal.interrupt()
    assert not COLOUR.search(terminal.raw)
    assert "Traceback" not in terminal.text


def test_a_terminal_that_cannot_be_drawn_on_gets_plain_lines(canary: Canary) -> None:
    with _terminal(canary.shop, "watch", canary.run, TERM="dumb") as terminal:
        terminal.await_text(f"{canary.run} switch: weight 50 %: done in ")
        terminal.interrupt()
    assert "\x1b" not in terminal.raw
    assert "Traceback" not in terminal.text


def test_lines_where_there_is_no_terminal_and_json_alone_on_stdout(canary: Canary) -> None:
    answer = canary.shop.fairway("watch", canary.run, "--json", "--timeout", "0s")
    assert answer.status == 3
    assert (answer.json["run"], answer.json["weight"]) == (canary.run, 50)
    assert "\x1b" not in answer.err
    assert f"{canary.run} switch: weight 10 %: done in " in answer.err
    assert "switch: bake at 10 %: advanced in " in answer.err
    plain = canary.shop.fairway("watch", canary.run, "--timeout", "0s")
    assert plain.out == "corner 1.1.0 in production: progressing. bake at 50 %\n"


def test_progress_goes_to_the_terminal_while_the_result_goes_into_a_pipe(canary: Canary) -> None:
    ours, theirs = os.pipe()
    arguments = ("watch", canary.run, "--json", "--timeout", "1s")
    with _terminal(canary.shop, *arguments, stdout=theirs) as terminal, os.fdopen(ours) as result:
        os.close(theirs)
        assert json.load(result)["run"] == canary.run
        assert terminal.wait() == 3
    assert "candidate 1.1.0" in terminal.text
    assert '"run"' not in terminal.text


def test_deploy_draws_from_the_first_step_to_the_last(canary: Canary, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("first") / "repository"
    shop = Workshop(folder)
    try:
        corner(shop, "rolling", instances=1)
        with _terminal(shop, "deploy", "1.0.0", "--env", "production") as terminal:
            status = terminal.wait()
    finally:
        shop.close()
    assert status == 0, terminal.text
    assert "corner nothing → 1.0.0 in production" in terminal.text
    assert "first deployment" in terminal.text
    assert terminal.text.rstrip().endswith("corner 1.0.0 in production: completed. 1.0.0 is live in production")
    assert "Traceback" not in terminal.text
