"""What a registry says about addresses and sizes is believed as far as it can be."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from fairway.adapters.images.client import Repository
from fairway.domain.errors import PermanentError, TransientError
from fairway.domain.images.manifests import Descriptor
from fairway.domain.images.reference import parse_reference

PART = Descriptor("application/octet-stream", f"sha256:{hashlib.sha256(b'ab').hexdigest()}", 2)


@contextmanager
def registry(status: int, headers: dict[str, str], body: bytes = b"") -> Iterator[Repository]:
    """One that gives the same answer to everything."""

    class Answer(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = answer  # noqa: N815 -- the names are the library's

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        repository = Repository(parse_reference(f"127.0.0.1:{server.server_port}/shop"), lambda _: None, timeout=30.0)
        try:
            yield repository
        finally:
            repository.close()
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("place", ["http://[a", "http://127.0.0.1:notaport/"])
def test_an_upload_to_what_is_no_address_is_refused(place: str) -> None:
    with registry(202, {"Location": place}) as repository, pytest.raises(PermanentError, match="no address"):
        repository.send_blob(PART, [b"ab"])


@pytest.mark.parametrize("place", ["https://[a", "http://127.0.0.1:notaport/"])
def test_a_token_from_what_is_no_address_is_refused(place: str) -> None:
    asked = {"WWW-Authenticate": f'Bearer realm="{place}"'}
    with registry(401, asked) as repository, pytest.raises(PermanentError, match="no address"):
        repository.resolve("1.0.0")


@pytest.mark.parametrize("body", [b"a", b"abc", b"a" * 100], ids=["shorter", "longer", "far longer"])
def test_a_part_of_another_size_than_was_said_is_not_believed(body: bytes) -> None:
    said = Descriptor(PART.media, f"sha256:{hashlib.sha256(body).hexdigest()}", PART.size)
    with registry(200, {}, body) as repository, pytest.raises(TransientError, match="other bytes"):
        list(repository.stream(said))


def test_a_part_as_it_was_said_comes_whole() -> None:
    with registry(200, {}, b"ab") as repository:
        assert b"".join(repository.stream(PART)) == b"ab"
