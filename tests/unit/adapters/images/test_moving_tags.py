"""A tag that follows releases moves only where it is known what it stands for."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from fairway.adapters.images.publisher import OciRegistry
from fairway.domain.errors import TransientError
from fairway.domain.images.manifests import INDEX, describe, make_index
from fairway.domain.pipeline.products import Product
from fairway.ports.pipeline import Parcel


class Ailing(BaseHTTPRequestHandler):
    """Has everything, and gives what a tag stands for; it fails when that is to be read by its digest."""

    puts: list[str]

    def do_HEAD(self) -> None:
        """Everything is there."""
        self.send_response(200)
        self.end_headers()

    def do_GET(self) -> None:
        """An index for a tag, trouble for a digest."""
        body = make_index([], {"newer": "than ours"})
        self.send_response(503 if "sha256:" in self.path else 200)
        self.send_header("Content-Type", INDEX)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self) -> None:
        """Taken down."""
        self.puts.append(self.path)
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


def test_a_tag_does_not_move_while_nobody_can_say_what_it_stands_for(tmp_path: Path) -> None:
    content = make_index([], {})
    product = Product("shop", describe(content, INDEX).digest, len(content), kind="image")
    place = tmp_path / product.digest.removeprefix("sha256:")
    place.write_bytes(content)
    puts: list[str] = []
    handler = type("Here", (Ailing,), {"puts": puts})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        registry = OciRegistry(repository=f"127.0.0.1:{server.server_port}/shop", moving=["latest"], environment={})
        try:
            with pytest.raises(TransientError, match="503"):
                registry.publish(Parcel(product, str(place), "1.0.0"))
        finally:
            server.shutdown()
            thread.join()
    assert puts == []
