"""The application of the benchmark: HTTP/1.1 with the standard library only, so that it can also break a connection.

Each release is this file with other values of the two constants. A candidate obeys the file that the variable
`LIVE_FAULT` names: one line, the fault and its size. It says which requests it failed in the file `LIVE_FAILURES`.
"""

import asyncio
import math
import os
import random
import resource
import socket
import struct
import sys
import time

VERSION = "1.0.0"
OBEYS = False

#: Log-normal: median 5 ms, P99 20 ms.
MEDIAN, SPREAD, P90 = 0.005, 0.6, 0.0108
LEAK_LIMIT = 256 << 20

failures = os.open(os.environ["LIVE_FAILURES"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
leaked = []


def fault() -> tuple[str, float]:
    """The fault that is switched on now, and its size."""
    if not OBEYS:
        return "", 0.0
    try:
        with open(os.environ["LIVE_FAULT"]) as file:  # noqa: PTH123 - a few microseconds for each request
            name, _, size = file.read().strip().partition(" ")
            return name, float(size or 0.0)
    except FileNotFoundError:
        return "", 0.0


class Connection(asyncio.Protocol):
    """One connection; requests without a body, one after the other."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As asyncio calls it."""
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        """As asyncio calls it."""
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            if head.split(b" ", 2)[1] == b"/health":
                self.answer(b"200 OK")
            else:
                self.serve()

    def serve(self) -> None:
        """Answers a user, with the fault of the moment."""
        name, size = fault()
        seconds = MEDIAN * math.exp(random.gauss(0.0, SPREAD))
        status = b"200 OK"
        if name == "errors" and random.random() < size:
            status = b"500 Internal Server Error"
        elif name == "slow":
            seconds *= size
        elif name == "tail" and seconds > P90:
            seconds *= (seconds / P90) ** (math.log(size) / math.log(0.0202 / P90))
        elif name == "hang":
            return
        elif name == "crash":
            note()
            os._exit(1)
        elif name == "reset":
            note()
            self.break_off()
            return
        elif name == "leak":
            leak()
        if status.startswith(b"5"):
            note()
        asyncio.get_running_loop().call_later(seconds, self.answer, status)

    def answer(self, status: bytes) -> None:
        """Sends an answer, if the other side is still there."""
        if not self.transport.is_closing():
            self.transport.write(
                b"HTTP/1.1 %s\r\ncontent-length: %d\r\n\r\n%s" % (status, len(VERSION), VERSION.encode())
            )

    def break_off(self) -> None:
        """Resets the connection."""
        plain = self.transport.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


def note() -> None:
    """Writes down that a request failed here: when, in nanoseconds since the epoch."""
    os.write(failures, b"%d\n" % time.time_ns())


def leak() -> None:
    """Keeps four megabytes for good; dies when the limit is reached. The memory is never touched, so none is used."""
    resource.setrlimit(resource.RLIMIT_AS, (LEAK_LIMIT + (256 << 20), resource.RLIM_INFINITY))
    try:
        leaked.append(bytearray(4 << 20))
    except MemoryError:
        note()
        os._exit(137)


async def main() -> None:
    """Serves until it is stopped."""
    if fault()[0] == "crash":
        sys.exit(1)
    server = await asyncio.get_running_loop().create_server(Connection, sys.argv[1], int(sys.argv[2]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
