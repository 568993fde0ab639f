"""Asking an instance that does not mean to answer."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from fairway.adapters.targets.local import readiness
from fairway.adapters.targets.local.readiness import TIMEOUT, ReadinessProbe
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


@pytest.mark.parametrize("path", ["/ready", None])
def test_an_answer_that_drips_is_given_up_in_time(path, dripping, monkeypatch):
    monkeypatch.setattr(readiness, "_FIRST_PAGE", TIMEOUT)
    record = InstanceRecord("1.1.0.1", "1.1.0", 1, "127.0.0.1", dripping, (), path, None, 30.0)
    began = time.monotonic()
    (answer,) = ReadinessProbe().ask([(record, os.getsid(0), 0.0)])
    assert time.monotonic() - began < TIMEOUT + 0.5
    assert answer.detail.endswith("was not answered: nothing came within 1 s.")
