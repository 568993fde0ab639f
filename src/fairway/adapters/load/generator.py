"""The loop that sends requests at their time and takes the answers.

Request number n is due at the beginning plus n / rate, whatever happened to the ones before. If no connection is free
then, it waits, and the wait is part of its latency: a server that stalls cannot slow the generator down and so hide the
requests that would have come meanwhile. Nothing is ever sent twice.
"""

import math
import os
import time
from collections.abc import Callable

from fairway.adapters.load.client import Client
from fairway.adapters.load.pace import LATE, PaceKeeper
from fairway.adapters.load.plan import LoadPlan
from fairway.adapters.load.report import Pace, Report
from fairway.adapters.load.tally import Tally
from fairway.adapters.load.timer import open_timer

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
        self._client = Client(plan, self._tally)
        self._pace = PaceKeeper()
        self._sent = 0
        self._warmed = 0
        self._origin = 0.0
        self._begin = 0.0
        self._most = math.inf
        self._sending = 0.0
        self._behind = 0
        self._unfinished = 0
        self._timer = -1
        self._stopped = False

    def stop(self) -> None:
        """Sends nothing more; may be called from a signal handler."""
        self._stopped = True

    def run(self) -> Report:
        """Sends until the duration is over or somebody stops it, waits for what is under way, and reports."""
        plan = self._plan
        self.open(0 if plan.stop_on_eof else None)
        try:
            self._origin = time.monotonic()
            self._begin = self._origin + plan.warmup
            self._tally.start(self._begin)
            if plan.warmup:
                self._send_until(self._begin)
                # What was not even sent of the warm-up is forgotten.
                self._sent = max(self._sent, math.ceil(plan.warmup * plan.rate - 1e-6))
            self._warmed = self._sent
            self._most = self._sent + plan.count
            self._pace.start()
            self._sending = max(0.0, self._send_until(self._begin + plan.duration) - self._begin)
            due = min(math.ceil(self._sending * plan.rate - 1e-6), plan.count)
            self._behind = max(0, int(due) - (self._sent - self._warmed))
            pace = self._pace.finish(self._sent - self._warmed, self._behind, plan.rate)
            self._drain()
        finally:
            self.close()
        return self._report(pace)

    def open(self, eof: int | None = None) -> None:
        """Gets ready to send.

        Args:
            eof: descriptor whose end stops it; None: none.
        """
        self._timer = open_timer(_TICK if self._plan.rate else _IDLE_TICK)
        self._client.watch(self._timer, eof)
        self._begin = math.inf
        self._tally.start(math.inf)

    def close(self) -> None:
        """Closes everything; what is still under way stays unanswered."""
        os.close(self._timer)
        self._unfinished = self._client.count_busy()
        self._client.close()

    def take_turn(self, seconds: float) -> float:
        """Sends for so long, and waits for the answers.

        Returns:
            Seconds that the last answer took longer than the turn.
        """
        rate, before, begin = self._plan.rate, self._sent, time.monotonic()
        # The first request of the turn is due now, whatever of the turn before was never sent.
        self._origin = begin - (before / rate if rate else 0.0)
        self._pace.look(begin, is_free=True)
        end = self._send_until(begin + seconds)
        self._sending += end - begin
        self._behind += max(0, math.ceil((end - begin) * rate - 1e-6) - (self._sent - before))
        self._drain()
        return max(0.0, time.monotonic() - begin - seconds)

    def count_from_now(self) -> None:
        """What was sent before was to warm up."""
        self._sending, self._behind, self._warmed = 0.0, 0, self._sent
        self._begin = time.monotonic()
        self._tally.start(self._begin)
        self._pace.start()

    def report(self) -> Report:
        """Of all turns so far; ends the counting."""
        self._unfinished = self._client.count_busy()
        return self._report(self._pace.finish(self._sent - self._warmed, self._behind, self._plan.rate))

    def _report(self, pace: Pace) -> Report:
        return self._tally.report(
            seconds=self._sending,
            rate=self._plan.rate,
            behind=self._behind,
            unfinished=self._unfinished,
            pace=pace,
            warmed=self._warmed,
        )

    def _send_until(self, end: float) -> float:
        """Sends what falls due until the end, the last request or a stop; returns when that was."""
        client, tally = self._client, self._tally
        send_due = self._send_due if self._plan.rate else self._send_free
        next_live = self._begin + 1
        now = time.monotonic()
        while not self._stopped:
            before = self._sent
            send_due(min(now, end))
            if now >= self._begin:
                tally.piece.sent += self._sent - before
            if now >= end or self._sent >= self._most:
                break
            client.take_events()
            self._stopped = self._stopped or client.is_eof
            now = time.monotonic()
            tally.turn(now)
            client.sweep(now)
            if now >= next_live:
                next_live += 1
                self._live(now)
        return min(now, end)

    def _drain(self) -> None:
        """Waits for the answers under way: shortly when stopped from outside, else until each has had its time."""
        limit = time.monotonic() + (self._plan.drain if self._stopped else math.inf)
        while (now := time.monotonic()) < limit and self._client.count_busy():
            self._client.take_events()
            self._tally.turn(now)
            self._client.sweep(now)

    def _send_due(self, now: float) -> None:
        """Sends what is due as far as connections are free. `now` is when the loop looked last, or the end."""
        client, rate, origin = self._client, self._plan.rate, self._origin
        idle, send = client.idle, client.send
        sent = self._sent
        intended = origin + sent / rate
        while intended < now and sent < self._most:
            if not idle:
                break
            at = time.monotonic()
            if at - intended > LATE:
                self._pace.note(intended, at)
            send(sent, intended, at)
            sent += 1
            intended = origin + sent / rate
        self._sent = sent
        self._pace.look(now, is_free=bool(idle))

    def _send_free(self, _now: float) -> None:
        """Sends on every free connection."""
        client = self._client
        ready = min(len(client.idle), self._most - self._sent)
        for _ in range(int(ready)):  # a refused connection is idle again at once
            at = time.monotonic()
            client.send(self._sent, at, at)
            self._sent += 1

    def _live(self, now: float) -> None:
        elapsed = now - self._begin
        behind = max(0, int(elapsed * self._plan.rate) - (self._sent - self._warmed))
        self._report_live({"at": round(elapsed, 2), **self._tally.live(), "behind": behind})
