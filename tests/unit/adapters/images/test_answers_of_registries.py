"""Answers that are too long are not taken in, and a damaged list is neither believed nor overwritten."""

import gzip
import json
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest

from fairway.adapters.images.bounded import LARGEST
from fairway.adapters.images.client import Repository
from fairway.adapters.images.transfer import Push
from fairway.domain.errors import PermanentError, TransientError
from fairway.domain.images.manifests import INDEX, MANIFEST, Descriptor
from fairway.domain.images.reference import parse_reference
from fairway.domain.provenance.envelope import Envelope, Signature, write_envelope

DIGEST = f"sha256:{'a' * 64}"
#: Bytes: far more than what lies between two programs of one machine.
ENDLESS = 256 << 20


class Server(ThreadingHTTPServer):
    """A registry whose answers a test gives: status, headers and body for a method and a path."""

    def __init__(self, answer: Callable[[str, str], tuple[int, dict[str, str], bytes | None]]) -> None:
        self.answer, self.asked, self.whole, self.over = answer, [], False, Event()
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    server: Server

    def answered(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.asked.append(f"{self.command} {self.path}")
        status, headers, body = self.server.answer(self.command, self.path)
        self.send_response(status)
        for name, value in {"Content-Length": str(ENDLESS if body is None else len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if body is not None:
            self.wfile.write(body)
            return
        try:
            for _ in range(ENDLESS >> 20):
                self.wfile.write(b" " * (1 << 20))
            self.server.whole = True
        except OSError:
            self.close_connection = True
        finally:
            self.server.over.set()

    do_GET = do_HEAD = do_POST = do_PUT = answered  # noqa: N815 -- the names are the library's

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@contextmanager
def registry(answer) -> Iterator[tuple[Repository, Server]]:
    with Server(answer) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        repository = Repository(parse_reference(f"127.0.0.1:{server.server_port}/shop"), lambda _: None, timeout=60.0)
        try:
            yield repository, server
        finally:
            repository.close()
            server.shutdown()
            thread.join()


def is_cut_off(server: Server) -> bool:
    assert server.over.wait(60)
    return not server.whole


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda repository: repository.resolve("1.0.0"), "1.0.0 is no manifest: more than 4 MiB"),
        (lambda repository: repository.read(DIGEST), f"{DIGEST} is no manifest: more than 4 MiB"),
        (lambda repository: repository.list_referrers(DIGEST), f"lists more about {DIGEST} than 4 MiB hold"),
    ],
    ids=["tag", "digest", "referrers"],
)
def test_an_answer_without_end_is_refused_before_it_fills_the_memory(ask, said):
    with registry(lambda *_: (200, {"Content-Type": INDEX}, None)) as (repository, server):
        with pytest.raises(PermanentError) as refusal:
            ask(repository)
        assert is_cut_off(server)
    assert said in refusal.value.message


def test_a_token_without_end_is_none():
    def answer(_method, path):
        port = server.server_port
        return (200, {}, None) if path.startswith("/token") else (401, {"WWW-Authenticate": asked % port}, b"")

    asked = 'Bearer realm="http://127.0.0.1:%s/token"'
    with registry(answer) as (repository, server):
        with pytest.raises(PermanentError, match=r"gets no token from 127\.0\.0\.1: its answer holds none"):
            repository.resolve("1.0.0")
        assert is_cut_off(server)


@pytest.mark.parametrize("status", [302, 503])
def test_what_comes_with_a_redirection_or_an_error_is_not_taken_in_either(status):
    def answer(_method, path):
        return (404, {}, b"") if path == "/gone" else (status, {"Location": "/gone"}, None)

    with registry(answer) as (repository, server):
        if status == 302:
            assert repository.resolve("1.0.0") is None
        else:
            with pytest.raises(TransientError, match="answered 503 Service Unavailable"):
                repository.resolve("1.0.0")
        assert is_cut_off(server)


def test_an_answer_that_is_small_only_while_it_is_packed_is_refused_before_it_fills_the_memory():
    packed = gzip.compress(b" " * (ENDLESS // 4), 1)
    with registry(lambda *_: (200, {"Content-Encoding": "gzip"}, packed)) as (repository, _):
        tracemalloc.start()
        try:
            with pytest.raises(PermanentError, match="more than 4 MiB"):
                repository.resolve("1.0.0")
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert most < ENDLESS / 8


def test_the_largest_manifest_that_may_be_is_read_packed_or_not():
    body = b"{" + b" " * (LARGEST - 2) + b"}"
    for headers, sent in (({}, body), ({"Content-Encoding": "gzip"}, gzip.compress(body, 1))):
        with registry(lambda *_, h=headers, s=sent: (200, {"Content-Type": MANIFEST, **h}, s)) as (repository, _):
            assert repository.resolve("1.0.0").size == LARGEST


@pytest.mark.parametrize(
    "damaged",
    [{"digest": DIGEST}, {"mediaType": MANIFEST, "digest": DIGEST, "size": "large"}, {"mediaType": MANIFEST}],
    ids=["bare", "size", "digest"],
)
def test_a_list_with_a_damaged_entry_is_not_overwritten_and_the_entry_is_named(damaged):
    listed = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [damaged]}).encode()
    tag = f"/v2/shop/manifests/sha256-{'b' * 64}"

    def answer(method, path):
        if method == "GET" and path.startswith((tag, "/v2/shop/manifests/sha256:")):
            return 200, {"Content-Type": INDEX}, listed
        return (201, {}, b"") if method in ("POST", "PUT") else (404, {}, b"")

    about = Descriptor(INDEX, f"sha256:{'b' * 64}", 2)
    envelope = write_envelope(Envelope(b'{"_type": "t"}', (Signature("k", b"signed"),))).encode()
    with registry(answer) as (repository, server):
        with pytest.raises(PermanentError, match="lists what cannot be read: ") as refusal:
            Push(repository).attach(about, envelope)
        assert refusal.value.code == "list-damaged"
        assert f"PUT {tag}" not in server.asked
