"""Asking an instance that does not mean to answer."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from fairway.adapters.targets.local import readiness
from fairway.adapters.targets.local.readiness import ReadinessProbe
from fairway.adapters.targets.local.records import InstanceRecord


@pytest.fixture
def dripping() -> Iterator[int]:
    """The port of a server that sends a header without end, a byte every tenth of a second."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not over.wait(0.1):
                connection.sendall(b"x")

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    over.set()
    thread.join()
    listener.close()


def record(port: int, path: str | None) -> InstanceRecord:
    return InstanceRecord("1.1.0.1", "1.1.0", 1, "127.0.0.1", port, (), path, None, 30.0)


def test_an_answer_that_drips_is_given_up_in_time(dripping):
    began = time.monotonic()
    (answer,) = ReadinessProbe().ask([(record(dripping, "/ready"), os.getsid(0), 0.0)])
    assert time.monotonic() - began < 30
    assert answer.detail.endswith("was not answered: nothing came within 1 s.")
    assert not answer.pending


def test_nobody_waits_for_a_first_page_that_drips(dripping, monkeypatch):
    monkeypatch.setattr(readiness, "_FIRST_PAGE", 3.0)
    probe, asked = ReadinessProbe(), [(record(dripping, None), os.getsid(0), 0.0)]
    began = time.monotonic()
    (answer,) = probe.ask(asked)
    assert time.monotonic() - began < 3
    assert answer == (f"GET / on 127.0.0.1:{dripping} has not been answered yet.", False, True)
    while answer.pending:
        assert time.monotonic() - began < 60
        (answer,) = probe.ask(asked)
    assert answer.detail.endswith("was not answered: nothing came within 3 s.")
    (answer,) = probe.ask(asked)
    assert not answer.pending, "what is known stays known while it is asked again"


def test_a_first_page_that_takes_its_time_is_readiness_once_it_is_there():
    listener = socket.create_server(("127.0.0.1", 0))
    asked = [(record(listener.getsockname()[1], None), os.getsid(0), 7.0)]
    probe = ReadinessProbe()
    (answer,) = probe.ask(asked)
    assert answer.pending
    assert not probe.has_seen_ready("1.1.0.1", os.getsid(0), 7.0)
    connection, _ = listener.accept()
    with listener, connection:
        connection.sendall(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")
        began = time.monotonic()
        while answer.detail:
            assert time.monotonic() - began < 60
            (answer,) = probe.ask(asked)
        assert probe.has_seen_ready("1.1.0.1", os.getsid(0), 7.0)
        (answer,) = probe.ask(asked)  # a connection is enough from now on
        assert answer.detail == ""
