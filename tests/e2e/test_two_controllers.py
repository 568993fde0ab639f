"""Two controllers on one PostgreSQL: they share the work, and one takes over from the other when it dies."""

import json
import signal
import time
from collections import Counter
from pathlib import Path

import psycopg
from services import ask, configure, environment, release, turns_bad
from workshop import Workshop, free_port

from fairway.adapters.load.process import Load
from fairway.adapters.stores.sql import SqlStore
from fairway.domain.rollout.events import StepStarted

TELL = """#!/bin/sh
echo "$FAIRWAY_KEY $FAIRWAY_EVENT" >> {told}
"""


def test_a_controller_takes_over_from_a_dead_one_in_a_canary_and_nothing_happens_twice(
    shop: Workshop, postgres_url: str, tmp_path: Path
) -> None:
    port, told, flag = free_port(), tmp_path / "told", tmp_path / "bad"
    _configure(shop, postgres_url, port, told)
    controllers = [shop.start("serve"), shop.start("serve")]
    for one in controllers:
        assert one.stderr is not None
        assert "serves" in one.stderr.readline()
    assert shop.deploy("1.0.0", "production").status == 0
    assert "controller" not in shop.units()

    release(shop, "1.1.0", turns_bad(flag))
    with Load(f"http://127.0.0.1:{port}/", rate=150, connections=8) as users:
        run = shop.deploy("1.1.0", "production", "--no-wait").json["run"]
        shop.await_status("production", lambda status: status["evidence"] is not None)
        controllers.sort(key=lambda one: one.pid != _holder(postgres_url, run))
        dead, survivor = controllers
        dead.send_signal(signal.SIGKILL)
        flag.touch()
        shop.await_status("production", lambda status: status["weight"] == 0, seconds=20)
        status = shop.await_status("production", lambda status: status["finished"] is not None)
        seen = users.stop()
    assert (status["phase"], status["verdict"]) == ("rolled-back", "failed")
    assert seen.failed == 0, seen
    assert ask(port).text == "1.0.0"
    assert sorted(unit.split(".")[0] for unit in shop.units()) == ["envoy", "i"]

    with SqlStore.open(postgres_url) as store:
        started = [event for event in store.list_events(run) if isinstance(event, StepStarted)]
    assert set(Counter((event.track, event.index) for event in started).values()) == {1}
    assert (tmp_path / "validated").read_text() == "1.0.0\n1.1.0\n"
    assert _await_told(told, "rolled-back") == ["started", "rolling-back", "rolled-back"]
    survivor.terminate()
    assert shop.finish(survivor).status == 0


def test_a_file_has_one_controller(shop: Workshop) -> None:
    release(shop, "1.0.0", **{"fairway.yaml": configure(environment("production", free_port(), "rolling"))})
    first = shop.start("serve")
    assert first.stderr is not None
    assert "serves" in first.stderr.readline()
    second = shop.fairway("serve")
    assert second.status == 3
    assert "another controller serves" in second.err
    first.terminate()
    assert shop.finish(first).status == 0


def _configure(shop: Workshop, url: str, port: int, told: Path) -> None:
    validate = f"sh -c 'echo $FAIRWAY_VERSION >> {told.with_name('validated')}'"
    production = environment(
        "production",
        port,
        "{kind: canary, steps: [50, 100], bake: 600s}",
        instances=1,
        more=f'    stages: {{validate: {{run: ["{validate}"]}}}}\n',
    )
    head = f"database: {json.dumps(url)}\nnotify: [{{kind: command, run: ./tell.sh}}]\n"
    (shop.folder / "tell.sh").write_text(TELL.format(told=told))
    (shop.folder / "tell.sh").chmod(0o755)
    release(shop, "1.0.0", **{"fairway.yaml": configure(production, head=head)})


def _holder(url: str, run: str) -> int:
    """The process that holds the run's lease."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT holder FROM fairway_runs WHERE id = %s", [run]).fetchone()
    assert row is not None
    return int(row[0].rsplit(".", 2)[1])


def _await_told(told: Path, last: str) -> list[str]:
    """What the receiver was told of the run that the last event ends; every message once."""
    deadline = time.monotonic() + 60
    while not told.read_text().splitlines()[-1].endswith(last):
        assert time.monotonic() < deadline, told.read_text()
        time.sleep(0.05)
    lines = [line.split() for line in told.read_text().splitlines()]
    assert len({key for key, _ in lines}) == len(lines)
    events = [event for _, event in lines]
    return events[events.index("completed") + 1 :]
