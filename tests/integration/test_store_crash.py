"""kill -9 at every boundary of a write, and at any moment: all of a transaction or nothing of it."""

import os
import random
import signal
import time
from functools import partial

from fairway.adapters.stores.sql import SqlStore
from fairway.adapters.stores.sql.database import Connection
from fairway.domain.rollout.events import Paused, Resumed
from fairway.domain.rollout.messages import message_for
from fairway.domain.rollout.run import fold
from fairway.domain.rollout.spec import Adapter
from fairway.testing.journal_samples import BEGIN, begin, plan, promotion, started, way_back

RECEIVERS = (Adapter("webhook", (("url", "http://127.0.0.1:1"),)), Adapter("command"))
PLAN = plan("1.0.0", None, "production", *RECEIVERS)


def in_child(action):
    """Runs the action in a process of its own and returns that process's id; it ends with status 0 if all went well."""
    child = os.fork()
    if child:
        return child
    try:
        action()
        os._exit(0)
    finally:
        os._exit(1)


def killed(child):
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def die_at(boundary):
    """Kills this process at the boundary with that number: before and after each statement, but not after a commit."""
    passed = iter(range(1_000_000))
    run = Connection.execute

    def pass_boundary():
        if next(passed) == boundary:
            os.kill(os.getpid(), signal.SIGKILL)

    def execute(self, statement, *values):
        pass_boundary()
        cursor = run(self, statement, *values)
        if statement != "COMMIT":
            pass_boundary()
        return cursor

    Connection.execute = execute


def look(url, run_id="run-1"):
    """The run's state, after everything that is projected from it was found to be as its events say."""
    with SqlStore.open(url) as store:
        events = store.list_events(run_id)
        summaries = {line.id: line for line in store.list_runs()}
        if not events:
            assert run_id not in summaries
            assert store.environment("shop", "production").run is None
            return None
        run = store.load(run_id)
        assert (summaries[run_id].phase, summaries[run_id].verdict) == (run.phase, run.verdict)
        state = store.environment("shop", "production")
        assert (state.live, state.run) == (run.live, None if run.outcome else run_id)
        assert (store.quarantine(PLAN.candidate.artifact.digest) is not None) == run.quarantined
        told = [message_for(fold(run_id, events[: n + 1]), fact) for n, fact in enumerate(events)]
        with store.database.reading() as connection:
            count = connection.value("SELECT count(*) FROM fairway_outbox")
            version = connection.value("SELECT version FROM fairway_runs")
        assert count == len(RECEIVERS) * sum(message is not None for message in told)
        assert version == len(events)
        return run


def test_a_start_is_whole_or_was_not(store_url):
    SqlStore.open(store_url).close()

    def begin_and_die(boundary):
        with SqlStore.open(store_url) as store:
            die_at(boundary)
            assert store.start("run-1", started(PLAN)) is None

    boundary = 0
    while killed(in_child(partial(begin_and_die, boundary))):
        assert look(store_url) is None
        boundary += 1
    assert boundary >= 12
    assert look(store_url).version == 1


def test_an_append_is_whole_or_was_not(store_url):
    with SqlStore.open(store_url) as store:
        before = store.append(begin(store, "run-1", PLAN), promotion(), wake=BEGIN)

    def append_and_die(boundary):
        with SqlStore.open(store_url) as store:
            run = store.load("run-1")
            die_at(boundary)
            store.append(run, way_back(PLAN), wake=None)

    boundary = 0
    while killed(in_child(partial(append_and_die, boundary))):
        assert look(store_url) == before
        boundary += 1
    assert boundary >= 12
    assert look(store_url).outcome == "rolled-back"


def test_a_takeover_is_whole_or_was_not(store_url):
    with SqlStore.open(store_url) as store:
        begin(store, "run-1", PLAN)

    def claim_and_die(boundary):
        with SqlStore.open(store_url) as store:
            die_at(boundary)
            store.claim("a", now=BEGIN, ttl=1e9, limit=9)

    boundary = 0
    while killed(in_child(partial(claim_and_die, boundary))):
        with SqlStore.open(store_url) as store:
            assert store.environment("shop", "production").epoch == 0
            assert store.renew("a", now=BEGIN, ttl=1e9) == ()
        boundary += 1
    assert boundary >= 6
    with SqlStore.open(store_url) as store:
        assert [claim.epoch for claim in store.renew("a", now=BEGIN, ttl=1e9)] == [1]


def test_a_writer_that_is_killed_again_and_again_never_leaves_half_a_transaction(store_url):
    with SqlStore.open(store_url) as store:
        version = begin(store, "run-1", PLAN).version
    chance = random.Random(1)
    for _ in range(10):
        heard, told = os.pipe()
        child = in_child(partial(write_on, store_url, told))
        os.close(told)
        assert os.read(heard, 1) == b"."  # it has written something, and goes on
        os.close(heard)
        time.sleep(chance.uniform(0, 0.03))  # the moment of the kill is what is tried here
        os.kill(child, signal.SIGKILL)
        assert killed(child)
        run = look(store_url)
        assert run.version > version
        assert run.version % 2 == 1
        version = run.version


def write_on(url, told):
    with SqlStore.open(url) as store:
        run = store.load("run-1")
        while True:
            run = store.append(run, (Paused(BEGIN, "fairway", "too few"), Resumed(BEGIN, "ann")), wake=BEGIN)
            (claim,) = store.claim("a", now=BEGIN, ttl=9, limit=9)
            store.save_evidence("run-1", {"version": run.version}, epoch=claim.epoch)
            if told is not None:
                os.write(told, b".")
                told = None
