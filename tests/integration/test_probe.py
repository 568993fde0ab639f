"""Requests to real servers on loopback, most of them bad ones."""

import socket
import struct
import time

import pytest

from fairway.adapters.probes import LocalProbe
from fairway.domain.errors import TransientError
from fairway.ports.checks import Answer
from servers import http_server, raw_server, unused_address

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


def sends(*parts):
    """Sends the parts and closes the connection."""
    return lambda connection, stop: connection.sendall(b"".join(parts))


def drips(head, drop):
    """Sends a head, then a drop every 50 ms until the test is over."""

    def serve(connection, stop):
        connection.sendall(head)
        while not stop.wait(0.05):
            connection.sendall(drop)

    return serve


def resets(*parts):
    """Sends the parts, then cuts the connection with a reset."""

    def serve(connection, stop):
        connection.sendall(b"".join(parts))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return serve


def problem_of(url, timeout=5.0):
    with pytest.raises(TransientError) as caught:
        LocalProbe().get(url, timeout=timeout)
    assert caught.value.message.endswith(".")
    return caught.value


def test_gives_the_status_and_the_body_and_sends_one_request():
    with http_server() as server:
        server.pages["/health?deep=1"] = (503, "überlastet".encode())
        assert LocalProbe().get(f"{server.url}/health?deep=1", timeout=60.0) == Answer(503, "überlastet")
        assert [(one.method, one.path) for one in server.requests] == [("GET", "/health?deep=1")]
        assert server.requests[0].headers["host"] == server.url.removeprefix("http://")


def test_follows_no_redirect():
    with http_server() as server:
        server.status, server.headers = 302, {"Location": f"{server.url}/other"}
        assert LocalProbe().get(f"{server.url}/", timeout=60.0).status == 302
        assert len(server.requests) == 1


def test_asks_directly_whatever_proxy_the_environment_names(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://{unused_address()}")
    with http_server() as server:
        server.status, server.body = 200, b"ok"
        assert LocalProbe().get(server.url, timeout=60.0) == Answer(200, "ok")


def test_reads_64_kib_of_a_body_that_never_ends():
    with raw_server(drips(HEAD + b"\r\n", b"x" * 8192)) as address:
        answer = LocalProbe().get(f"http://{address}/", timeout=60.0)
    assert answer == Answer(200, "x" * 65536)


@pytest.mark.parametrize(
    ("headers", "body", "text"),
    [
        (b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde"),
        (b"Content-Length: 0\r\n", b"", ""),
        (b"", b"until the end", "until the end"),
        (b"Content-Type: text/html; charset=latin-1\r\n", b"gr\xfcn", "grün"),
        (b"Content-Type: text/html; charset=klingon\r\n", "grün".encode(), "grün"),
        (b"Content-Type: text/html; charset=hex\r\n", b"zz", "zz"),
        (b"", b"\xff\xfe", "\N{REPLACEMENT CHARACTER}" * 2),
    ],
)
def test_reads_what_servers_send(headers, body, text):
    head = HEAD if b"charset" not in headers else b"HTTP/1.1 200 OK\r\n"
    with raw_server(sends(head, headers, b"\r\n", body)) as address:
        assert LocalProbe().get(f"http://{address}/", timeout=60.0) == Answer(200, text)


def test_special_characters_of_a_path_are_sent_percent_encoded_once():
    with http_server() as server:
        server.status, server.body = 200, b"ok"
        LocalProbe().get(f"{server.url}/größe/a b/%20?q=ä&x=[1]", timeout=60.0)
        assert server.requests[0].path == "/gr%C3%B6%C3%9Fe/a%20b/%20?q=%C3%A4&x=%5B1%5D"


@pytest.mark.parametrize(
    "serve",
    [drips(b"", b""), drips(b"HTTP/1.1 200 OK\r\n", b"X-Drip: 1\r\n"), drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
     drips(HEAD + b"Content-Length: 1000\r\n\r\n", b"x"), drips(HEAD + b"\r\n", b"x")],
    ids=["silent", "dripping headers", "dripping interim answers", "dripping body", "endless body"],
)  # fmt: skip
def test_one_time_limit_holds_for_all_of_it(serve):
    with raw_server(serve) as address:
        begun = time.monotonic()
        problem = problem_of(f"http://{address}/", timeout=0.3)
        assert 0.25 < time.monotonic() - begun < 30
    assert problem.code == "probe-timeout"
    assert problem.message == f"GET http://{address}/ was not answered within 0.3 s."


def test_a_server_that_accepts_nobody_is_a_timeout():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        try:
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(("127.0.0.1", port))
            assert problem_of(f"http://127.0.0.1:{port}/", timeout=0.3).code == "probe-timeout"
        finally:
            for one in waiting:
                one.close()


def test_nobody_listening_is_said_so():
    address = unused_address()
    problem = problem_of(f"http://{address}/ready")
    assert problem.code == "probe-refused"
    assert problem.message == f"GET http://{address}/ready failed: nobody listens on {address}."


@pytest.mark.parametrize(
    "serve",
    [sends(), resets(), resets(HEAD, b"Content-Length: 10\r\n\r\nabc"), sends(HEAD, b"Content-Length: 10\r\n\r\nabc"),
     sends(HEAD, b"Transfer-Encoding: chunked\r\n\r\n5\r\nab"), resets(HEAD)],
    ids=["closed", "reset", "reset in the body", "closed in the body", "closed in a chunk", "reset in the head"],
)  # fmt: skip
def test_a_connection_that_breaks_is_said_so(serve):
    with raw_server(serve) as address:
        problem = problem_of(f"http://{address}/")
    assert problem.code == "probe-reset"
    assert "closed the connection" in problem.message


@pytest.mark.parametrize(
    "answer",
    [b"SSH-2.0-OpenSSH_9.6\r\n", b"\x15\x03\x01\x00\x02\x02\x46", b"220 mail ESMTP\r\n", b"x" * 70000,
     b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n", b"HTTP/1.1 abc\r\n\r\n"],
    ids=["ssh", "tls", "smtp", "noise", "too many headers", "no number"],
)  # fmt: skip
def test_what_is_not_http_is_said_so(answer):
    with raw_server(sends(answer)) as address:
        problem = problem_of(f"http://{address}/")
    assert problem.code == "probe-not-http"
    assert f"what came from {address} is not HTTP" in problem.message


def test_tls_with_a_server_that_speaks_none_is_an_error_that_passes():
    with raw_server(sends(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as address:
        assert problem_of(f"https://{address}/", timeout=1.0).code in ("probe-failed", "probe-timeout", "probe-reset")


@pytest.mark.parametrize(
    "url",
    ["", "/ready", "localhost:80/", "ftp://127.0.0.1/", "http://", "http:///ready", "http://127.0.0.1:99999/",
     "http://127.0.0.1:0/", "http://127.0.0.1:x/", "http://[::1/", "http://a b/"],
)  # fmt: skip
def test_a_bad_url_is_quoted(url):
    problem = problem_of(url)
    assert problem.code == "probe-url"
    assert url in problem.message


def test_a_name_without_an_address_is_said_so():
    problem = problem_of("http://no-such-host.invalid:8080/")
    assert problem.code == "probe-name"
    assert "no-such-host.invalid:8080" in problem.message
    assert problem_of(f"http://{'x' * 70}.invalid/").code in ("probe-name", "probe-failed")
