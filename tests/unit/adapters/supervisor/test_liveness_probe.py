import socket
from typing import ClassVar

import pytest

from fairway.adapters.supervisor.liveness import FAILURES, INTERVAL, PATIENCE, LivenessProbe


@pytest.fixture(autouse=True)
def probes():
    """All that the dialogues of a test made."""
    yield Dialogue.probes
    while Dialogue.probes:
        Dialogue.probes.pop().close()


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(5)
        yield listening


class Dialogue:
    """A probe, the server that it asks, and a clock that only the test moves."""

    probes: ClassVar[list[LivenessProbe]] = []

    def __init__(self, server, path="/live"):
        self.server = server
        where = server.getsockname() if server.family == socket.AF_INET else (server.getsockname(), 0)
        self.probe = LivenessProbe((*where, path), answered=False)
        self.probes.append(self.probe)
        self.now = 100.0

    def ask(self):
        """Lets the probe ask; returns the connection and what it was asked."""
        self.now = self.probe.advance(self.now)  # opens the connection
        self.now -= PATIENCE
        connection, _ = self.server.accept()
        connection.settimeout(5)
        self.probe.advance(self.now)  # sends
        return connection, connection.recv(4096)

    def answer(self, text):
        connection, question = self.ask()
        with connection:
            connection.sendall(text)
            while self.probe.interest:
                self.probe.advance(self.now)
        self.now += INTERVAL
        return question


def test_it_asks_for_the_path_and_a_second_later_again(server):
    dialogue = Dialogue(server, "/health/live?x=1")
    assert dialogue.answer(b"HTTP/1.1 200 OK\r\n\r\n").startswith(b"GET /health/live?x=1 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert dialogue.probe.answered
    assert dialogue.probe.advance(dialogue.now - 0.01) == dialogue.now
    assert dialogue.probe.interest is None


@pytest.mark.parametrize(("status", "is_alive"), [("200", True), ("204", True), ("302", True), ("404", False)])
def test_2xx_and_3xx_are_signs_of_life(server, status, is_alive):
    dialogue = Dialogue(server)
    dialogue.answer(f"HTTP/1.1 {status} X\r\n\r\n".encode())
    assert dialogue.probe.answered is is_alive


def test_failures_count_only_after_it_answered_once_and_only_in_a_row(server):
    dialogue = Dialogue(server)
    bad, good = b"HTTP/1.1 500 X\r\n\r\n", b"HTTP/1.1 200 X\r\n\r\n"
    for _ in range(FAILURES + 1):
        dialogue.answer(bad)
    assert not dialogue.probe.failed
    dialogue.answer(good)
    for answer in (bad, bad, good, bad, bad):
        dialogue.answer(answer)
        assert not dialogue.probe.failed
    dialogue.answer(bad)
    assert dialogue.probe.failed
    assert dialogue.probe.reason == "status 500"


def test_an_answer_in_pieces_is_put_together(server):
    dialogue = Dialogue(server)
    connection, _ = dialogue.ask()
    with connection:
        connection.sendall(b"HTTP/1.1 2")
        dialogue.probe.advance(dialogue.now)
        assert dialogue.probe.interest
        connection.sendall(b"00 OK\r\n")
        while dialogue.probe.interest:
            dialogue.probe.advance(dialogue.now)
    assert dialogue.probe.answered


def test_silence_is_a_failure_after_two_seconds(server):
    dialogue = Dialogue(server)
    dialogue.answer(b"HTTP/1.1 200 OK\r\n\r\n")
    connection, _ = dialogue.ask()
    with connection:
        dialogue.probe.advance(dialogue.now + PATIENCE - 0.01)
        assert dialogue.probe.interest
        dialogue.probe.advance(dialogue.now + PATIENCE)
        assert dialogue.probe.reason == "no answer in time"
        assert dialogue.probe.interest is None


def test_nobody_listening_and_hanging_up_are_failures(server):
    dialogue = Dialogue(server)
    dialogue.answer(b"HTTP/1.1 200 OK\r\n\r\n")
    connection, _ = dialogue.ask()
    connection.close()
    while dialogue.probe.interest:
        dialogue.probe.advance(dialogue.now)
    assert dialogue.probe.reason
    server.close()
    closed = LivenessProbe(("127.0.0.1", 1, "/"), answered=True)
    closed.advance(0.0)
    closed.advance(0.0)
    closed.close()
    assert closed.reason in {"Connection refused", "Broken pipe"}


def test_a_unix_socket_is_asked_by_the_name_that_every_application_knows(tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        server.listen()
        server.settimeout(5)
        dialogue = Dialogue(server, "/live")
        asked = dialogue.answer(b"HTTP/1.1 200 OK\r\n\r\n")
        assert asked.startswith(b"GET /live HTTP/1.1\r\nHost: localhost\r\n")
        assert dialogue.probe.answered


def test_who_still_writes_its_answer_when_the_status_is_known_gets_no_error(tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        server.listen()
        server.settimeout(5)
        dialogue = Dialogue(server)
        connection, _ = dialogue.ask()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while dialogue.probe.interest:
                dialogue.probe.advance(dialogue.now)
            connection.sendall(b"and the rest")
