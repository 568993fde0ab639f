"""Restores in place on the engine: what they do, how they end, and a death or an abort at each of their boundaries."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from boundaries import Crash, Watched
from engine_world import BEGIN, Controller, Street, begin, facts, live_through
from matrix import order_faults

from fairway.domain.errors import PermanentError, TransientError
from fairway.domain.recovery.backup import Backup, Contents
from fairway.domain.recovery.spec import DatabaseSpec
from fairway.domain.recovery.steps import LoadBeside, Recovery, ReturnDatabase, SaveDatabase, SwapDatabase
from fairway.domain.rollout.events import AttentionNeeded, RollbackStarted, StepFinished
from fairway.domain.rollout.plan import Plan
from fairway.domain.rollout.restoring import compile_restore
from fairway.domain.validation.checks import Check, HttpCheck, Suite
from fairway.domain.validation.findings import errored, failed
from fairway.engine.perform import Performance
from fairway.testing.checks import FakeChecker
from fairway.testing.databases import FakeBackups, FakeDatabase
from fairway.testing.target import Behaviour
from rollout_samples import ENVIRONMENT, OLD, SERVICE

THEN, NOW = Contents((("users", 2),), "schema"), Contents((("users", 5),), "schema")
SPEC = DatabaseSpec("main", "sqlite", "/data/shop.db")
BESIDE, ASIDE = "shop.db_restored_r_1", "shop.db_before_r_1"
RECOVERY = Recovery(SPEC, "b-then", BEGIN - 600.0, "b-saved", "shop.db", BESIDE, ASIDE)
CHECKS = Suite((Check("page", HttpCheck("/")),))


def restoring(*, saved: str = "b-saved") -> Plan:
    environment = replace(ENVIRONMENT, suite=CHECKS, stages={})
    recovery = replace(RECOVERY, saved=saved)
    return compile_restore(SERVICE, environment, recovery=recovery, live=OLD, instances=2)


@dataclass
class Cellar(Street):
    """A street with a database and a backup of it."""

    database: FakeDatabase = field(default_factory=lambda: FakeDatabase("shop.db", {"shop.db": NOW}))
    backups: FakeBackups = field(default_factory=FakeBackups)
    checker: FakeChecker = field(default_factory=FakeChecker)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.database.files["/backups/b-then"] = THEN
        kept = Backup("b-then", "shop", self.name, "main", "sqlite", BEGIN - 600.0, contents=THEN, digest="sha256:1")
        self.backups.kept["b-then"] = kept
        self._before = dict(self.database.present)

    def world(self):
        watched = Watched("database", self.database, self.boundaries)
        backups = Watched("backups", self.backups, self.boundaries)
        return replace(super().world(), backups=backups, database_of=lambda _: watched, checker=self.checker)

    def _look(self, name: str) -> None:
        """No database changes its place while an instance runs, and there is one in place at every instant."""
        if self.database.present.get("shop.db") != self._before.get("shop.db") and self.target._instances:
            self.faults.append(f"{name}: the database was exchanged under {self.target._instances[0].id}")
        if "shop.db" in self._before and "shop.db" not in self.database.present:
            self.faults.append(f"{name}: there is no database")
        self._before = dict(self.database.present)

    def picture(self):
        told = {"present": dict(self.database.present), "kept": set(self.backups.kept)}
        return super().picture() | told | {"taken": dict(self.backups.taken)}


@pytest.fixture
def make_cellar(sqlite, clock) -> Callable[..., Cellar]:
    numbers = iter(range(1, 1000))

    def make(plan: Plan | None = None, **world: object) -> Cellar:
        return Cellar(plan or restoring(), sqlite, clock, f"e{next(numbers)}", **world)

    return make


def wrong(street: Cellar, outcome: str) -> list[str]:
    run = street.run()
    ended = [] if run.outcome == outcome else [f"ended {run.outcome}: {run.ended_reason}"]
    return [*ended, *dict.fromkeys(street.faults), *order_faults(street.store.list_events(street.id))]


def plain(street: Cellar) -> str:
    return repr(street.picture()).replace(street.id, "RUN").replace(repr(street.name), "NAME")


def details(street: Cellar) -> dict[str, str]:
    run = street.run()
    done = {one.index: one.detail for one in facts(street, StepFinished) if one.track == "forward"}
    return {type(run.plan.forward[index].step).__name__: detail for index, detail in done.items()}


def test_a_restore_brings_back_what_was_and_keeps_what_is(make_cellar):
    street = make_cellar()
    run = live_through(street)
    assert wrong(street, "completed") == []
    assert street.database.present == {"shop.db": THEN, ASIDE: NOW}
    assert street.backups.kept["b-saved"].contents == NOW
    assert street.backups.kept["b-saved"].run == street.id
    assert street.database.effects == {"dump": 1, "load": 1, "exchange": 1}
    assert [name for name, _ in street.checker.asked] == ["page"], "the checks come last, on the users' address"
    assert "as in backup b-then" in run.ended_reason
    assert ASIDE in run.ended_reason
    state = street.store.environment("shop", street.name)
    assert (state.live, state.instances, state.run) == (street.plan.candidate, 2, None)
    assert len(street.target._instances) == 2
    assert street.router.observe().routes.stable == OLD.id
    assert run.verdict == "passed"


def test_checks_that_fail_end_the_run_with_the_way_back_and_swap_nothing(make_cellar):
    street = make_cellar()
    street.checker.findings["page"] = (replace(failed("status", "GET /", "200", "500"), check="page"),)
    run = live_through(street)
    assert wrong(street, "failed") == []
    assert run.verdict == "failed"
    assert street.database.present == {"shop.db": THEN, ASIDE: NOW}
    assert "Nothing was swapped back; to return: fairway restore b-saved --env" in run.ended_reason
    assert len(street.target._instances) == 2
    assert facts(street, RollbackStarted) == []
    assert street.store.environment("shop", street.name).live == street.plan.candidate
    assert street.store.quarantine(street.plan.candidate.artifact.digest) is None
    assert street.notifier.received[f"{street.id}.{run.version}.0"] == "failed"


def test_checks_without_an_answer_end_it_as_errored(make_cellar):
    street = make_cellar()
    street.checker.findings["page"] = (replace(errored("refused", "GET /", "an answer", "nobody"), check="page"),)
    run = live_through(street)
    assert wrong(street, "failed") == []
    assert run.verdict == "errored"
    assert "to return: fairway restore b-saved" in run.ended_reason


def test_instances_that_cannot_work_with_what_was_restored_end_it_too(make_cellar):
    street = make_cellar(behaviours={})
    street.boundaries.look = lambda name: (
        street.target.behave(OLD.id, Behaviour(crashes=True)) if name == "after database.exchange" else None
    )
    run = live_through(street)
    assert (run.outcome, run.verdict) == ("failed", "failed")
    assert "ends again and again" in run.ended_reason
    assert "to return: fairway restore b-saved" in run.ended_reason


@pytest.mark.parametrize(
    ("spoil", "rule", "loads"),
    [
        (lambda street: street.backups.altered.add("b-then"), "was altered", 0),
        (lambda street: street.backups.kept.pop("b-then"), "is not kept any more", 0),
        (lambda street: setattr(street.database, "loses", True), "users has 1 rows, not 2", 1),
        (lambda street: street.database.failing.update(load=PermanentError("refused", "no room")), "no room", 1),
        (lambda street: street.database.failing.update(dump=PermanentError("refused", "no right")), "no right", 0),
    ],
    ids=["altered", "gone", "other rows", "not loaded", "not saved"],
)
def test_what_goes_wrong_before_the_swap_leaves_everything_as_it_was(make_cellar, spoil, rule, loads):
    street = make_cellar()
    spoil(street)
    instances = [one.id for one in street.target._instances]
    run = live_through(street)
    assert wrong(street, "rolled-back") == []
    assert rule in run.ended_reason
    assert street.database.present == {"shop.db": NOW}
    assert street.database.effects["load"] == loads
    assert [one.id for one in street.target._instances] == instances, "nobody was stopped"


def test_a_database_that_cannot_be_put_aside_is_given_back_to_its_instances(make_cellar):
    street = make_cellar()
    street.database.failing["exchange"] = PermanentError("refused", "the server refuses")
    street.boundaries.look = lambda name: (
        street.database.failing.clear() if facts(street, RollbackStarted) else street._look(name)
    )
    live_through(street)
    assert wrong(street, "rolled-back") == []
    assert street.database.present == {"shop.db": NOW}
    assert len(street.target._instances) == 2
    assert street.router.observe().routes.stable == OLD.id


def test_a_damaged_database_is_restored_all_the_same_and_kept(make_cellar):
    street = make_cellar()
    street.database.failing["dump"] = PermanentError("data-damaged", "shop.db is damaged")
    live_through(street)
    assert wrong(street, "completed") == []
    assert street.database.present == {"shop.db": THEN, ASIDE: NOW}
    assert details(street)["SaveDatabase"] == f"not possible: shop.db is damaged; it is kept as {ASIDE}"


def test_no_way_back_is_named_to_a_backup_that_could_not_be_taken(make_cellar):
    street = make_cellar()
    street.database.failing["dump"] = PermanentError("data-damaged", "shop.db is damaged")
    street.checker.findings["page"] = (replace(failed("status", "GET /", "200", "500"), check="page"),)
    run = live_through(street)
    assert wrong(street, "failed") == []
    assert f"is kept as {ASIDE}" in run.ended_reason
    assert "b-saved" not in run.ended_reason


def test_a_lost_database_is_restored_without_a_backup_of_it(make_cellar):
    street = make_cellar(restoring(saved=""))
    street.database.present.clear()
    street._before = {}
    run = live_through(street)
    assert wrong(street, "completed") == []
    assert street.database.present == {"shop.db": THEN}
    assert ("backup", "there is no database shop.db to be backed up") in run.plan.skipped


def test_what_the_service_made_in_place_of_a_lost_database_is_kept_and_put_back(make_cellar):
    street = make_cellar(restoring(saved=""))
    live_through(street)
    assert wrong(street, "completed") == []
    assert street.database.present == {"shop.db": THEN, ASIDE: NOW}
    assert details(street)["SwapDatabase"] == f"one that the service made meanwhile is kept as {ASIDE}"
    street.target._instances.clear()
    epoch = street.store.environment(street.plan.service, street.name).epoch
    back = Performance(street.run(), street.world(), epoch, street.clock(), 0.0)
    back.perform(ReturnDatabase(BESIDE, ASIDE))
    assert street.database.present == {"shop.db": NOW, BESIDE: THEN}


def test_a_server_that_is_away_for_a_moment_is_waited_for(make_cellar):
    street = make_cellar()
    looks = iter(range(100))
    street.boundaries.broken["database.exchange"] = lambda: (
        TransientError("data-in-use", "somebody has it open") if next(looks) < 3 else None
    )
    live_through(street)
    assert wrong(street, "completed") == []
    assert facts(street, AttentionNeeded) == []


def test_a_controller_that_slept_through_its_lease_touches_no_database(make_cellar):
    street = make_cellar()
    begin(street)
    late = Controller(street, "late")
    epoch = late.claim()
    for _ in range(2):
        street.store.release("late")
        street.store.release("next")
        Controller(street, "next").claim()
        street.store.release("next")
    late = Performance(street.run(), street.world(), epoch, street.clock(), 0.0)
    for planned in street.plan.forward:
        if isinstance(planned.step, (SaveDatabase, LoadBeside, SwapDatabase)):
            with pytest.raises(PermanentError) as stale:
                late.perform(planned.step)
            assert stale.value.code == "stale-epoch"
    assert street.database.effects == {}


def test_a_controller_may_die_anywhere_in_a_restore(make_cellar):
    reference = make_cellar()
    live_through(reference)
    assert wrong(reference, "completed") == []
    expected, problems = plain(reference), []
    for number in reference.boundaries.for_deaths():
        street = make_cellar()
        street.boundaries.planned = {number: _die}
        live_through(street)
        problems += [f"{number} {reference.boundaries.names[number]}: {one}" for one in wrong(street, "completed")]
        if plain(street) != expected:
            problems.append(f"{number} {reference.boundaries.names[number]}: {plain(street)} instead of {expected}")
    assert problems == []
    assert any("database.exchange" in name for name in reference.boundaries.names)


def test_a_restore_may_be_aborted_anywhere_and_then_die_anywhere_on_its_way_back(make_cellar):
    """Before the commit point everything is as it was; after it, an abort is refused."""
    reference = make_cellar()
    live_through(reference)
    problems = []
    for number in reference.boundaries.for_facts():
        name = reference.boundaries.names[number]
        street = make_cellar()
        street.boundaries.planned = {number: lambda street=street: _abort(street)}
        live_through(street)
        back = street.run().outcome == "rolled-back"
        problems += [f"{number} {name}: {one}" for one in wrong(street, "rolled-back" if back else "completed")]
        serving = "shop.db" in street.database.present and len(street.target._instances) == 2
        there = {"shop.db": NOW} if back else {"shop.db": THEN, ASIDE: NOW}
        if street.database.present != there or not serving:
            problems.append(f"{number} {name}: {street.database.present}")
    assert problems == []


def test_a_way_back_from_the_swap_survives_a_death_anywhere(make_cellar):
    def play(death: int | None) -> Cellar:
        street = make_cellar()
        begun: list[int] = []

        def look(name: str) -> None:
            street._look(name)
            if name == "after database.exchange" and not begun:
                begun.append(len(street.boundaries.names))
                _abort(street)
            if begun and death is not None and len(street.boundaries.names) == begun[0] + death:
                raise Crash

        street.boundaries.look = look
        live_through(street)
        street.begun = begun[0]
        return street

    reference = play(None)
    assert wrong(reference, "rolled-back") == []
    assert reference.database.present == {"shop.db": NOW}
    expected, problems = plain(reference), []
    for death in range(1, len(reference.boundaries.names) - reference.begun):
        street = play(death)
        problems += [f"{death}: {one}" for one in wrong(street, "rolled-back")]
        if street.database.present != {"shop.db": NOW} or len(street.target._instances) != 2:
            problems.append(f"{death}: {plain(street)} instead of {expected}")
    assert problems == []


def _die() -> None:
    raise Crash


def _abort(street: Cellar) -> None:
    """As soon as there is a run to be aborted."""
    if street.store.list_events(street.id):
        street.helm.abort_run(street.id, actor="bob", reason="not now")
