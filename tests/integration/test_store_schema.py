"""Old and new versions of the code and of the tables, together."""

import importlib
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from fairway.adapters.stores.sql import SqlStore, upgrade
from fairway.adapters.stores.sql.upgrade import SCHEMA
from fairway.domain.errors import PermanentError
from fairway.testing.journal_samples import begin, completion, plan, promotion


def write(store, statement, **values):
    with store.database.writing() as connection:
        return connection.execute(statement, values)


def read(store, statement):
    with store.database.reading() as connection:
        return connection.rows(statement)


def test_the_code_knows_the_last_migration():
    config = Config()
    config.set_main_option("script_location", str(upgrade._MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == f"{SCHEMA:04}"


def test_opening_again_changes_nothing(store_url):
    with SqlStore.open(store_url) as store:
        run = begin(store, "run-1", plan())
    with SqlStore.open(store_url) as store:
        assert store.load("run-1") == run


def test_several_threads_may_open_a_new_database_at_once(store_url):
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(SqlStore.open, [store_url] * 4))
    for store in stores:
        assert store.list_runs() == ()
        store.close()


def test_an_older_database_is_upgraded(store_url, monkeypatch, tmp_path):
    with SqlStore.open(store_url) as store:
        begin(store, "run-1", plan())
    copy_migrations(tmp_path, "ALTER TABLE fairway_runs ADD COLUMN mood TEXT")
    monkeypatch.setattr(upgrade, "_MIGRATIONS", tmp_path / "migrations")
    monkeypatch.setattr(upgrade, "SCHEMA", SCHEMA + 1)
    with SqlStore.open(store_url) as store:
        assert read(store, "SELECT mood FROM fairway_runs") == [(None,)]
        assert store.load("run-1").version == 1


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(store_url, monkeypatch, tmp_path):
    with SqlStore.open(store_url) as store:
        begin(store, "run-1", plan())
    copy_migrations(tmp_path, "ALTER TABLE fairway_runs ADD COLUMN mood TEXT", "ALTER TABLE nothing ADD COLUMN x TEXT")
    with monkeypatch.context() as patch:
        patch.setattr(upgrade, "_MIGRATIONS", tmp_path / "migrations")
        patch.setattr(upgrade, "SCHEMA", SCHEMA + 1)
        with pytest.raises(PermanentError):
            SqlStore.open(store_url)
    with SqlStore.open(store_url) as store:
        with pytest.raises(PermanentError):
            read(store, "SELECT mood FROM fairway_runs")
        assert read(store, f"SELECT version_num FROM {upgrade.VERSION_TABLE}") == [(f"{SCHEMA:04}",)]
        assert store.load("run-1").version == 1


def test_this_code_works_on_the_tables_of_a_later_version(store_url):
    with SqlStore.open(store_url) as store:
        write(store, "ALTER TABLE fairway_runs ADD COLUMN mood TEXT")
        write(store, "ALTER TABLE fairway_events ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm'")
        write(store, "CREATE TABLE fairway_moods (name TEXT)")
        write(store, f"UPDATE {upgrade.VERSION_TABLE} SET version_num = :number", number=f"{SCHEMA + 1:04}")
    with SqlStore.open(store_url) as store:
        run = begin(store, "run-1", plan())
        (claim,) = store.claim("a", now=run.started, ttl=9, limit=9)
        run = store.append(run, (*promotion(), *completion()), wake=None, epoch=claim.epoch)
        assert store.load("run-1") == run
        assert [line.id for line, _ in store.list_revisions("shop", "production")] == ["run-1"]
        assert read(store, f"SELECT version_num FROM {upgrade.VERSION_TABLE}") == [(f"{SCHEMA + 1:04}",)]


def test_tables_that_need_a_later_version_are_left_alone(store_url):
    with SqlStore.open(store_url) as store:
        write(store, f"UPDATE {upgrade.VERSION_TABLE} SET version_num = :number", number=f"{SCHEMA + 1:04}")
        write(store, "UPDATE fairway_compatibility SET needs_schema = :number", number=SCHEMA + 1)
    with pytest.raises(PermanentError) as caught:
        SqlStore.open(store_url)
    assert caught.value.code == "database-newer"
    assert "upgrade" in caught.value.hint


def test_what_a_later_version_adds_to_an_event_is_ignored(store_url):
    with SqlStore.open(store_url) as store:
        begin(store, "run-1", plan())
        add_event(store, 2, {"type": "Paused", "at": 1.0, "actor": "ann", "reason": "lunch", "mood": "calm"})
        run = store.load("run-1")
        assert (run.version, run.paused) == (2, "lunch")


@pytest.mark.parametrize(
    "data", [{"type": "Celebrated", "at": 1.0}, {"type": "RunEnded", "at": 1.0, "outcome": "celebrated", "reason": ""}]
)
def test_an_event_that_only_a_later_version_knows_stops_this_run_with_a_hint(store_url, data):
    with SqlStore.open(store_url) as store:
        begin(store, "run-1", plan())
        other = begin(store, "run-2", plan(environment="staging"))
        add_event(store, 2, data)
        with pytest.raises(PermanentError) as caught:
            store.load("run-1")
        assert caught.value.code == "event-unknown"
        assert data["type"] in caught.value.message
        assert "upgrade" in caught.value.hint
        assert store.load("run-2") == other
        assert [line.id for line in store.list_runs()] == ["run-2", "run-1"]


def add_event(store, version, data):
    write(
        store,
        "INSERT INTO fairway_events (run, version, at, type, data) VALUES ('run-1', :version, 1, :type, :data)",
        version=version,
        type=data["type"],
        data=json.dumps(data),
    )
    write(store, "UPDATE fairway_runs SET version = :version WHERE id = 'run-1'", version=version)


def copy_migrations(folder, *statements):
    """The migrations of the package and one more, as the next version would bring it."""
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    package = "fairway.adapters.stores.sql.migrations"
    source = Path(importlib.import_module(package).__path__[0])
    for file in ("env.py", *(f"versions/{path.name}" for path in (source / "versions").glob("v*.py"))):
        shutil.copy(source / file, folder / "migrations" / file)
    body = "\n".join(f"    op.execute({statement!r})" for statement in statements)
    numbers = f'revision, down_revision = "{SCHEMA + 1:04}", "{SCHEMA:04}"'
    (versions / f"v{SCHEMA + 1:04}_next.py").write_text(
        f"from alembic import op\n{numbers}\n\ndef upgrade():\n{body}\n"
    )
