"""Answers every request alike, as cheaply as Python can, in one process. Prints its port."""

import select
import socket

BODY = b"hello world\n"
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nServer: static\r\n"
    b"X-Fairway-Revision: r1\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
)


def serve() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    listener.setblocking(False)
    print(listener.getsockname()[1], flush=True)
    ready = select.epoll()
    ready.register(listener, select.EPOLLIN)
    connections: dict[int, socket.socket] = {}
    while True:
        for number, _ in ready.poll():
            if number == listener.fileno():
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connections[connection.fileno()] = connection
                ready.register(connection, select.EPOLLIN)
            elif connections[number].recv(1 << 16):
                connections[number].send(ANSWER)
            else:
                ready.unregister(number)
                connections.pop(number).close()


if __name__ == "__main__":
    serve()
