"""Servers on loopback that speak TLS: one that hands plain connections to whatever it is given, HTTP/1 and HTTP/2."""

import contextlib
import ssl

import h2.config
import h2.connection
import h2.events
import trustme

from servers import accepting, read_head


def identity(*names, ca=None, **more):
    """A context for a server, and the authority that signed its certificate."""
    authority = ca or trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("127.0.0.1",)), **more).configure_cert(context)
    return context, authority


def plain_answer(connection, body=b"ok", fields=""):
    """Reads the head of a request and answers it."""
    if read_head(connection):
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

    def handle(raw, stop):
        with context.wrap_socket(raw, server_side=True) as connection:
            serve(connection)

    with accepting(handle) as port:
        yield port
