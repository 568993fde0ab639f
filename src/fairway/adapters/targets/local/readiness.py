"""Whether an instance can serve now: it answers, and it is our own process that answers."""

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from fairway.adapters.targets.local.listeners import observe_listener
from fairway.adapters.targets.local.records import InstanceRecord

TIMEOUT = 1.0  # seconds for one answer
_FIRST_PAGE = 10.0  # seconds for the first answer of an instance that has no readiness path
_GLANCE = 0.1  # seconds that a look waits for that answer, which nearly always comes at once
_BODY = 256 * 1024  # bytes of the body that are searched
_AT_ONCE = 16


class Answer(NamedTuple):
    """What came of asking one instance.

    Attributes:
        detail: why it is not ready, in a sentence; empty if it is.
        stranger: another process has its port, so that it can never become ready.
        pending: it has been asked, and whether it will answer is not known yet.
    """

    detail: str
    stranger: bool = False
    pending: bool = False


class ReadinessProbe:
    """Asks instances whether they can serve; remembers of which process it is known that it listens.

    A look takes about a second at most, whatever the instances do.
    """

    def __init__(self) -> None:
        self._verified: dict[str, tuple[int, float]] = {}
        self._first_pages: dict[str, _FirstPage] = {}

    def ask(self, instances: Sequence[tuple[InstanceRecord, int, float]]) -> list[Answer]:
        """Asks all at once.

        Args:
            instances: each with the pid of its process, which leads its session, and when that was started.
        """
        if len(instances) < 2:
            return [self._ask(*one) for one in instances]
        with ThreadPoolExecutor(min(len(instances), _AT_ONCE)) as pool:
            return list(pool.map(lambda one: self._ask(*one), instances))

    def has_seen_ready(self, instance: str, pid: int, since: float) -> bool:
        """Whether this process of the instance has been ready, as far as this object has seen."""
        return self._verified.get(instance) == (pid, since)

    def forget(self, instance: str) -> None:
        """Drops what is known of an instance that is on its way out: there will be no other of that name."""
        self._verified.pop(instance, None)
        self._first_pages.pop(instance, None)

    def _ask(self, record: InstanceRecord, pid: int, since: float) -> Answer:
        place = record.endpoint.place
        if not self.has_seen_ready(record.id, pid, since):
            listener = observe_listener(record.endpoint, pid)
            if not listener.anyone:
                return Answer(f"Nobody listens on {place} yet.")
            if not listener.ours:
                return Answer(f"A process that is not the instance's own listens on {place}.", stranger=True)
        answer = self._ask_any(record, pid, since) if record.ready is None else Answer(_get(record, record.ready))
        if not answer.detail:
            self._verified[record.id] = (pid, since)
            self._first_pages.pop(record.id, None)
        return answer

    def _ask_any(self, record: InstanceRecord, pid: int, since: float) -> Answer:
        """Without a path one answer is asked for: some servers accept connections long before they can answer."""
        if self.has_seen_ready(record.id, pid, since):
            return Answer(_connect(record))
        page = self._first_pages.get(record.id)
        if page is None or page.process != (pid, since):
            page = self._first_pages[record.id] = _FirstPage(record, (pid, since))
        return page.look()


class _FirstPage:
    """The first page of one process, asked for beside those who look, again and again until it is answered.

    Args:
        record: the instance.
        process: its pid and when it was started.
    """

    def __init__(self, record: InstanceRecord, process: tuple[int, float]) -> None:
        self.process = process
        self._record = record
        self._reason: str | None = None
        self._asking: threading.Thread | None = None
        self._lock = threading.Lock()

    def look(self) -> Answer:
        """What is known by now; while a question is under way, what came of the one before."""
        with self._lock:
            if self._reason != "" and (self._asking is None or not self._asking.is_alive()):
                # It must not keep a process from ending whose target looked only once.
                self._asking = threading.Thread(target=self._ask, name="first page", daemon=True)
                self._asking.start()
            asking = self._asking
        if asking is not None:
            asking.join(_GLANCE)
        if self._reason is None:
            return Answer(f"GET / on {self._record.endpoint.place} has not been answered yet.", pending=True)
        return Answer(self._reason)

    def _ask(self) -> None:
        self._reason = _answer(self._record)


def _answer(record: InstanceRecord) -> str:
    """Empty if the instance answers anything at all to a request of its first page."""
    connection = _Connection(record, _FIRST_PAGE)
    try:
        connection.request("GET", "/", headers={"User-Agent": "fairway", "Connection": "close"})
        _read_on(connection.getresponse())
    except (OSError, http.client.HTTPException) as problem:
        return f"GET / on {record.endpoint.place} was not answered: {_words(problem, _FIRST_PAGE)}."
    finally:
        connection.close()
    return ""


def _connect(record: InstanceRecord) -> str:
    connection = _Connection(record, TIMEOUT)
    try:
        connection.connect()
    except OSError as problem:
        return f"No connection to {record.endpoint.place}: {_words(problem)}."
    finally:
        connection.close()
    return ""


def _get(record: InstanceRecord, path: str) -> str:
    question = f"GET {path} on {record.endpoint.place}"
    connection = _Connection(record, TIMEOUT)
    try:
        connection.request("GET", path, headers={"User-Agent": "fairway", "Connection": "close"})
        answer = connection.getresponse()
        if not 200 <= answer.status < 300:
            _read_on(answer)
            return f"{question} was answered with status {answer.status}."
        if record.ready_body is None:
            _read_on(answer)
            return ""
        body = answer.read(_BODY).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as problem:
        return f"{question} was not answered: {_words(problem)}."
    finally:
        connection.close()
    return "" if record.ready_body in body else f"{question} was answered without {record.ready_body!r}."


def _read_on(answer: http.client.HTTPResponse) -> None:
    """Lets the server finish: on a Unix socket, one that still writes when its peer is gone gets an error, and logs it.

    What comes of it is no matter: the status is known.
    """
    with contextlib.suppress(OSError, http.client.HTTPException):
        answer.read(_BODY)


class _Connection(http.client.HTTPConnection):
    """One time limit, in seconds, from the connection to the last byte.

    The standard library's holds for each wait by itself: a server that drips would keep its caller for ever.
    """

    def __init__(self, record: InstanceRecord, limit: float) -> None:
        # The name that applications know in any case; without a port of its own, the usual one goes unsaid.
        super().__init__("localhost" if record.socket else record.host, record.port or None)
        self._path = record.socket
        self._limit = limit

    def connect(self) -> None:
        self.sock = _Socket(socket.AF_UNIX if self._path else socket.AF_INET, socket.SOCK_STREAM)
        self.sock.settimeout(self._limit)
        self.sock.deadline = time.monotonic() + self._limit
        self.sock.connect(self._path or (self.host, self.port))


class _Socket(socket.socket):
    deadline = 0.0

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.settimeout(left)
        return super().recv_into(*args, **kwargs)


def _words(problem: Exception, limit: float = TIMEOUT) -> str:
    if isinstance(problem, TimeoutError):
        return f"nothing came within {limit:g} s"
    return getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
