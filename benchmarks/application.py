"""The application of the benchmark: as little work as possible, so that what is measured is the way to it.

Each release is this file with other values of the two constants.
"""

import os
import time
from typing import Any

VERSION = "1.0.0"
#: Seconds after the first request of a user from which on every request fails; infinite: never.
HEALTHY_FOR = float("inf")

ANSWER = b'{"version": "%s"}' % VERSION.encode()
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(ANSWER))]

#: One line for each request that failed: when it arrived, in nanoseconds since the epoch. All instances append to it.
failures = os.open(os.environ["BENCH_FAILURES"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
dead_from = float("inf")


async def app(scope: Any, _receive: Any, send: Any) -> None:
    global dead_from  # noqa: PLW0603 - the state of one process
    status = 200
    if scope["path"] != "/health":
        now = time.monotonic()
        if dead_from == float("inf"):
            dead_from = now + HEALTHY_FOR
        if now >= dead_from:
            os.write(failures, b"%d\n" % time.time_ns())
            status = 500
    await send({"type": "http.response.start", "status": status, "headers": HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})
