"""Servers that misbehave: each check of them ends in time, with a clear finding and bounded memory."""

import gzip
import itertools
import time
import tracemalloc

import pytest
from secure_server import http2_answer, identity, secure_server

from fairway.adapters.checks import LocalChecker
from fairway.adapters.checks.client import LARGEST
from fairway.adapters.commands.confidential import LocalSecretCommands
from fairway.adapters.secrets import LocalSecrets
from fairway.domain.validation.checks import Check, CheckSettings, HttpCheck
from fairway.domain.validation.probes import BurstCheck, HealthCheck, Http2Check
from fairway.ports.checks import Place
from servers import http_server, raw_server, unused_address

#: What a server that does not end is given. All others have time enough on a busy machine.
SHORT, AMPLE = 0.5, 20.0
OK = b"HTTP/1.1 200 OK\r\n"


def ask(base, probe=None, *, timeout=AMPLE, ca=None):
    """The first finding of a check, and that it came in time."""
    begin = time.monotonic()
    place = Place(base, CheckSettings(timeout=timeout, ca=ca))
    finding = LocalChecker(LocalSecrets(LocalSecretCommands())).check(Check("one", probe or HttpCheck("/")), place)[0]
    # Whoever waits for the server's end waits for ever, or gets another finding.
    assert time.monotonic() - begin < timeout + 30
    return finding


def hang(connection, stop):
    stop.wait()


def drip_head(connection, stop):
    connection.sendall(OK)
    for number in itertools.count():
        connection.sendall(f"x-{number}: y\r\n".encode())
        if stop.wait(0.02):
            return


def drip_body(connection, stop):
    connection.sendall(OK + b"content-length: 1000\r\n\r\n")
    while not stop.wait(0.02):
        connection.sendall(b"x")


def promise_more(connection, stop):
    connection.sendall(OK + b"content-length: 100\r\n\r\nshort")


def break_chunk(connection, stop):
    connection.sendall(OK + b"transfer-encoding: chunked\r\n\r\n10\r\nshort")


def never_end(connection, stop):
    connection.sendall(OK + b"content-type: text/plain\r\n\r\n")
    while not stop.is_set():
        connection.sendall(b"x" * 65536)


def announce_a_gigabyte(connection, stop):
    connection.sendall(OK + b"content-length: 1073741824\r\n\r\n")
    while not stop.is_set():
        connection.sendall(b"x" * 65536)


def speak_ssh(connection, stop):
    connection.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n")


def send_noise(connection, stop):
    connection.sendall(bytes(range(256)) * 40)


def endless_head(connection, stop):
    connection.sendall(OK)
    while not stop.is_set():
        connection.sendall(b"x-more: " + b"y" * 4096 + b"\r\n")


def hang_up(connection, stop):
    """Says nothing."""


def two_lengths(connection, stop):
    connection.sendall(OK + b"content-length: 2\r\ncontent-length: 4\r\n\r\nokok")


BOMB = gzip.compress(b"\0" * (LARGEST * 8))


def bomb(connection, stop):
    connection.sendall(OK + f"content-encoding: gzip\r\ncontent-length: {len(BOMB)}\r\n\r\n".encode() + BOMB)


def lie_about_gzip(connection, stop):
    connection.sendall(OK + b"content-encoding: gzip\r\ncontent-length: 5\r\n\r\nplain")


@pytest.mark.parametrize(
    ("serve", "code", "words"),
    [
        (hang, "timeout", "not answered completely within 0.5 s"),
        (drip_head, "timeout", "within 0.5 s"),
        (drip_body, "timeout", "within 0.5 s"),
        (promise_more, "incomplete", "closed the connection before its answer was complete"),
        (break_chunk, "incomplete", "before its answer was complete"),
        (speak_ssh, "not-http", "is not HTTP"),
        (send_noise, "not-http", "is not HTTP"),
        (endless_head, "not-http", "is not HTTP"),
        (two_lengths, "not-http", "is not HTTP"),
        (hang_up, "reset", "0 bytes came"),
        (lie_about_gzip, "not-http", "not encoded as its Content-Encoding says"),
    ],
)
def test_a_server_that_misbehaves_fails_the_check_in_time_and_is_told_apart(serve, code, words):
    with raw_server(serve) as address:
        finding = ask(f"http://{address}", timeout=SHORT if code == "timeout" else AMPLE)
    assert (finding.outcome, finding.code) == ("failed", code), finding
    assert words in finding.came
    assert finding.cause
    assert finding.advice


@pytest.mark.parametrize("serve", [never_end, announce_a_gigabyte, bomb])
def test_a_body_that_is_too_large_is_given_up_with_little_memory(serve):
    with raw_server(serve) as address:
        tracemalloc.start()
        try:
            finding = ask(f"http://{address}")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert (finding.outcome, finding.code) == ("failed", "too-large"), finding
    assert "8 MiB" in finding.came
    assert peak < 6 * LARGEST


def test_a_burst_against_a_server_that_hangs_ends_in_time():
    with raw_server(hang) as address:
        finding = ask(f"http://{address}", BurstCheck(requests=20), timeout=SHORT)
    assert (finding.outcome, finding.code) == ("failed", "burst")
    assert finding.came == "20 of 20 failed; the first: not answered completely within 0.5 s"


def test_a_redirect_loop_is_a_status_and_nothing_is_followed():
    asked = []

    def loop(connection, stop):
        asked.append(1)
        connection.sendall(b"HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n")

    with raw_server(loop) as address:
        finding = ask(f"http://{address}")
    assert (finding.code, finding.came) == ("status-3xx", "status 302 to /")
    assert len(asked) == 1


def test_nobody_there_is_no_answer_rather_than_a_no():
    finding = ask(f"http://{unused_address()}", HealthCheck())
    assert (finding.outcome, finding.code) == ("errored", "refused")


def test_a_name_without_an_address_is_no_answer():
    finding = ask("http://no-such-host.invalid")
    assert (finding.outcome, finding.code) == ("errored", "unresolved"), finding


def test_health_that_hangs_is_asked_for_no_longer_than_its_time_at_each_endpoint():
    with raw_server(hang) as address:
        place = Place(f"http://{address}", CheckSettings(timeout=0.2))
        findings = LocalChecker(LocalSecrets(LocalSecretCommands())).check(Check("health", HealthCheck()), place)
    assert [one.code for one in findings] == ["timeout"] * 3
    # Less than what a check is given that says nothing else.
    assert all(0.15 < one.seconds < CheckSettings().timeout for one in findings)


def test_an_http2_stream_that_is_reset_is_told_with_its_code(tmp_path):
    context, authority = identity()
    context.set_alpn_protocols(["h2"])
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with secure_server(context, lambda connection: http2_answer(connection, reset=True)) as port:
        finding = ask(f"https://127.0.0.1:{port}", Http2Check(), ca=str(tmp_path / "ca.pem"))
    assert (finding.outcome, finding.code) == ("failed", "reset"), finding
    assert finding.came == "the server reset the HTTP/2 stream with error code 2"


def test_plain_http_where_tls_was_asked_for_is_a_finding_of_tls():
    with http_server() as server:
        finding = ask(server.url.replace("http", "https"))
    assert (finding.outcome, finding.code) == ("failed", "tls"), finding
