"""Messages to real HTTP servers and to real commands."""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fairway.adapters.notifiers import CommandNotifier, WebhookNotifier
from fairway.adapters.notifiers.webhook import sign
from fairway.domain.errors import PermanentError, TransientError
from servers import http_server, raw_server, unused_address

MESSAGE = {"event": "rolled-back", "service": "shop", "environment": "production", "run": "r-1", "text": "shop is back"}
KEY = "r-1.12.0"
SECRET = b"0123456789abcdef0123456789abcdef"
WHSEC = "whsec_" + base64.b64encode(SECRET).decode()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server():
    with http_server() as server:
        yield server


def problem_of(notifier, kind):
    with pytest.raises(kind) as caught:
        notifier.notify(KEY, MESSAGE)
    assert type(caught.value) is kind
    assert caught.value.message.endswith(".")
    return caught.value


class TestWebhook:
    def test_a_request_says_what_it_is_and_when_it_was_sent(self, server):
        WebhookNotifier(url=f"{server.url}/hook?x=1", headers={"X-Team": "shop"}, clock=lambda: 1_700_000_000.9).notify(
            KEY, MESSAGE
        )
        (request,) = server.requests
        assert (request.method, request.path) == ("POST", "/hook?x=1")
        assert json.loads(request.body) == MESSAGE
        expected = {
            "content-type": "application/json",
            "idempotency-key": KEY,
            "webhook-id": "r-1_12_0",
            "webhook-timestamp": "1700000000",
            "x-team": "shop",
            "user-agent": "fairway",
        }
        assert expected.items() <= request.headers.items()
        assert not {"webhook-signature", "authorization"} & request.headers.keys()

    def test_a_signature_is_what_the_receiver_computes_from_what_it_got(self, server):
        environment = {"HOOK_SECRET": WHSEC, "HOOK_AUTH": "Bearer hush"}
        notifier = WebhookNotifier(
            url=server.url,
            secret_variable="HOOK_SECRET",
            authorization_variable="HOOK_AUTH",
            environment=environment,
        )
        notifier.notify(KEY, MESSAGE)
        headers, body = server.requests[0].headers, server.requests[0].body
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"
        assert headers["authorization"] == "Bearer hush"

    def test_a_signature_agrees_with_the_published_example(self):
        """The test vector of the Standard Webhooks libraries."""
        secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        signature = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
        assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    @pytest.mark.parametrize("status", [200, 201, 202, 204])
    def test_any_2xx_is_delivered(self, server, status):
        server.status = status
        WebhookNotifier(url=server.url).notify(KEY, MESSAGE)
        assert len(server.requests) == 1

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422])
    def test_a_refusal_is_permanent_and_says_what_the_receiver_said(self, server, status):
        server.status, server.body = status, b'{"error":\n "no such channel"}'
        problem = problem_of(WebhookNotifier(url=f"{server.url}/hook"), PermanentError)
        assert problem.message.startswith(f"The webhook at {server.url} answered with status {status}")
        assert "no such channel" in problem.message

    @pytest.mark.parametrize("status", [301, 307, 408, 425, 429, 500, 502, 503, 504])
    def test_what_may_pass_is_transient_and_no_redirect_is_followed(self, server, status):
        server.status, server.headers = status, {"Location": f"{server.url}/other"}
        assert str(status) in problem_of(WebhookNotifier(url=f"{server.url}/hook"), TransientError).message
        assert [one.path for one in server.requests] == ["/hook"]

    def test_nobody_listening_is_transient(self):
        address = unused_address()
        assert address in problem_of(WebhookNotifier(url=f"http://{address}/"), TransientError).message

    @pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 500 Oh\r\n\r\n"])
    def test_one_time_limit_holds_for_all_of_an_answer_that_drips(self, head):
        def serve(connection, stop):
            connection.sendall(head)
            while not stop.wait(0.05):
                connection.sendall(b"X-Drip: 1\r\n" if head else b"")

        with raw_server(serve) as address:
            begun = time.monotonic()
            problem = problem_of(WebhookNotifier(url=f"http://{address}/", timeout=0.3), TransientError)
            assert time.monotonic() - begun < 30
        assert problem.message == f"The webhook at http://{address} did not answer within 0.3 s."

    @pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n"])
    def test_what_is_no_answer_is_transient(self, answer):
        with raw_server(lambda connection, stop: connection.sendall(answer)) as address:
            problem_of(WebhookNotifier(url=f"http://{address}/"), TransientError)

    def test_a_secret_url_shows_in_no_error_and_in_no_log(self, server, caplog):
        caplog.set_level("INFO")
        environment = {"HOOK_URL": f"{server.url}/T0/hush-4711?token=hush-4711"}
        notifier = WebhookNotifier(url_variable="HOOK_URL", environment=environment)
        notifier.notify(KEY, MESSAGE)
        server.status = 404
        problem = problem_of(notifier, PermanentError)
        assert "hush" not in f"{problem.message} {problem.hint} {caplog.text}"
        assert [one.path for one in server.requests] == ["/T0/hush-4711?token=hush-4711"] * 2

    @pytest.mark.parametrize(
        ("environment", "words"),
        [
            ({}, "'HOOK_SECRET' with the webhook's secret is not set"),
            ({"HOOK_SECRET": " "}, "'HOOK_SECRET' with the webhook's secret is not set"),
            ({"HOOK_SECRET": "hush"}, "'HOOK_SECRET' does not hold whsec_"),
            ({"HOOK_SECRET": "whsec_aHVzaA=="}, "'HOOK_SECRET' does not hold whsec_"),
            ({"HOOK_SECRET": "whsec_hush!"}, "'HOOK_SECRET' does not hold whsec_"),
            ({"HOOK_SECRET": WHSEC, "HOOK_AUTH": "hush\r\nX: y"}, "'HOOK_AUTH' does not hold"),
            ({"HOOK_SECRET": WHSEC, "HOOK_AUTH": "x", "HOOK_URL": "hush"}, "'HOOK_URL' does not hold"),
            ({"HOOK_SECRET": WHSEC, "HOOK_AUTH": "x", "HOOK_URL": "ftp://hush/"}, "'HOOK_URL' does not hold"),
        ],
    )
    def test_a_message_waits_for_its_secrets_and_goes_nowhere_without(self, server, environment, words):
        settings = {"secret_variable": "HOOK_SECRET", "url": server.url}
        if "HOOK_AUTH" in environment:
            settings["authorization_variable"] = "HOOK_AUTH"
        if "HOOK_URL" in environment:
            settings |= {"url": None, "url_variable": "HOOK_URL"}
        problem = problem_of(WebhookNotifier(**settings, environment=environment), TransientError)
        assert words in problem.message
        assert "hush" not in problem.message
        assert server.requests == []

    @pytest.mark.parametrize("url", ["chat.example/hook", "ftp://chat.example/", "http://", "http://[::1/hook"])
    def test_a_url_that_is_none_is_permanent(self, url):
        assert problem_of(WebhookNotifier(url=url), PermanentError).code == "webhook-url"


class TestCommand:
    def test_a_command_runs_in_the_folder_and_sees_the_message_and_little_else(self, tmp_path, monkeypatch):
        monkeypatch.setenv("SECRET_OF_THE_CONTROLLER", "x")
        CommandNotifier(run="sh -c 'cat > stdin; env -0 > env'", folder=tmp_path).notify(KEY, MESSAGE)
        assert json.loads((tmp_path / "stdin").read_bytes()) == MESSAGE
        seen = dict(pair.split("=", 1) for pair in (tmp_path / "env").read_text().split("\0") if pair)
        own = {"FAIRWAY_EVENT": "rolled-back", "FAIRWAY_TEXT": "shop is back", "FAIRWAY_KEY": KEY}
        assert own.items() <= seen.items()
        assert seen.keys() <= own.keys() | {"PATH", "HOME", "LANG", "TZ", "PWD", "SHLVL", "_", "OLDPWD"}

    def test_a_failure_is_transient_and_says_the_last_lines(self, tmp_path):
        run = "sh -c 'seq 1 100; echo the chat is down >&2; exit 7'"
        problem = problem_of(CommandNotifier(run=run, folder=tmp_path), TransientError)
        assert problem.message == (
            f"The command {run!r} ended with status 7: 92\n93\n94\n95\n96\n97\n98\n99\n100\nthe chat is down."
        )

    def test_a_command_that_takes_too_long_is_ended_with_all_that_it_started(self, tmp_path):
        run = "sh -c 'trap \"\" TERM; sleep 60 & echo $! $$ > pids; echo waiting; wait'"
        begun = time.monotonic()
        problem = problem_of(CommandNotifier(run=run, folder=tmp_path, timeout=0.3), TransientError)
        assert time.monotonic() - begun < 30
        assert problem.message == f"The command {run!r} took longer than 0.3 s: waiting."
        assert_ends((tmp_path / "pids").read_text())

    def test_what_a_command_leaves_in_the_background_is_ended_and_keeps_nobody_waiting(self, tmp_path):
        begun = time.monotonic()
        run = "sh -c 'sleep 60 & echo $! > pid; yes & exit 0'"
        CommandNotifier(run=run, folder=tmp_path, timeout=60.0).notify(KEY, MESSAGE)
        assert time.monotonic() - begun < 30
        assert_ends((tmp_path / "pid").read_text())

    def test_a_flood_of_output_takes_no_memory(self, tmp_path):
        run = "sh -c 'yes flood | head -c 40000000; exit 1'"
        script = (
            "import resource, sys; from pathlib import Path\n"
            "from fairway.adapters.notifiers import CommandNotifier\n"
            "from fairway.domain.errors import TransientError\n"
            "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
            f"try: CommandNotifier(run={run!r}, folder=Path({str(tmp_path)!r})).notify('k', {MESSAGE!r})\n"
            "except TransientError as error: print(len(error.message))\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        length, grown = map(int, done.stdout.split())
        assert length < 700
        assert grown < 8000  # KiB

    def test_a_message_with_zero_bytes_arrives(self, tmp_path):
        notifier = CommandNotifier(run="sh -c 'cat > stdin'", folder=tmp_path)
        notifier.notify(KEY, MESSAGE | {"text": "a\0b"})
        assert json.loads((tmp_path / "stdin").read_bytes())["text"] == "a\0b"

    @pytest.mark.parametrize(
        ("run", "code"),
        [
            ("no-such-program-anywhere", "program-missing"),
            ("./gone", "program-missing"),
            ("./plain", "command-not-started"),
            ("./orphan", "command-not-started"),
            ("say 'it", "command-quotes"),
            (" ", "command-empty"),
        ],
    )
    def test_what_cannot_run_is_permanent(self, tmp_path, run, code):
        for name, content in (("plain", "echo\n"), ("orphan", "#!/no/such/interpreter\n")):
            (tmp_path / name).write_text(content)
            (tmp_path / name).chmod(0o755)
        problem = problem_of(CommandNotifier(run=run, folder=tmp_path), PermanentError)
        assert problem.code == code
        assert repr(run) in problem.message

    def test_without_a_folder_it_runs_where_the_caller_works(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "tell").write_text("#!/bin/sh\npwd > here\n")
        (tmp_path / "tell").chmod(0o755)
        CommandNotifier(run="./tell").notify(KEY, MESSAGE)
        assert (tmp_path / "here").read_text().strip() == os.path.realpath(tmp_path)


def assert_ends(pids):
    """All of them, as soon as the kernel has carried out what it was told."""
    deadline = time.monotonic() + 60
    while any(is_alive(pid) for pid in pids.split()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
