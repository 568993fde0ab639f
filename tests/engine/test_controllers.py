"""Whole controllers, turn by turn: two that share one PostgreSQL, clocks that jump, and what a controller forgets."""

from concurrent.futures import Future
from contextlib import ExitStack

import pytest
from boundaries import Boundaries
from engine_world import RATE, AtOnce, Street, begin
from matrix import Matrix, order_faults
from scripts import POISON, SCRIPTS, Script, named

from fairway.adapters.stores.sql import SqlStore
from fairway.domain.analysis.counters import LONGEST
from fairway.domain.errors import TransientError
from fairway.domain.rollout.strategy import Canary
from fairway.engine.advance import Engine
from fairway.engine.controller import LEASE, POLL, Controller, Postman
from fairway.engine.judge import READ_EVERY, SAVE_EVERY, Judge
from fairway.usecases.steer import Helm
from rollout_samples import deployment


class Town:
    """Many streets on one clock, and the controllers that look after them."""

    def __init__(self, streets, clock):
        self.streets = {street.name: street for street in streets}
        self.clock = clock
        self.controllers = {}
        self.errors = []

    def hire(self, name, store):
        """A controller with its own connections."""
        worlds = {name: street.world() for name, street in self.streets.items()}
        judge = Judge(store, AtOnce())
        engine = Engine(store, judge, lambda plan: worlds[plan.environment], self.clock, AtOnce())
        report = lambda what, error: self.errors.append((what, error))  # noqa: E731
        controller = Controller(engine, store, name, self.clock, AtOnce(), report)
        notifiers = {name: street.notifier for name, street in self.streets.items()}
        postman = Postman(store, lambda receiver: Mailbox(notifiers), self.clock, report, AtOnce())
        self.controllers[name] = (controller, postman)
        return controller

    def turn(self):
        """Every controller has its turn, then time passes until the first wants the next one."""
        waits = [controller.turn() for controller, _ in self.controllers.values()]
        for _, postman in self.controllers.values():
            postman.turn()
        seconds = max(min(waits), 0.01)
        self.clock.now += seconds
        for street in self.streets.values():
            street._serve(RATE * seconds)

    def turn_until(self, condition, *, seconds):
        deadline = self.clock() + seconds
        while not condition():
            assert self.clock() < deadline, f"not within {seconds:g} s"
            self.turn()

    def ended(self):
        return all(street.run().outcome is not None for street in self.streets.values())


class Mailbox:
    """One receiver for all streets."""

    def __init__(self, notifiers):
        self.notifiers = notifiers

    def notify(self, key, message):
        self.notifiers[message["environment"]].notify(key, message)


def one_street(script, store, clock, name="e1"):
    return Street(
        script.plan(),
        store,
        clock,
        name,
        failing=script.failing,
        behaviours=script.behaviours,
        statuses=script.statuses,
        boundaries=Boundaries(),
    )


def test_when_one_of_two_controllers_dies_the_other_ends_all_its_runs(postgres, postgres_url, clock):
    scripts = [script for script in SCRIPTS if "approval" not in script.name][1:13]
    references = [Matrix(script, postgres, clock, prefix=f"r{number}-") for number, script in enumerate(scripts)]
    streets = [one_street(script, postgres, clock, f"e{number}") for number, script in enumerate(scripts)]
    with ExitStack() as stack:
        stores = [stack.enter_context(SqlStore.open(postgres_url, lease_clock=clock)) for _ in range(2)]
        town = Town(streets, clock)
        town.hire("first", stores[0])
        for street in streets[:6]:
            begin(street)
        town.turn()
        town.hire("second", stores[1])
        for street in streets[6:]:
            begin(street)
        town.turn_until(lambda: clock() > streets[0].run().started + 0.5, seconds=5)
        held = {claim.run for claim in stores[0].renew("first", now=clock(), ttl=LEASE)}
        assert len(held) >= 4
        dead = town.controllers.pop("first")
        died = clock()
        town.turn_until(lambda: clock() >= died + LEASE + 0.5, seconds=10)
        left = {street.id for street in streets if street.run().outcome is None}
        assert {claim.run for claim in stores[1].renew("second", now=clock(), ttl=LEASE)} >= left
        town.turn_until(town.ended, seconds=60)
        town.controllers["first"] = dead
        for _ in range(20):
            town.turn()
    assert town.errors == []
    for street, reference, script in zip(streets, references, scripts, strict=True):
        assert reference.astray(street) + reference.differences(street) == [], script


@pytest.mark.parametrize("script", named("canary, dead", "rolling, good"), ids=str)
def test_a_controller_that_comes_back_after_it_lost_its_runs_does_not_spin(script, postgres, postgres_url, clock):
    street = one_street(script, postgres, clock)
    begin(street)
    with SqlStore.open(postgres_url, lease_clock=clock) as other:
        town = Town([street], clock)
        first = town.hire("first", postgres)
        town.turn_until(lambda: street.run().cursor > 4, seconds=5)
        del town.controllers["first"]
        town.hire("second", other)
        town.turn_until(town.ended, seconds=60)
    for _ in range(3):
        assert first.turn() >= POLL - 0.001


def test_a_controller_whose_journal_does_not_answer_takes_its_time_and_goes_on_later(sqlite, clock):
    class Broken:
        def __getattr__(self, name):
            def fail(*args, **kwargs):
                raise TransientError("database-unreachable", "nobody answers")

            return fail

    (script,) = named("scale up")
    street = one_street(script, sqlite, clock)
    begin(street)
    town = Town([street], clock)
    controller = town.hire("only", sqlite)
    town.turn()
    clock.now += READ_EVERY
    controller.leases = Broken()
    assert controller.turn() >= 1.0
    assert {error.code for _, error in town.errors} == {"database-unreachable"}
    controller.leases = sqlite
    town.turn_until(town.ended, seconds=20)


def test_a_controller_does_not_spin_while_a_step_takes_its_time(sqlite, clock):
    class Never(AtOnce):
        def submit(self, call, /, *args, **kwargs):
            return Future()

    (script,) = named("canary, good")
    street = one_street(script, sqlite, clock)
    begin(street)
    town = Town([street], clock)
    controller = town.hire("only", sqlite)
    town.turn()
    clock.now += READ_EVERY
    controller.executor = Never()
    controller.turn()
    assert controller.turn() >= POLL - 0.001


BAKE = 8.0
LONG = Canary(steps=(20.0, 100.0), bake=BAKE)


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
@pytest.mark.parametrize("failing", [{}, POISON], ids=["good", "one in twenty"])
def test_a_clock_that_jumps_in_a_bake_takes_two_seconds_of_it_at_most_and_stops_nothing(jump, failing, sqlite, clock):
    script = Script("long canary", lambda: deployment(LONG), failing=failing)
    street = one_street(script, sqlite, clock)
    begin(street)
    town = Town([street], clock)
    town.hire("only", sqlite)
    town.turn_until(lambda: street.share() == 20.0, seconds=5)
    begun = clock()
    town.turn_until(lambda: clock() > begun + 0.6, seconds=5)
    spent = clock() - begun
    clock.now += jump
    again = clock()
    town.turn_until(lambda: street.share() != 20.0, seconds=60)
    spent += clock() - again
    town.turn_until(town.ended, seconds=60)
    assert street.run().outcome == ("rolled-back" if failing else "completed")
    assert failing or BAKE - LONGEST - READ_EVERY <= spent <= BAKE + 4 * READ_EVERY
    assert order_faults(sqlite.list_events(street.id)) == []
    assert town.errors == []


@pytest.mark.parametrize("skew", [3600.0, -3600.0])
def test_a_person_whose_clock_is_wrong_does_not_delay_the_run(skew, sqlite, clock):
    (script,) = named("canary, dead")
    street = one_street(script, sqlite, clock)
    begin(street)
    town = Town([street], clock)
    town.hire("only", sqlite)
    town.turn_until(lambda: street.run().cursor > 3, seconds=5)
    elsewhere = Helm(sqlite, lambda: clock() + skew)
    assert elsewhere.pause_run(street.id, actor="bob", reason="lunch").paused == "lunch"
    assert elsewhere.resume_run(street.id, actor="bob").paused is None
    town.turn_until(town.ended, seconds=20)


def test_a_run_that_was_lost_and_won_again_goes_on_with_the_evidence_of_the_other(postgres, postgres_url, clock):
    street = one_street(Script("long canary", lambda: deployment(Canary(bake=60.0))), postgres, clock)
    begin(street)

    def watched(controller):
        return controller.engine.judge._runs[street.id].analysis.watched

    with SqlStore.open(postgres_url, lease_clock=clock) as other:
        town = Town([street], clock)
        first = town.hire("first", postgres)
        town.turn_until(lambda: street.share() == 10.0, seconds=5)
        away = town.controllers.pop("first")
        second = town.hire("second", other)
        clock.now += LEASE + 1.0
        begun = clock()
        town.turn_until(lambda: clock() > begun + 20.0, seconds=30)
        assert watched(second) >= 18.0 > watched(first)
        del town.controllers["second"]
        other.release("second")
        town.controllers["first"] = away
        town.turn()
        assert watched(first) >= watched(second) - SAVE_EVERY


class Never(AtOnce):
    """Takes work and never does it."""

    def submit(self, call, /, *args, **kwargs):
        return Future()


def test_a_message_that_a_slow_receiver_keeps_waiting_is_not_taken_up_by_another_controller(
    postgres, postgres_url, clock
):
    (script,) = named("scale up")
    street = one_street(script, postgres, clock)
    begin(street)
    report = lambda what, error: None  # noqa: E731
    with SqlStore.open(postgres_url, lease_clock=clock) as other:
        slow = Postman(postgres, lambda receiver: street.notifier, clock, report, Never())
        for _ in range(3):
            slow.turn()
            clock.now += 25.0
            assert other.list_due(now=clock(), limit=9) == ()
        clock.now += 25.0
        assert len(other.list_due(now=clock(), limit=9)) == 1


def test_a_log_that_cannot_be_written_keeps_no_run_from_its_next_turn(sqlite, clock):
    (script,) = named("scale up")
    street = one_street(script, sqlite, clock)
    begin(street)
    town = Town([street], clock)
    controller = town.hire("only", sqlite)

    def full(what, error):
        raise OSError("no space left on device")

    controller.report = full
    advance, faults = controller.engine.advance, [RuntimeError("nobody thought of this")]

    class Faulty:
        def advance(self, run, epoch):
            if faults:
                raise faults.pop()
            return advance(run, epoch)

    controller.engine = Faulty()
    town.turn_until(town.ended, seconds=20)
    assert street.run().outcome == "completed"
