"""Many runs and events: nothing reads more than what was asked for."""

import pytest
from sqlalchemy import event

from fairway.adapters.stores.sql import SqlStore
from fairway.domain.rollout.events import Paused
from fairway.testing.journal_samples import BEGIN, begin, plan


@pytest.fixture
def store(store_url):
    with SqlStore.open(store_url, lease_clock=lambda: BEGIN) as store:
        for number in range(80):
            run = begin(store, f"run-{number}", plan(environment=f"e{number}"))
            store.append(run, [Paused(BEGIN, "ann", str(turn)) for turn in range(10)], wake=None)
        yield store


@pytest.fixture
def statements(store):
    """The statements that were run since, each once although PostgreSQL's two engines are one."""
    seen = {}
    for use in (store.database.reading, store.database.writing):
        with use() as connection:
            engine = connection.engine
        event.listen(engine, "before_cursor_execute", lambda *arguments: seen.setdefault(arguments[4], arguments[2]))
    return seen


def test_a_claim_costs_one_statement_when_nothing_is_due(store, statements):
    assert store.claim("a", now=BEGIN + 9e6, ttl=9, limit=32) == ()
    assert len(statements) == 1


def test_a_claim_finds_the_few_that_are_due_among_many(store):
    for number in (7, 70):
        store.append(store.load(f"run-{number}"), [], wake=BEGIN + number)
    assert [claim.run for claim in store.claim("a", now=BEGIN + 70, ttl=9, limit=32)] == ["run-7", "run-70"]


def test_a_known_run_is_loaded_with_later_events_only(store, statements):
    run = store.load("run-5")
    assert run.version == 11
    again = store.append(run, [Paused(BEGIN, "ann", "again")], wake=None)
    statements.clear()
    assert store.load("run-5", known=again) is again
    assert len(statements) == 1


QUESTIONS = {
    "SELECT id FROM fairway_runs WHERE wake_at <= 1 AND holder IS NULL ORDER BY wake_at LIMIT 9": "fairway_runs_due",
    "SELECT id FROM fairway_runs WHERE service = 'shop' AND environment = 'e1' ORDER BY number": "fairway_runs_place",
    "SELECT data FROM fairway_events WHERE run = 'run-1' AND version > 3 ORDER BY version": "fairway_events",
    "SELECT id FROM fairway_outbox WHERE state = 'waiting' AND queue = 'q' AND number < 9": "fairway_outbox_waiting",
}


def test_questions_are_answered_from_an_index(store):
    with store.database.writing() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if not sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        for question, index in QUESTIONS.items():
            rows = connection.exec_driver_sql(f"EXPLAIN {'QUERY PLAN' if sqlite else ''} {question}")
            lines = [row[-1] for row in rows]
            assert any("INDEX" in line.upper() and index in line for line in lines), lines
