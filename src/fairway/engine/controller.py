"""A controller: claims runs that are due, advances each in a thread, renews its leases, delivers messages.

Several controllers share one PostgreSQL database: a run belongs to whoever holds its lease, and another takes over when
the lease has ended. A run that waits for a person holds no thread and no memory.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import partial
from threading import Event, Lock
from typing import Any

from fairway.domain.errors import FairwayError, PermanentError
from fairway.engine.advance import Engine
from fairway.ports.journal import Leases, Message, Outbox
from fairway.ports.notifier import Notifier

#: Seconds between two looks for runs that became due: while some are, and while none is.
POLL, IDLE_POLL = 0.05, 0.2
#: Seconds to the next look when the journal could not be asked.
TROUBLE_POLL = 1.0
#: Seconds to the next turn of a run at which something failed that nobody thought of.
FAULT_POLL = 5.0
#: Seconds that a lease lasts, and between two renewals: a dead controller is replaced within ten seconds.
LEASE, RENEW_EVERY = 8.0, 2.5
#: How many runs are looked after, and how many of them advanced at the same time.
MOST_RUNS, WORKERS = 1000, 32
#: Seconds between two looks into the outbox.
DELIVER_EVERY = 0.25
#: How many messages are handed to the threads at one look, and how many are delivered at the same time.
MOST_MESSAGES, POSTMEN = 20, 16
#: A message is given up after so many tries, about a day.
MOST_TRIES = 100


@dataclass(slots=True)
class Controller:
    """Advances runs until it is told to stop.

    Attributes:
        holder: unique for each start of a controller.
        executor: where runs are advanced, `WORKERS` at a time.
        report: called with each error that no run could take, for the log.
    """

    engine: Engine
    leases: Leases
    holder: str
    clock: Callable[[], float]
    executor: Executor
    report: Callable[[str, BaseException], None]
    _busy: dict[str, "Future[float | None]"] = field(default_factory=dict)
    _not_before: dict[str, float] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _nudge: Event = field(default_factory=Event)
    _renewed: float = float("-inf")
    _last: float = float("-inf")

    def serve(self, stop: Event) -> None:
        """Advances runs until `stop` is set; then gives up all leases, after the steps under way have ended."""
        while not stop.is_set():
            wait = self.turn()
            self._nudge.wait(wait)
            self._nudge.clear()
        for future in list(self._busy.values()):
            future.exception()
        self._attempt("release", lambda: self.leases.release(self.holder))

    def turn(self) -> float:
        """Claims what is due and hands it to the threads; returns the seconds until the next turn."""
        now = self.clock()
        self._check_clock(now)
        if not 0 <= now - self._renewed < RENEW_EVERY:
            self._renewed = now
            self._attempt("renew", lambda: self.leases.renew(self.holder, now=now, ttl=LEASE))
        if not self._attempt("claim", lambda: self._claim(now)):
            return TROUBLE_POLL
        with self._lock:
            active = bool(self._busy or self._not_before)
            soonest = min(self._not_before.values(), default=now + POLL)
        return max(0.001, min(POLL, soonest - self.clock())) if active else IDLE_POLL

    def _check_clock(self, now: float) -> None:
        """A clock that was put back must not make runs wait until it has caught up."""
        with self._lock:
            if now < self._last:
                self._not_before.clear()
            self._last = now

    def _claim(self, now: float) -> None:
        claims = self.leases.claim(self.holder, now=now, ttl=LEASE, limit=MOST_RUNS)
        with self._lock:
            ours = {claim.run for claim in claims}
            self._not_before = {run: at for run, at in self._not_before.items() if run in ours}
        for claim in claims:
            with self._lock:
                if claim.run in self._busy or self._not_before.get(claim.run, now) > now:
                    continue
                self._not_before.pop(claim.run, None)
                future = self.executor.submit(self.engine.advance, claim.run, claim.epoch)
                self._busy[claim.run] = future
            future.add_done_callback(partial(self._finish, claim.run))

    def _finish(self, run: str, future: "Future[float | None]") -> None:
        error = future.exception()
        again = FAULT_POLL if error is not None else future.result()
        with self._lock:
            self._busy.pop(run, None)
            if again is None:
                self._not_before.pop(run, None)
            else:
                self._not_before[run] = self.clock() + again
        self._nudge.set()
        if error is not None:
            # Last, so that a log that cannot be written does not keep the run from its next turn.
            self.report(f"run {run}", error)

    def _attempt(self, what: str, action: Callable[[], object]) -> bool:
        """The controller outlives its database: what fails now is tried again at a later turn."""
        try:
            action()
        except FairwayError as error:
            self.report(what, error)
            return False
        return True


@dataclass(slots=True)
class Postman:
    """Delivers the messages of the outbox: to different receivers at the same time, to each of them in order.

    Attributes:
        notifier_of: the notifier for a receiver's kind and settings.
        executor: where messages are delivered; a receiver that does not answer holds a thread, never the others.
    """

    outbox: Outbox
    notifier_of: Callable[[Mapping[str, Any]], Notifier]
    clock: Callable[[], float]
    report: Callable[[str, BaseException], None]
    executor: Executor
    _under_way: "dict[str, Future[None]]" = field(default_factory=dict)

    def serve(self, stop: Event) -> None:
        """Delivers until `stop` is set; what no thread has taken up by then is left to the next postman."""
        while not stop.wait(DELIVER_EVERY):
            self.turn()
        for future in list(self._under_way.values()):
            future.cancel()

    def turn(self) -> None:
        """Hands every message that is due to the threads, once.

        The outbox goes on naming those under way, and reserves them anew each time, so that no other controller takes
        up what a slow receiver has kept waiting.
        """
        # Before the outbox is asked: a message that is delivered while it answers would look due and not under way.
        before = frozenset(self._under_way)
        try:
            due = self.outbox.list_due(now=self.clock(), limit=MOST_MESSAGES + len(before))
        except FairwayError as error:
            self.report("outbox", error)
            return
        for message in due:
            if message.id in before:
                continue
            future = self.executor.submit(self._deliver, message)
            self._under_way[message.id] = future
            future.add_done_callback(partial(self._finish, message.id))

    def _finish(self, key: str, future: "Future[None]") -> None:
        self._under_way.pop(key, None)
        error = None if future.cancelled() else future.exception()
        if error is not None:
            self.report("outbox", error)

    def _deliver(self, message: Message) -> None:
        key = message.id
        try:
            self.notifier_of(message.receiver).notify(key, message.body)
        except Exception as error:  # noqa: BLE001 -- one message that nobody thought of must not keep back all others
            if not isinstance(error, FairwayError):
                self.report(f"message {key}", error)
            give_up = isinstance(error, PermanentError) or message.tries + 1 >= MOST_TRIES
            until = self.clock() + min(2.0**message.tries, 900.0)
            self.outbox.postpone(key, until=until, error=f"{error}"[:500], give_up=give_up)
        else:
            self.outbox.mark_delivered(key)
