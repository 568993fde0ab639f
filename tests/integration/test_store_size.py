"""Many runs and events: nothing reads more than what was asked for."""

import pytest

from fairway.adapters.stores.sql import SqlStore
from fairway.adapters.stores.sql.database import Connection
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
def statements(store, monkeypatch):
    """The statements that were run since, with their values."""
    seen = []
    run = Connection.execute

    def execute(connection, statement, values=None):
        seen.append((statement, values or {}))
        return run(connection, statement, values or {})

    monkeypatch.setattr(Connection, "execute", execute)
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


def test_frequent_questions_are_answered_from_an_index(store, statements):
    store.claim("a", now=BEGIN, ttl=9, limit=9)
    store.list_runs(service="shop", environment="e1")
    store.list_revisions("shop", "e1")
    store.list_revisions("shop", "e1", named="1.0.0")
    store.list_events("run-1", after=3)
    store.list_due(now=BEGIN, limit=9)
    questions = [(statement, values) for statement, values in statements if statement.startswith("SELECT")]
    assert len(questions) == 6
    with store.database.writing() as connection:
        postgres = store.database.shared
        if postgres:
            connection.execute("SET LOCAL enable_seqscan = off")  # with so few rows it would not need an index
        for statement, values in questions:
            explain = "EXPLAIN" if postgres else "EXPLAIN QUERY PLAN"
            lines = [str(row[-1]) for row in connection.rows(f"{explain} {statement}", values)]
            whole = [line for line in lines if "Seq Scan" in line or ("SCAN" in line and "INDEX" not in line)]
            assert whole == [], statement
            assert "INDEX" in str(lines).upper(), lines
