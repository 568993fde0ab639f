"""What is refused before a restore begins, and what a restore says beforehand; on a real journal."""

from dataclasses import replace

import pytest
from engine_world import settle

from fairway.domain.errors import TransientError, UserError
from fairway.domain.recovery.backup import Backup, Contents
from fairway.domain.recovery.spec import DatabaseSpec
from fairway.domain.rollout.events import RunStarted
from fairway.domain.rollout.strategy import Rolling
from fairway.testing.databases import FakeBackups, FakeDatabase
from fairway.usecases.answers import Declined, Started
from fairway.usecases.recovery.backups import BackupDesk
from fairway.usecases.recovery.restore import Outlook, Restored, Restorer, Wish
from rollout_samples import ENVIRONMENT, NEW, OLD, SERVICE, deployment, scaling

MAIN, LEDGER = DatabaseSpec("main", "sqlite", "/data/shop.db"), DatabaseSpec("ledger", "sqlite", "/data/ledger.db")
THEN, NOW = Contents((("users", 2),), "schema"), Contents((("users", 5),), "schema")
BARE = replace(ENVIRONMENT, name="staging", databases=())


@pytest.fixture
def database():
    return FakeDatabase("shop.db", {"shop.db": NOW}, {"/backups/b-then": THEN})


@pytest.fixture
def restorer(sqlite, clock, database):
    """Production has two databases and something live; of `main` there is a backup, an hour old."""
    environment = replace(ENVIRONMENT, databases=(MAIN, LEDGER))
    service = replace(SERVICE, environments=(environment, BARE))
    backups = FakeBackups()
    for name, of, place in (("b-then", "main", "production"), ("b-else", "main", "staging")):
        backups.kept[name] = Backup(name, "shop", place, of, "sqlite", clock.now - 3600.0, contents=THEN)
    desk = BackupDesk(service, backups, lambda _: database, lambda: "b-saved", clock, "ann")
    settle(sqlite, replace(scaling(3), environment="production"), "live")
    return Restorer(desk, sqlite, sqlite, lambda: "r-1")


def refused(restorer, wish):
    with pytest.raises(UserError) as caught:
        restorer.prepare(wish)
    return f"{caught.value.code}: {caught.value.message}; {caught.value.hint}"


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish("b-none", "production"), "unknown-backup: there is no backup 'b-none'; the latest are b-then, b-else"),
        (Wish("b-then", "staging"), "no-databases: staging has no databases"),
        (Wish("b-then", "nowhere"), "unknown-environment: shop has no environment 'nowhere'"),
        (Wish("b-else", "production"), "other-environment: backup b-else is of staging, not of production"),
        (Wish("b-then", "production", "ledger"), "other-database: backup b-then is of the database main (sqlite)"),
        (Wish("b-then", "production", "nope"), "unknown-database: production has no database 'nope'; known are main"),
        (Wish("../../etc/passwd\0", "production"), "unknown-backup"),
    ],
)
def test_what_does_not_exist_or_belong_together_is_refused_by_name(restorer, database, wish, words):
    assert words in refused(restorer, wish)
    assert database.effects == {}


def test_what_will_be_lost_is_said_before(restorer, database):
    outlook = restorer.prepare(Wish("b-then", "production"))
    assert isinstance(outlook, Outlook)
    assert outlook.lost.startswith("what was written to shop.db since 2023-11-14T21:13:20Z (60 min ago)") or (
        "1 h 0 min ago" in outlook.lost
    )
    assert outlook.plan.recovery.saved == "b-saved"
    assert outlook.plan.candidate.id == OLD.id
    assert database.effects == {}, "and nothing was done yet"


def test_a_changed_schema_is_refused_with_what_would_be_lost_unless_somebody_says_so(restorer, database):
    database.present["shop.db"] = replace(NOW, schema="newer")
    answer = restorer.prepare(Wish("b-then", "production"))
    assert isinstance(answer, Declined)
    assert answer.code == "schema-changed"
    assert "what was written to shop.db since" in answer.sentence
    assert "--other-schema" in answer.hint
    assert isinstance(restorer.prepare(Wish("b-then", "production", other_schema=True)), Outlook)
    database.present["shop.db"] = Contents(damage=("page 3 is broken",))
    assert isinstance(restorer.prepare(Wish("b-then", "production")), Outlook), "nobody knows what a damaged one was"


def test_an_altered_backup_is_no_answer_to_a_lost_database(restorer, database):
    restorer.desk.backups.altered.add("b-then")
    del database.present["shop.db"]
    answer = restorer.prepare(Wish("b-then", "production"))
    assert isinstance(answer, Declined)
    assert answer.code == "backup-altered"


def test_a_lost_database_is_planned_without_a_backup_of_it(restorer, database):
    del database.present["shop.db"]
    outlook = restorer.prepare(Wish("b-then", "production"))
    assert isinstance(outlook, Outlook)
    assert outlook.plan.recovery.saved == ""
    assert "there is no database shop.db now" in outlook.lost


@pytest.mark.parametrize(("reason", "word"), [("", "CONFIRM"), ("  ", "CONFIRM"), ("lost", "confirm"), ("lost", "")])
def test_without_a_reason_and_the_word_nothing_begins(restorer, sqlite, reason, word):
    outlook = restorer.prepare(Wish("b-then", "production"))
    with pytest.raises(UserError) as caught:
        restorer.start(outlook, reason=reason, confirmation=word)
    assert caught.value.code in {"no-reason", "not-confirmed"}
    assert sqlite.environment("shop", "production").run is None


def test_a_restore_and_a_deployment_keep_each_other_out(restorer, sqlite, clock):
    outlook = restorer.prepare(Wish("b-then", "production"))
    assert isinstance(restorer.start(outlook, reason="lost", confirmation="CONFIRM"), Started)
    plan = deployment(Rolling())
    assert plan.candidate == NEW
    assert sqlite.start("r-deploy", RunStarted(clock(), "bob", "", plan)) == "r-1"
    again = restorer.prepare(Wish("b-then", "production"))
    assert isinstance(again, Declined)
    assert (again.code, "r-1" in again.sentence) == ("busy", True)
    late = restorer.start(replace(outlook, run="r-2"), reason="lost", confirmation="CONFIRM")
    assert isinstance(late, Declined)
    assert late.code == "busy"


def test_a_restore_does_not_begin_beside_a_deployment(restorer, sqlite, clock):
    sqlite.start("r-deploy", RunStarted(clock(), "bob", "", deployment(Rolling())))
    answer = restorer.prepare(Wish("b-then", "production"))
    assert isinstance(answer, Declined)
    assert answer.code == "busy"


def test_where_nothing_is_live_only_a_new_database_can_be_restored(restorer, database):
    environments = (*restorer.desk.service.environments[:1], replace(BARE, databases=(MAIN,)))
    desk = replace(restorer.desk, service=replace(restorer.desk.service, environments=environments))
    answer = replace(restorer, desk=desk).prepare(Wish("b-else", "staging"))
    assert isinstance(answer, Declined)
    assert answer.code == "nothing-live"
    database.files["/backups/b-else"] = THEN
    done = replace(restorer, desk=desk).restore_into(Wish("b-else", "staging"), "copy")
    assert done == Restored(desk.backups.kept["b-else"], "copy")
    assert database.present == {"shop.db": NOW, "copy": THEN}


@pytest.mark.parametrize("name", ["shop.db", "taken", "../x", "", "x" * 64, "copy; DROP DATABASE shop"])
def test_a_new_database_never_takes_the_place_of_another_one(restorer, database, name):
    database.present["taken"] = NOW
    with pytest.raises(UserError) as caught:
        restorer.restore_into(Wish("b-then", "production"), name)
    assert caught.value.code in {"data-name", "data-there"}
    assert database.effects == {}


def test_a_new_database_that_could_not_be_compared_is_removed_again(restorer, database):
    class Gone(type(database)):
        def inspect(self, name=""):
            if name in self.present:
                raise TransientError("data-trouble", "the server is away")
            return super().inspect(name)

    gone = Gone(database.name, database.present, database.files)
    desk = replace(restorer.desk, database_of=lambda _: gone)
    with pytest.raises(TransientError):
        replace(restorer, desk=desk).restore_into(Wish("b-then", "production"), "copy")
    assert gone.present == {"shop.db": NOW}


def test_a_new_database_that_differs_from_the_record_is_removed_again(restorer, database):
    database.loses = True
    answer = restorer.restore_into(Wish("b-then", "production"), "copy")
    assert isinstance(answer, Declined)
    assert "users has 1 rows, not 2" in answer.sentence
    assert database.present == {"shop.db": NOW}
