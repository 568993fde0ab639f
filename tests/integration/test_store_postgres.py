import contextlib
import socket
import sys
import time

import psycopg
import pytest

from fairway.adapters.stores.sql import SqlStore
from fairway.domain.errors import PermanentError, TransientError, UserError
from fairway.domain.rollout.spec import Adapter
from fairway.testing.journal_samples import BEGIN, begin, plan, promotion


@pytest.fixture
def store(postgres_url):
    with SqlStore.open(postgres_url) as store:
        yield store


@pytest.fixture
def server(postgres_url):
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def user(server):
    server.execute("CREATE ROLE eve LOGIN PASSWORD 'right'")
    yield "eve"
    server.execute("DROP ROLE eve")


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_usual_form_of_the_url_is_taken(postgres_url, scheme):
    SqlStore.open(postgres_url.replace("postgresql", scheme, 1)).close()


def test_a_missing_driver_is_named_with_the_way_to_install_it(postgres_url, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UserError) as caught:
        SqlStore.open(postgres_url)
    assert caught.value.hint == "pip install 'fairway[postgres]'"


def test_a_shared_database_cannot_be_had_for_oneself(postgres_url):
    with pytest.raises(UserError) as caught:
        SqlStore.open(postgres_url, exclusive=True)
    assert caught.value.code == "database-url"


def test_a_server_that_does_not_answer_is_an_error_that_passes():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        with pytest.raises(TransientError) as caught:
            SqlStore.open(f"postgresql://ann:secret@127.0.0.1:{port}/shop")
    assert caught.value.code == "database-unreachable"
    assert f"127.0.0.1:{port}" in caught.value.message
    assert "secret" not in caught.value.message


def test_a_wrong_password_is_an_error_that_stays(user, postgres_url):
    with pytest.raises(PermanentError) as caught:
        SqlStore.open(postgres_url.replace("postgres@", f"{user}:secret@"))
    assert caught.value.code == "database-refused"
    assert user in caught.value.message
    assert "/tmp/fairway-pg-" in caught.value.message
    assert "secret" not in caught.value.message


def test_a_database_that_does_not_exist_is_an_error_that_stays(postgres_url):
    with pytest.raises(PermanentError) as caught:
        SqlStore.open(postgres_url.replace("/test?", "/nothing?"))
    assert caught.value.code == "database-refused"
    assert "'nothing'" in caught.value.message


def test_a_user_without_rights_is_an_error_that_stays(store, user, postgres_url):
    with (
        pytest.raises(PermanentError) as caught,
        SqlStore.open(postgres_url.replace("postgres@", f"{user}:right@")) as opened,
    ):
        opened.list_runs()
    assert caught.value.code == "database-forbidden"


def test_a_read_only_server_is_an_error_that_passes_once_new_connections_reach_another(store, server):
    run = begin(store, "run-1", plan())
    server.execute(f"ALTER DATABASE {server.info.dbname} SET default_transaction_read_only = on")
    store.close()
    with contextlib.ExitStack() as several:
        for _ in range(3):
            several.enter_context(store.database.reading())
    # What is open stays read-only, as connections to a former primary do.
    server.execute(f"ALTER DATABASE {server.info.dbname} RESET default_transaction_read_only")
    with pytest.raises(TransientError) as caught:
        store.append(run, promotion(), wake=None)
    assert caught.value.code == "database-read-only"
    assert store.append(run, promotion(), wake=None).version == 3


def test_a_dropped_connection_is_an_error_that_passes_and_the_next_try_succeeds(store, server):
    run = begin(store, "run-1", plan())
    server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid()"
    )
    with pytest.raises(TransientError) as caught:
        store.append(run, promotion(), wake=None)
    assert caught.value.code == "database-unreachable"
    assert store.append(run, promotion(), wake=None).version == 3


def test_a_server_that_vanishes_without_a_word_is_given_up_before_a_lease_is_missed_for_long(store):
    with store.database.reading() as connection:
        settings = connection.driver.info.get_parameters()
    assert int(settings["tcp_user_timeout"]) <= 10_000
    silence = int(settings["keepalives_idle"]) + int(settings["keepalives_interval"]) * int(
        settings["keepalives_count"]
    )
    assert silence <= 12


def test_a_row_that_somebody_holds_for_too_long_is_an_error_that_passes(postgres_url, server):
    with SqlStore.open(postgres_url, patience=0.1) as store:
        run = begin(store, "run-1", plan())
        with server.transaction():
            server.execute("SELECT * FROM fairway_runs FOR UPDATE")
            with pytest.raises(TransientError) as caught:
                store.append(run, promotion(), wake=None)
            assert store.claim("a", now=BEGIN, ttl=9, limit=9) == ()
        assert caught.value.code == "database-busy"
        assert [claim.run for claim in store.claim("a", now=BEGIN, ttl=9, limit=9)] == ["run-1"]


def test_a_process_that_stops_in_a_transaction_does_not_keep_its_locks(store):
    with store.database.writing() as connection:
        timeout = connection.value("SHOW idle_in_transaction_session_timeout")
        assert connection.value("SHOW transaction_isolation") == "read committed"
    assert timeout == "10s"


def test_leases_end_by_the_clock_of_the_server_not_by_those_of_the_controllers(postgres_url):
    with SqlStore.open(postgres_url) as slow, SqlStore.open(postgres_url) as fast:
        begin(slow, "run-1", plan())
        slow.claim("slow", now=BEGIN, ttl=60, limit=9)
        assert fast.claim("fast", now=BEGIN + 9e6, ttl=60, limit=9) == ()
        slow.renew("slow", now=BEGIN, ttl=0.05)
        deadline = time.monotonic() + 60
        while not fast.claim("fast", now=BEGIN + 9e6, ttl=60, limit=9):
            assert time.monotonic() < deadline


def test_two_controllers_do_not_deliver_the_same_message(postgres_url):
    now = BEGIN
    with (
        SqlStore.open(postgres_url, lease_clock=lambda: now) as one,
        SqlStore.open(postgres_url, lease_clock=lambda: now) as other,
    ):
        begin(one, "run-1", plan("1.0.0", None, "production", Adapter("webhook")))
        assert len(one.list_due(now=BEGIN, limit=9)) == 1
        assert len(one.list_due(now=BEGIN, limit=9)) == 1
        assert other.list_due(now=BEGIN, limit=9) == ()
        now += 31
        assert len(other.list_due(now=BEGIN, limit=9)) == 1
        assert one.list_due(now=BEGIN, limit=9) == ()


def test_events_can_be_neither_changed_nor_deleted(store, server):
    begin(store, "run-1", plan())
    for statement in ("UPDATE fairway_events SET at = 0", "DELETE FROM fairway_events", "TRUNCATE fairway_events"):
        with pytest.raises(psycopg.errors.RaiseException, match="never changed"):
            server.execute(statement)


def test_reading_leaves_no_transaction_open(store, server):
    begin(store, "run-1", plan())
    store.load("run-1")
    store.list_runs()
    states = server.execute(
        "SELECT DISTINCT state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    ).fetchall()
    assert states == [("idle",)]


def test_closing_twice_does_nothing(store):
    store.close()
    with contextlib.closing(store):
        pass
