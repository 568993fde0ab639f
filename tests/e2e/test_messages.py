"""What receivers are told of runs: by a webhook and by a command, once each, also by a receiver that was away."""

import base64
import contextlib
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from services import DEAD, configure, environment, release
from workshop import Workshop, free_port

from fairway.adapters.load.process import Load

SECRET = base64.b64encode(bytes(range(32))).decode()
#: Keeps what a command gets: its variables in one line, its standard input in the next.
TELL = """#!/bin/sh
{{ echo "$FAIRWAY_EVENT|$FAIRWAY_KEY|$FAIRWAY_TEXT"; cat; echo; }} >> {told}
"""


class Receiver:
    """What a webhook got: headers and body of each request, as bytes; answers with `status`."""

    def __init__(self) -> None:
        self.status = 204
        self.got: list[tuple[dict[str, str], bytes]] = []

    def messages(self, run: str) -> list[dict[str, Any]]:
        """The messages about a run that were accepted, in order of arrival."""
        return [message for message in (json.loads(body) for _, body in self.got) if message["run"] == run]


@contextlib.contextmanager
def _serving(receiver: Receiver, port: int) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            if receiver.status < 300:
                receiver.got.append((headers, body))
            self.send_response(receiver.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def test_messages_are_delivered_once_and_in_order_also_to_a_receiver_that_was_away(
    shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", f"whsec_{SECRET}")
    hook, told, port = free_port(), tmp_path / "told", free_port()
    receiver = Receiver()
    _write(shop, hook, told, port)
    release(shop, "1.0.0")
    first = shop.fairway("deploy", "1.0.0", "--env", "production", "--reason", "the first one", "--json")
    assert first.status == 0, first.err
    assert _await_told(told, first.json["run"], "completed") == ["started", "promoted", "completed"]

    with _serving(receiver, hook):
        receiver.status = 503
        release(shop, "1.1.0", DEAD)
        with Load(f"http://127.0.0.1:{port}/", rate=150, connections=8) as users:
            second = shop.deploy("1.1.0", "production")
            assert users.stop().failed == 0
        assert (second.status, second.json["verdict"]) == (1, "failed"), second.err
        receiver.status = 204
        _await_got(receiver, second.json["run"], "rolled-back")
        _await_told(told, second.json["run"], "rolled-back")

    about_first, about_second = (receiver.messages(answer.json["run"]) for answer in (first, second))
    assert [message["event"] for message in about_first] == ["started", "promoted", "completed"]
    assert [message["event"] for message in about_second] == ["started", "rolling-back", "rolled-back"]
    _check_content(first.json, about_first[0])
    assert "deploy started by" in about_first[0]["text"]
    assert "the first one" in about_first[0]["text"]
    assert second.json["reason"] in about_second[1]["text"]
    assert [message["severity"] for message in about_second] == ["info", "critical", "critical"]
    _check_signatures(receiver)
    _check_command(told, [*about_first, *about_second])


def _write(shop: Workshop, hook: int, told: Path, port: int) -> None:
    tell = shop.folder / "tell.sh"
    tell.write_text(TELL.format(told=told))
    tell.chmod(0o755)
    head = (
        "notify:\n"
        f'  - {{kind: webhook, url: "http://127.0.0.1:{hook}/hook", secret_variable: HOOK_SECRET}}\n'
        "  - {kind: command, run: ./tell.sh}\n"
        f"  - {{kind: command, run: sh -c 'echo $FAIRWAY_EVENT >> {told}.ends', events: [completed, rolled-back]}}\n"
    )
    canary = "{kind: canary, steps: [50, 100], bake: 60s}"
    production = environment("production", port, canary, instances=1)
    (shop.folder / "fairway.yaml").write_text(configure(production, head=head))


def _check_content(report: dict[str, Any], message: dict[str, Any]) -> None:
    assert set(message) == {
        "event",
        "severity",
        "service",
        "environment",
        "run",
        "kind",
        "release",
        "digest",
        "actor",
        "at",
        "text",
    }
    assert (message["severity"], message["service"], message["environment"]) == ("info", "corner", "production")
    assert (message["kind"], message["release"]) == ("deploy", "1.0.0")
    assert (message["run"], message["digest"], message["actor"]) == (report["run"], report["digest"], report["actor"])
    assert abs(message["at"] - time.time()) < 120


def _check_signatures(receiver: Receiver) -> None:
    """Every message has a key of its own, and the signature that the shared secret gives."""
    keys = [headers["idempotency-key"] for headers, _ in receiver.got]
    assert len(set(keys)) == len(keys) == 6
    for headers, body in receiver.got:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.new(base64.b64decode(SECRET), signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"
        assert headers["content-type"] == "application/json"


def _check_command(told: Path, messages: list[dict[str, Any]]) -> None:
    """The command got the same messages, on its standard input and in part as variables."""
    assert [content for _, content in _told(told)] == messages
    for (event, _, text), content in _told(told):
        assert (event, text) == (content["event"], content["text"])
    keys = [key for (_, key, _), _ in _told(told)]
    assert len(set(keys)) == len(keys)
    assert Path(f"{told}.ends").read_text().split() == ["completed", "rolled-back"]


def _told(told: Path) -> list[tuple[list[str], dict[str, Any]]]:
    lines = told.read_text().splitlines() if told.exists() else []
    return [(said.split("|", 2), json.loads(content)) for said, content in zip(lines[::2], lines[1::2], strict=False)]


def _await_told(told: Path, run: str, last: str) -> list[str]:
    return _await(lambda: [message["event"] for _, message in _told(told) if message["run"] == run], last)


def _await_got(receiver: Receiver, run: str, last: str) -> list[str]:
    return _await(lambda: [message["event"] for message in receiver.messages(run)], last)


def _await(events: Any, last: str) -> list[str]:
    deadline = time.monotonic() + 60
    while last not in (found := events()):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return list(found)
