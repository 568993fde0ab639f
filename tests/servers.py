"""Servers on loopback for tests: one that speaks HTTP and remembers, one that sends whatever it is told."""

import contextlib
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATIENCE = 60.0  # seconds until a server gives up, in case a test does


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int


@dataclass
class Recorder:
    """What an HTTP server got, and what it answers: by path, else `status` and `body`."""

    url: str = ""
    status: int = 204
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    pages: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)


@contextlib.contextmanager
def http_server():
    """A `Recorder` behind which a server runs."""
    recorder = Recorder()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = PATIENCE

        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, content = recorder.pages.get(self.path, (recorder.status, recorder.body))
            recorder.requests.append(Request(self.command, self.path, headers, body, status))
            self.send_response(status)
            for name, value in recorder.headers.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("content-length", str(len(content)))
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 -- the standard library's names

        def log_message(self, *arguments):
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as recorder.url:
        yield recorder


@contextlib.contextmanager
def raw_server(serve):
    """The address of a server that calls `serve(connection, stop)` for each connection, after its request's head."""

    def handle(connection, stop):
        read_head(connection)
        serve(connection, stop)

    with accepting(handle) as port:
        yield f"127.0.0.1:{port}"


def read_head(connection):
    """A request until the end of its head; what came until then, where it has no end."""
    got = b""
    while b"\r\n\r\n" not in got and (chunk := connection.recv(65536)):
        got += chunk
    return got


@contextlib.contextmanager
def serving(server):
    """The URL of a server of the standard library, which answers in a thread and is closed at the end."""
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def accepting(handle):
    """The port of a server that calls `handle(connection, stop)` in a thread for each connection.

    `stop` is set at the end, which waits for all threads.
    """
    stop, threads = threading.Event(), []

    def carry(connection):
        with connection, contextlib.suppress(OSError):
            connection.settimeout(PATIENCE)
            handle(connection, stop)

    def accept():
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = listener.accept()
                threads.append(threading.Thread(target=carry, args=(connection,)))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.02)
        threads.append(threading.Thread(target=accept))
        threads[0].start()
        try:
            yield listener.getsockname()[1]
        finally:
            stop.set()
            for thread in threads:
                thread.join()


def unused_address():
    """An address that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"
