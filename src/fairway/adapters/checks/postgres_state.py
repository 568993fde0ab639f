"""Why a PostgreSQL server refuses a connection, as its code.

The client library keeps nothing of such a refusal but its text, which depends on the server's language. The protocol
carries the code beside it, so that a second try is written down as the protocol has it, and the code is read there.
"""

import os
import re
import select
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn

_CODE = re.compile(r'^B\t\d+\tErrorResponse\t.*? C "([0-9A-Z]{5})"', re.MULTILINE)
#: Bytes of the record that are read; a refusal takes a few hundred.
_READ = 65_536


def refusal_state(url: str, timeout: float) -> str | None:
    """SQLSTATE of the refusal of a connection; None: none came.

    Args:
        url: of the database.
        timeout: seconds.
    """
    from psycopg import pq  # noqa: PLC0415 -- an extra

    connection = pq.PGconn.connect_start(url.encode())
    # In memory only: it holds what was sent as well.
    record = os.memfd_create("fairway-postgres", os.MFD_CLOEXEC)
    try:
        connection.trace(record)
        connection.set_trace_flags(pq.Trace.SUPPRESS_TIMESTAMPS)
        _poll(connection, time.monotonic() + timeout)
        connection.untrace()
        found = _CODE.findall(os.pread(record, _READ, 0).decode("utf-8", "replace"))
        return found[-1] if found else None
    finally:
        connection.finish()
        os.close(record)


def _poll(connection: "PGconn", until: float) -> None:
    from psycopg import pq  # noqa: PLC0415 -- an extra

    while (state := connection.connect_poll()) in (pq.PollingStatus.READING, pq.PollingStatus.WRITING):
        reading = [connection.socket] if state == pq.PollingStatus.READING else []
        writing = [] if reading else [connection.socket]
        ready = select.select(reading, writing, [], max(0.0, until - time.monotonic()))
        if not any(ready):
            return
