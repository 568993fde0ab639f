"""Requests that some users never get answered, on real processes behind a real Envoy, under users with a time-out."""

import asyncio
import threading
from collections import Counter
from types import TracebackType

import pytest
from services import corner, release
from workshop import Workshop

PATIENCE = 0.7
"""Seconds after which a user gives up."""

#: One request in five of each process is never answered.
HANGS = "await asyncio.sleep(3600) if SEEN % 5 == 0 else None"

#: Some answers take longer than users wait, whatever the version.
SLOW = "await asyncio.sleep(1.5 if SEEN % 4 == 0 else 0.05)"


class Impatient:
    """Users who each ask once and go after `PATIENCE`, at an even rate, until the end of the block.

    Attributes:
        seen: how many were answered, by the first line of the answer, and how many `gave up`.
    """

    def __init__(self, port: int, rate: float) -> None:
        self.seen: Counter[str] = Counter()
        self._port, self._pause, self._over = port, 1.0 / rate, threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._come()))

    def __enter__(self) -> "Impatient":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    async def _come(self) -> None:
        async with asyncio.TaskGroup() as users:
            while not self._over.is_set():
                users.create_task(self._ask())
                await asyncio.sleep(self._pause)

    async def _ask(self) -> None:
        writer = None
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                writer.write(b"GET / HTTP/1.1\r\nHost: corner\r\nConnection: close\r\n\r\n")
                self.seen[(await reader.readline()).decode().strip()] += 1
                await reader.read()
        except TimeoutError:
            self.seen["gave up"] += 1
        except OSError as error:
            self.seen[type(error).__name__] += 1
        finally:
            if writer is not None:
                writer.close()


def test_a_candidate_that_hangs_on_one_request_in_five_is_taken_back_when_users_give_up(shop: Workshop) -> None:
    port = corner(shop, "{kind: canary, steps: [40, 100], bake: 60s}")
    assert shop.deploy("1.0.0", "production").status == 0
    release(shop, "1.1.0", HANGS)
    with Impatient(port, rate=80) as users:
        answer = shop.deploy("1.1.0", "production")
    report = answer.json
    assert (answer.status, report["phase"], report["evidence"]["rule"]) == (1, "rolled-back", "abandonment-lane"), (
        answer.err
    )
    assert "clients gave up" in report["reason"]
    lane = next(one for one in report["evidence"]["evidence"]["lanes"] if one["name"] == "abandonment-lane")
    assert lane["candidate"]["failed"] / lane["candidate"]["finished"] == pytest.approx(0.2, abs=0.1)
    assert lane["stable"]["failed"] == 0
    assert users.seen["gave up"] > 0
    assert users.seen["HTTP/1.1 200 OK"] > 5 * users.seen["gave up"]


def test_users_who_give_up_both_versions_alike_take_no_candidate_back(shop: Workshop) -> None:
    port = corner(shop, "{kind: canary, steps: [50, 100], bake: 4s}", analysis="{warmup: 1s, block: 1s, latency: 50%}")
    release(shop, "1.0.1", SLOW)
    assert shop.deploy("1.0.1", "production").status == 0
    release(shop, "1.1.0", SLOW)
    with Impatient(port, rate=80) as users:
        answer = shop.deploy("1.1.0", "production")
    assert (answer.status, answer.json["phase"]) == (0, "completed"), answer.json["reason"]
    assert users.seen["gave up"] > 0.15 * users.seen.total()
