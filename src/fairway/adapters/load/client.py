"""The connections of one run: sends what it is given, takes the answers, counts both. Nothing is ever sent twice."""

import os
import select
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from fairway.adapters.load.answer import Answer
from fairway.adapters.load.connection import Connection, kind_of, resolve
from fairway.adapters.load.latency import EXACT, record
from fairway.adapters.load.plan import LoadPlan
from fairway.adapters.load.tally import Tally
from fairway.adapters.load.usual import UsualAnswers

_READ = select.EPOLLIN | select.EPOLLRDHUP
_FIRST = 1 << 13  # bytes asked for at first: more would cost memory for each answer, and most are smaller
_CHUNK = 1 << 17
_SWEEP = 0.05  # seconds between looks for requests that took too long


class Client:
    """The connections.

    Attributes:
        idle: connections that carry no request, opened or not.
        is_eof: what was told to be watched has ended.

    Args:
        plan: what to send.
        tally: where it is counted.
    """

    def __init__(self, plan: LoadPlan, tally: Tally) -> None:
        self._plan = plan
        self._tally = tally
        self._family, self._address = resolve(plan)
        self._tls = _tls_of(plan)
        self._header = plan.revision_header.encode()
        self._usual = UsualAnswers(self._header)
        self._connections = [Connection() for _ in range(plan.connections)]
        self._by_number: dict[int, Connection] = {}
        self._epoll = select.epoll()
        self._timer = -1
        # All at once: no request goes to a connection whose end is known but not yet looked at.
        self._most_events = plan.connections + 2
        self._next_sweep = 0.0
        self._cells: dict[str, dict[int, int]] = {}
        self.idle = deque(self._connections)
        self.is_eof = False

    def watch(self, timer: int, eof: int | None = None) -> None:
        """Wakes up when the timer ticks, and when the file that is not to end does."""
        self._timer = timer
        self._epoll.register(timer, select.EPOLLIN)
        if eof is not None:
            self._epoll.register(eof, select.EPOLLIN)

    def close(self) -> None:
        """Closes everything."""
        self._epoll.close()
        for connection in self._connections:
            connection.close()

    def count_busy(self) -> int:
        """Connections that carry a request."""
        return sum(connection.request is not None for connection in self._connections)

    def send(self, number: int, intended: float, now: float) -> None:
        """Sends the request of that number, 0 or more, on an idle connection; there must be one."""
        connection = self.idle.popleft()
        requests = self._plan.requests
        connection.request = request = requests[number % len(requests)]
        connection.intended = intended
        connection.began = now
        if connection.socket is None:
            self._open(connection)
            return
        data = request.data
        try:
            taken = connection.socket.send(data)
        except BlockingIOError:
            taken = 0
        except OSError as error:
            self._fail(connection, kind_of(error))
            return
        if taken < len(data):
            connection.unsent = data[taken:]
            self._epoll.modify(connection.number, _READ | select.EPOLLOUT)

    def take_events(self) -> None:
        """Waits for the timer or for something to read; handles what came."""
        by_number = self._by_number
        for number, mask in self._epoll.poll(-1, self._most_events):
            connection = by_number.get(number)
            if connection is None:
                self._take_other(number)
            elif connection.unsent and (connection.connecting or connection.shaking or mask & _SENDS):
                self._push(connection)
                if connection.request is not None and mask & select.EPOLLIN and not connection.shaking:
                    self._pull(connection)
            else:
                self._pull(connection)

    def _take_other(self, number: int) -> None:
        if number == self._timer:
            os.read(number, 8)  # else it does not tick again
        elif not os.read(number, 4096):
            self._epoll.unregister(number)
            self.is_eof = True

    def _open(self, connection: Connection) -> None:
        assert connection.request is not None  # noqa: S101 - connections are opened for a request
        connection.unsent = connection.request.data
        try:
            connection.open(self._family, self._address)
        except OSError as error:
            self._fail(connection, kind_of(error))
            return
        self._by_number[connection.number] = connection
        self._epoll.register(connection.number, _READ | select.EPOLLOUT)

    def _push(self, connection: Connection) -> None:
        """Goes on connecting and sending."""
        try:
            connection.finish_connecting(self._tls)
            connection.unsent = connection.unsent[connection.socket.send(connection.unsent) :]
        except BlockingIOError:
            # While TLS waits for the other side, the socket can be written to all the time.
            self._epoll.modify(connection.number, _READ if connection.shaking else _READ | select.EPOLLOUT)
            return
        except OSError as error:
            self._fail(connection, kind_of(error))
            return
        if not connection.unsent:
            self._epoll.modify(connection.number, _READ)

    def _pull(self, connection: Connection) -> None:
        """Reads what came: a piece of an answer, its end, or the end of an idle connection."""
        try:
            data = connection.socket.recv(_FIRST if connection.answer is None else _CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(connection, kind_of(error))
            return
        if connection.request is None:
            self._end(connection, "closed")
        elif not data:
            complete = connection.answer is not None and connection.answer.end() == "complete"
            self._end(connection, "" if complete else "truncated" if connection.answer else "closed")
        elif connection.answer is not None or (usual := self._usual.read(data)) is None:
            self._take_piece(connection, data)
        else:
            self._answered(connection, usual.status, usual.revision, closes=usual.closes)

    def _end(self, connection: Connection, kind: str) -> None:
        """The connection is over; of `kind` if that cut an answer off."""
        if connection.request is None:
            # A server may close what is idle; the connection is opened again for the next request.
            self._tally.reopened += 1
            self._drop(connection)
        elif kind:
            self._fail(connection, kind)
        else:
            assert connection.answer is not None  # noqa: S101 - it ended completely
            self._answered(connection, connection.answer.status, connection.answer.revision, closes=True)

    def _take_piece(self, connection: Connection, data: bytes) -> None:
        answer = connection.answer
        if answer is None:
            bodiless = connection.request is not None and connection.request.method == "HEAD"
            answer = connection.answer = Answer(self._header, bodiless=bodiless)
        state = answer.feed(data)
        if state == "complete":
            self._answered(connection, answer.status, answer.revision, closes=answer.closes)
        elif state == "malformed":
            self._fail(connection, "malformed")

    def _answered(self, connection: Connection, status: bytes, revision: bytes, *, closes: bool) -> None:
        assert connection.request is not None  # noqa: S101 - what is answered was asked
        cells = self._tally.cells(status, revision, connection.request.method, connection.intended)
        microseconds = int((time.monotonic() - connection.intended) * 1e6)
        if microseconds < EXACT:
            cells[microseconds] = cells.get(microseconds, 0) + 1
        else:
            record(cells, microseconds)
        connection.request = None
        connection.answer = None
        if closes or connection.unsent:
            self._drop(connection)
        self.idle.append(connection)

    def _fail(self, connection: Connection, kind: str) -> None:
        assert connection.request is not None  # noqa: S101 - an idle connection cannot fail a request
        self._tally.fail(kind, connection.request.method, connection.intended)
        connection.request = None
        self._drop(connection)
        self.idle.append(connection)

    def _drop(self, connection: Connection) -> None:
        self._by_number.pop(connection.number, None)
        connection.close()  # which takes it out of the epoll set too

    def sweep(self, now: float) -> None:
        """Gives up requests that took too long; looks for them twenty times a second."""
        if now < self._next_sweep:
            return
        self._next_sweep = now + _SWEEP
        for connection in self._connections:
            if connection.request is not None and now - connection.began > self._plan.timeout:
                self._tally.time_out(int((now - connection.intended) * 1e6), connection.intended)
                self._fail(connection, "timeout")


_SENDS = select.EPOLLOUT | select.EPOLLERR


def _tls_of(plan: LoadPlan) -> Callable[[Any], Any] | None:
    if not plan.tls:
        return None
    from fairway.adapters.load.tls import tls_for  # noqa: PLC0415 - only where it is needed

    return tls_for(plan)
