"""Servers on loopback that speak TLS: one that hands plain connections to whatever it is given, HTTP/1 and HTTP/2."""

import contextlib
import socket
import ssl
import threading

import h2.config
import h2.connection
import h2.events
import trustme

PATIENCE = 60.0  # seconds until a server gives up, in case a test does


def identity(*names, ca=None, **more):
    """A context for a server, and the authority that signed its certificate."""
    authority = ca or trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("127.0.0.1",)), **more).configure_cert(context)
    return context, authority


def plain_answer(connection, body=b"ok", fields=""):
    """Reads the head of a request and answers it."""
    got = b""
    while b"\r\n\r\n" not in got and (chunk := connection.recv(65536)):
        got += chunk
    if got:
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\nconnection: close\r\n{fields}\r\n"
        connection.sendall(head.encode() + body)


def http2_answer(connection, *, reset=False):
    """Answers requests over HTTP/2 by `ok`, or by a reset of their stream."""
    protocol = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    protocol.initiate_connection()
    connection.sendall(protocol.data_to_send())
    while data := connection.recv(65536):
        for event in protocol.receive_data(data):
            if isinstance(event, h2.events.RequestReceived) and reset:
                protocol.reset_stream(event.stream_id, error_code=2)
            elif isinstance(event, h2.events.RequestReceived):
                protocol.send_headers(event.stream_id, [(":status", "200"), ("content-length", "2")])
                protocol.send_data(event.stream_id, b"ok", end_stream=True)
        connection.sendall(protocol.data_to_send())


@contextlib.contextmanager
def secure_server(context, serve=plain_answer):
    """The port of a server that calls `serve(connection)` with each connection after its handshake."""
    stop, threads = threading.Event(), []

    def handle(raw):
        with contextlib.suppress(OSError), raw:
            raw.settimeout(PATIENCE)
            with context.wrap_socket(raw, server_side=True) as connection:
                serve(connection)

    def accept():
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                raw, _ = listener.accept()
                threads.append(threading.Thread(target=handle, args=(raw,)))
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
