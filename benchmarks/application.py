"""The application of the benchmark: as little work as possible, so that what is measured is the way to it.

Each release is this file with other values of the constants. `python application.py SOCKET` serves until SIGTERM.
"""

import asyncio
import os
import signal
import sys
import time

import httptools
import uvloop

VERSION = "1.0.0"
#: Seconds after the first request of a user from which on every request fails; infinite: never.
HEALTHY_FOR = float("inf")
#: Of the requests from then on one in so many fails, the first of them too.
FAILS_ONE_IN = 1

BODY = b'{"version": "%s"}' % VERSION.encode()
ANSWER = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
GOOD = ANSWER % (b"200 OK", len(BODY), BODY)
BAD = ANSWER % (b"500 Internal Server Error", len(BODY), BODY)

#: One line for each request that failed: when it arrived, in nanoseconds since the epoch. All instances append to it.
failures = os.open(os.environ["BENCH_FAILURES"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
#: The same for each request from that moment on, whether it failed or not.
requests = os.open(os.environ["BENCH_REQUESTS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
dead_from = float("inf")
since_dead = 0


class Connection(asyncio.Protocol):
    """Answers a request as soon as it has arrived whole."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.url = url

    def on_message_complete(self) -> None:
        self.transport.write(answer(self.url))


def answer(url: bytes) -> bytes:
    global dead_from, since_dead  # noqa: PLW0603 - the state of one process
    if url == b"/health":
        return GOOD
    now = time.monotonic()
    if dead_from == float("inf"):
        dead_from = now + HEALTHY_FOR
    if now < dead_from:
        return GOOD
    arrived = b"%d\n" % time.time_ns()
    os.write(requests, arrived)
    since_dead += 1
    if since_dead % FAILS_ONE_IN != 1 % FAILS_ONE_IN:
        return GOOD
    os.write(failures, arrived)
    return BAD


async def serve(place: str) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    server = await loop.create_unix_server(Connection, place)
    await ended.wait()
    server.close()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
