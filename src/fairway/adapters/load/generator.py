"""The loop that sends requests at their time and takes the answers.

Request number n is due at the beginning plus n / rate, whatever happened to the ones before. If no connection is free
then, it waits, and the wait is part of its latency: a server that stalls cannot slow the generator down and so hide the
requests that would have come meanwhile. Nothing is ever sent twice.
"""

import math
import os
import select
import time
from collections import deque
from collections.abc import Callable

from fairway.adapters.load.answer import Answer
from fairway.adapters.load.connection import Connection, kind_of, resolve
from fairway.adapters.load.latency import record
from fairway.adapters.load.plan import LoadPlan
from fairway.adapters.load.report import Report
from fairway.adapters.load.tally import Tally
from fairway.adapters.load.timer import open_timer

_READ = select.EPOLLIN | select.EPOLLRDHUP
_CHUNK = 1 << 16
_SWEEP = 0.05  # seconds between looks for requests that took too long
# Seconds between ticks of the timer: what falls due is sent at most so late, and the delay is part of its latency.
# Shorter ticks send requests more evenly and take processor time from what is measured.
_TICK = 0.001
_IDLE_TICK = 0.01  # without a rate only answers drive the loop


class Generator:
    """One run.

    Args:
        plan: what to send.
        report_live: called once a second with the run so far.
    """

    def __init__(self, plan: LoadPlan, report_live: Callable[[dict[str, object]], None]) -> None:
        self._plan = plan
        self._report_live = report_live
        self._tally = Tally(plan.good, plan.interval)
        self._family, self._address = resolve(plan.host, plan.port)
        self._header = plan.revision_header.encode()
        self._mark = b"\r\n" + self._header + b":"
        self._connections = [Connection() for _ in range(plan.connections)]
        self._idle = deque(self._connections)
        self._by_number: dict[int, Connection] = {}
        self._epoll = select.epoll()
        self._timer = -1
        # All at once: no request goes to a connection whose end is known but not yet looked at.
        self._most_events = plan.connections + 2
        self._sent = 0
        self._begin = 0.0
        self._stopped = False

    def stop(self) -> None:
        """Sends nothing more; may be called from a signal handler."""
        self._stopped = True

    def run(self) -> Report:
        """Sends until the duration is over or somebody stops it, waits for what is under way, and reports."""
        plan = self._plan
        self._timer = open_timer(_TICK if plan.rate else _IDLE_TICK)
        self._epoll.register(self._timer, select.EPOLLIN)
        if plan.stop_on_eof:
            self._epoll.register(0, select.EPOLLIN)
        try:
            self._begin = time.monotonic()
            sending = self._send_until(self._begin + plan.duration) - self._begin
            due = min(math.ceil(sending * plan.rate - 1e-6), plan.count)
            self._drain()
        finally:
            os.close(self._timer)
            self._epoll.close()
            for connection in self._connections:
                connection.close()
        unfinished = sum(connection.request is not None for connection in self._connections)
        behind = max(0, int(due) - self._sent)
        return self._tally.report(seconds=sending, rate=plan.rate, behind=behind, unfinished=unfinished)

    def _send_until(self, end: float) -> float:
        """Sends what falls due until the end, the last request or a stop; returns when that was."""
        next_sweep, next_live = self._begin + _SWEEP, self._begin + 1
        now = self._begin
        while not self._stopped:
            self._send_due(min(now, end))
            if now >= end or self._sent >= self._plan.count:
                break
            self._take_events()
            now = time.monotonic()
            if now >= next_sweep:
                next_sweep = now + _SWEEP
                self._sweep(now)
            if now >= next_live:
                next_live += 1
                self._live(now)
        return min(now, end)

    def _drain(self) -> None:
        """Waits for the answers under way: shortly when stopped from outside, else until each has had its time."""
        limit = time.monotonic() + (self._plan.drain if self._stopped else math.inf)
        while (now := time.monotonic()) < limit and any(connection.request for connection in self._connections):
            self._take_events()
            self._sweep(now)

    def _send_due(self, now: float) -> None:
        rate, idle = self._plan.rate, self._idle
        if not rate:
            ready = min(len(idle), self._plan.count - self._sent)
            for _ in range(int(ready)):  # a refused connection is idle again at once
                self._send(idle.popleft(), time.monotonic())
            return
        while idle and self._sent < self._plan.count:
            intended = self._begin + self._sent / rate
            if intended >= now:
                break
            self._send(idle.popleft(), intended)

    def _send(self, connection: Connection, intended: float) -> None:
        requests = self._plan.requests
        request = requests[self._sent % len(requests)]
        self._sent += 1
        tally = self._tally
        tally.piece.sent += 1
        now = time.monotonic()
        tally.max_lag = max(tally.max_lag, now - intended)
        connection.request = request
        connection.intended = intended
        connection.began = now
        if connection.socket is None:
            self._open(connection)
            return
        try:
            taken = connection.socket.send(request.data)
        except BlockingIOError:
            taken = 0
        except OSError as error:
            self._fail(connection, kind_of(error.errno))
            return
        if taken < len(request.data):
            connection.unsent = request.data[taken:]
            self._epoll.modify(connection.number, _READ | select.EPOLLOUT)

    def _open(self, connection: Connection) -> None:
        assert connection.request is not None  # noqa: S101 - connections are opened for a request
        connection.unsent = connection.request.data
        try:
            connection.open(self._family, self._address)
        except OSError as error:
            self._fail(connection, kind_of(error.errno))
            return
        self._by_number[connection.number] = connection
        self._epoll.register(connection.number, _READ | select.EPOLLOUT)

    def _take_events(self) -> None:
        """Waits for the timer or for something to read; handles what came."""
        for number, mask in self._epoll.poll(-1, self._most_events):
            connection = self._by_number.get(number)
            if number == self._timer:
                os.read(number, 8)  # else it does not tick again
            elif connection is None:
                if number == 0:
                    self._take_eof()
            elif connection.unsent and mask & (select.EPOLLOUT | select.EPOLLERR):
                self._push(connection)
                if connection.request is not None and mask & select.EPOLLIN:
                    self._pull(connection)
            else:
                self._pull(connection)
        self._tally.turn(time.monotonic() - self._begin)

    def _take_eof(self) -> None:
        if not os.read(0, 4096):
            self._epoll.unregister(0)
            self._stopped = True

    def _push(self, connection: Connection) -> None:
        """Goes on connecting and sending."""
        try:
            connection.finish_connecting()
            assert connection.socket is not None  # noqa: S101 - it is registered
            connection.unsent = connection.unsent[connection.socket.send(connection.unsent) :]
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(connection, kind_of(error.errno))
            return
        if not connection.unsent:
            self._epoll.modify(connection.number, _READ)

    def _pull(self, connection: Connection) -> None:
        """Reads what came: a piece of an answer, its end, or the end of an idle connection."""
        assert connection.socket is not None  # noqa: S101 - it is registered
        try:
            data = connection.socket.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(connection, kind_of(error.errno))
            return
        if connection.request is None:
            self._end(connection, "closed")
        elif not data:
            complete = connection.answer is not None and connection.answer.end() == "complete"
            self._end(connection, "" if complete else "truncated" if connection.answer else "closed")
        elif connection.answer is not None or not self._take_whole(connection, data):
            self._take_piece(connection, data)

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

    def _take_whole(self, connection: Connection, data: bytes) -> bool:
        """The usual answer, in one piece with a length, without the cost of reading field by field."""
        end = data.find(b"\r\n\r\n")
        if end < 0 or not data.startswith(b"HTTP/1.1 "):
            return False
        head = data[: end + 2].lower()
        start = head.find(b"\r\ncontent-length:")
        length = head[start + 17 : head.find(b"\r\n", start + 17)].strip() if start > 0 else b""
        if not length.isdigit() or end + 4 + int(length) != len(data):
            return False
        revision = b""
        found = head.find(self._mark)
        if found > 0:
            found += len(self._mark)
            revision = data[found : head.find(b"\r\n", found)].strip()
        self._answered(connection, head[9:12], revision, closes=b"\r\nconnection: close" in head)
        return True

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
        now = time.monotonic()
        kind = (status, revision, connection.request.method)
        cells = self._tally.piece.answers.get(kind)
        if cells is None:
            cells = self._tally.piece.answers[kind] = {}
        record(cells, int((now - connection.intended) * 1e6))
        connection.request = None
        connection.answer = None
        if closes or connection.unsent:
            self._drop(connection)
        self._idle.append(connection)

    def _fail(self, connection: Connection, kind: str) -> None:
        assert connection.request is not None  # noqa: S101 - an idle connection cannot fail a request
        self._tally.piece.errors[kind, connection.request.method] += 1
        connection.request = None
        self._drop(connection)
        self._idle.append(connection)

    def _drop(self, connection: Connection) -> None:
        self._by_number.pop(connection.number, None)
        connection.close()  # which takes it out of the epoll set too

    def _sweep(self, now: float) -> None:
        for connection in self._connections:
            if connection.request is not None and now - connection.began > self._plan.timeout:
                record(self._tally.piece.timeouts, int((now - connection.intended) * 1e6))
                self._fail(connection, "timeout")

    def _live(self, now: float) -> None:
        elapsed = now - self._begin
        behind = max(0, int(elapsed * self._plan.rate) - self._sent)
        self._report_live({"at": round(elapsed, 2), **self._tally.live(), "behind": behind})
