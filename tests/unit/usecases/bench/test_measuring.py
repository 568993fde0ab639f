"""What is run in which order, and what is left behind."""

from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest

from fairway.domain.errors import PermanentError, UserError
from fairway.domain.insight.baseline import Load, Round, Subject
from fairway.domain.rollout.revision import Artifact, Health, Revision, RunSpec
from fairway.ports.load import Place
from fairway.testing.baselines import sample_round
from fairway.testing.target import Behaviour, FakeTarget
from fairway.usecases.bench.measure import Bench
from fairway.usecases.bench.subjects import Address, Release, Running, remove_leftovers

LOAD = Load(rate=50.0, duration=2.0, warmup=1.0, headers=("Authorization: secret",))


@dataclass
class Generator:
    """Remembers what it was asked for."""

    asked: list[tuple[str, float, float]] = field(default_factory=list)
    fails_after: int | None = None

    def run(self, place: Place, load: Load) -> Round:
        if self.fails_after is not None and len(self.asked) >= self.fails_after:
            raise PermanentError("no-load-report", "the generator ended without a report")
        self.asked.append((place.url, load.duration, load.warmup))
        return replace(sample_round(), warmed=100)

    def run_in_turn(self, places: tuple[Place, Place], load: Load) -> tuple[Round, Round]:
        first, second = (self.run(place, load) for place in places)
        return first, second


@dataclass
class Meter:
    """A tenth of a second passes between two looks."""

    read_so_far: float = 0.0
    lost: bool = False

    def read(self, processes) -> float | None:
        self.read_so_far += 0.1
        return None if self.lost else self.read_so_far


@dataclass
class Instance:
    """Counts how often it was started."""

    name: str
    starts: list[str]
    processes: tuple[int, ...] = (1,)

    @property
    def subject(self) -> Subject:
        return Subject(self.name)

    @contextmanager
    def running(self):
        self.starts.append(f"start {self.name}")
        try:
            yield Running(Place(self.name), self.processes)
        finally:
            self.starts.append(f"end {self.name}")


def bench(generator=None, meter=None, told=None) -> Bench:
    tell = (
        (lambda progress: told.append((progress.number, progress.count, progress.name))) if told is not None else print
    )
    return Bench("shop", "a machine", generator or Generator(), meter or Meter(), lambda: 5.0, tell)


def test_two_get_requests_in_turn_and_neither_always_comes_first():
    generator, told = Generator(), []
    both = (Instance("a", []), Instance("b", []))
    first, second = bench(generator, told=told).measure_in_turn(("old", "new"), both, LOAD, 4, fresh=10)
    rounds = [url for url, duration, _ in generator.asked if duration == 2.0]
    assert rounds == ["a", "b", "b", "a", "a", "b", "b", "a"]
    assert told[-1] == (8, 8, "new")
    assert (len(first.rounds), len(second.rounds)) == (4, 4)
    assert (first.measured_with, second.measured_with) == ("new", "old")
    assert first.made == second.made


def test_instances_are_fresh_after_so_many_rounds_and_warm_before_they_count():
    generator, starts = Generator(), []
    bench(generator).measure("v1", Instance("a", starts), LOAD, 5, fresh=2)
    assert starts == ["start a", "end a"] * 3
    assert [(duration, warmup) for _, duration, warmup in generator.asked] == [
        *[(1.0, 0.0), (2.0, 0.2), (2.0, 0.2)] * 2,
        *[(1.0, 0.0), (2.0, 0.2)],
    ]


def test_both_of_a_pair_stay_as_many_rounds():
    starts = []
    both = (Instance("a", starts), Instance("b", starts))
    first, second = bench().measure_in_turn(("a", "b"), both, LOAD, 3, fresh=2)
    assert len(first.rounds) == len(second.rounds) == 3
    assert starts == ["start a", "start b", "end b", "end a"] * 2


def test_without_an_answer_there_are_twice_as_many_rounds_until_there_is_one():
    looked, told = [], []

    def is_enough(before, after, looks):
        looked.append((len(before.rounds), len(after.rounds), looks))
        return looks == 3

    both = (Instance("a", []), Instance("b", []))
    first, _ = bench(told=told).measure_in_turn(("a", "b"), both, LOAD, 3, fresh=2, is_enough=is_enough)
    assert looked == [(3, 3, 1), (6, 6, 2), (12, 12, 3)]
    assert len(first.rounds) == 12
    assert told[-1] == (24, 24, "b")


def test_there_is_an_end_of_rounds_however_little_they_say():
    both = (Instance("a", []), Instance("b", []))
    first, _ = bench(told=[]).measure_in_turn(("a", "b"), both, LOAD, 600, fresh=100, is_enough=lambda *_: False)
    assert len(first.rounds) == 1000


def test_what_was_started_ends_when_the_load_fails():
    starts = []
    with pytest.raises(PermanentError):
        bench(Generator(fails_after=2)).measure("v1", Instance("a", starts), LOAD, 5, fresh=5)
    assert starts == ["start a", "end a"]


def test_processor_time_is_that_of_all_requests_the_warming_ones_too():
    (one,) = bench().measure("v1", Instance("a", []), LOAD, 1, fresh=1).rounds
    assert one.processor == pytest.approx(0.1 / 200 * 1e6)


@pytest.mark.parametrize(("meter", "processes"), [(Meter(lost=True), (1,)), (Meter(), ())])
def test_processor_time_that_nobody_knows_is_none(meter, processes):
    (one,) = bench(meter=meter).measure("v1", Instance("a", [], processes), LOAD, 1, fresh=1).rounds
    assert one.processor is None


def test_each_of_two_has_the_processor_time_of_its_own_requests():
    both = (Instance("a", []), Instance("b", [], ()))
    first, second = bench().measure_in_turn(("a", "b"), both, LOAD, 1, fresh=1)
    assert first.rounds[0].processor == pytest.approx(0.1 / 200 * 1e6)
    assert second.rounds[0].processor is None


def test_headers_are_sent_and_not_kept():
    assert bench().measure("v1", Instance("a", []), LOAD, 1, fresh=1).load.headers == ()


@pytest.mark.parametrize(("rounds", "fresh"), [(0, 1), (-1, 1), (1001, 1), (1, 0)])
def test_a_number_of_rounds_that_measures_nothing_is_refused(rounds, fresh):
    with pytest.raises(UserError, match=str(rounds)):
        bench().measure("v1", Instance("a", []), LOAD, rounds, fresh=fresh)


REVISION = Revision("v1-abc", "shop", "production", Artifact("shop", "1", "", "sha256:1", "/"), RunSpec("run {port}"))


class TestReleases:
    def release(self, target: FakeTarget, revision: Revision = REVISION) -> Release:
        ticks = iter(range(1, 10_000))
        return Release(Subject("v1", "1", "sha256:1"), target, revision, lambda: float(next(ticks)), lambda _: None)

    def test_one_instance_runs_for_the_length_of_the_block(self):
        target = FakeTarget()
        with self.release(target).running() as running:
            (instance,) = target.observe_instances("v1-abc")
            assert running.place.url == f"http://{instance.endpoint.place}"
        assert target.list_revisions() == ()

    def test_it_is_waited_for_until_it_is_gone(self):
        target = FakeTarget()
        target.behave("v1-abc", Behaviour(ready_after=3, stops_after=4))
        with self.release(target).running():
            pass
        assert target.observe_instances("v1-abc") == ()

    @pytest.mark.parametrize("behaviour", [Behaviour(ready_after=None), Behaviour(crashes=True)])
    def test_one_that_does_not_get_ready_is_an_error_and_does_not_stay(self, behaviour):
        target = FakeTarget()
        target.behave("v1-abc", behaviour)
        impatient = replace(REVISION, run=replace(REVISION.run, health=Health(timeout=20.0)))
        with pytest.raises(PermanentError, match="does not get ready"), self.release(target, impatient).running():
            pass
        assert target.list_revisions() == ()

    def test_what_a_killed_measurement_left_is_removed(self):
        target = FakeTarget()
        target.ensure_instances(REVISION, 1, epoch=1)
        remove_leftovers(target, "shop")
        assert target.list_revisions() == ()


def test_an_address_is_used_as_it_is():
    with Address(Subject("x", url="http://127.0.0.1:1")).running() as running:
        assert running == Running(Place("http://127.0.0.1:1"))
