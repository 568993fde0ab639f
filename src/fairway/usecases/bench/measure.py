"""Measures: rounds of one subject, or of two in turn.

Rounds are short and many. Two subjects run at the same time and get requests in turns of a tenth of a second: what else
the machine does comes in bursts, and two turns that follow each other at once see the same of it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from fairway.domain.errors import UserError
from fairway.domain.insight.baseline import Baseline, Load, Round
from fairway.ports.load import LoadGenerator, ProcessorMeter
from fairway.usecases.bench.subjects import Measurable, Running

MOST_ROUNDS = 1000
_SETTLE = 0.2
"""Seconds of load before each round that do not count: connections are made, and requests flow evenly."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A round that has ended.

    Attributes:
        number: 1 or more, of `count`.
        name: of the measurement that it belongs to.
    """

    number: int
    count: int
    name: str
    round: Round


@dataclass(frozen=True, slots=True)
class Bench:
    """What measuring needs.

    Attributes:
        machine: where the load comes from.
        clock: seconds since the epoch, UTC.
        tell: receives each round as it ends.
    """

    service: str
    machine: str
    generator: LoadGenerator
    meter: ProcessorMeter
    clock: Callable[[], float]
    tell: Callable[[Progress], None]

    def measure(self, name: str, what: Measurable, load: Load, rounds: int, *, fresh: int) -> Baseline:
        """Measures one subject. Nothing is kept yet.

        Args:
            name: under which it is kept.
            what: is measured.
            load: the requests.
            rounds: how many.
            fresh: rounds after which what runs for the measurement only is started anew.

        Raises:
            UserError: there would be no round, or too many.
            As running and loading do.
        """
        _check(rounds, fresh)
        done: list[Round] = []
        while len(done) < rounds:
            with self._serving((what,), load) as (running,):
                for _ in range(min(fresh, rounds - len(done))):
                    done.append(self._round(running, load))
                    self.tell(Progress(len(done), rounds, name, done[-1]))
        return self._baseline(name, what, load, done)

    def measure_in_turn(
        self,
        names: tuple[str, str],
        both: tuple[Measurable, Measurable],
        load: Load,
        rounds: int,
        *,
        fresh: int,
        is_enough: Callable[[Baseline, Baseline, int], bool] = lambda *_: True,
    ) -> tuple[Baseline, Baseline]:
        """Measures two subjects; their rounds are run together, requests go to one at a time.

        Whatever else changes on the machine then meets both alike, and neither always comes first.

        Args:
            names: under which they are kept.
            both: what is measured.
            load: the same for both.
            rounds: of each, until the first look.
            fresh: as for one.
            is_enough: asked at each look with what there is and the number of looks so far; False: twice as many
                rounds, and another look.

        Raises:
            As `measure` does.
        """
        _check(rounds, fresh)
        done: tuple[list[Round], list[Round]] = ([], [])
        wanted, looks = rounds, 0
        while True:
            self._fill(names, both, load, done, wanted, fresh)
            pair = self._pair(names, both, load, done)
            looks += 1
            if wanted >= MOST_ROUNDS or is_enough(*pair, looks):
                return pair
            wanted = min(2 * wanted, MOST_ROUNDS)

    def _fill(
        self,
        names: tuple[str, str],
        both: tuple[Measurable, Measurable],
        load: Load,
        done: tuple[list[Round], list[Round]],
        wanted: int,
        fresh: int,
    ) -> None:
        """Measures until there are so many rounds of each."""
        while len(done[1]) < wanted:
            with self._serving(both, load) as (first, second):
                for _ in range(min(fresh, wanted - len(done[1]))):
                    swapped = len(done[1]) % 2 == 1
                    found = self._rounds(second, first, load)[::-1] if swapped else self._rounds(first, second, load)
                    for which in (0, 1):
                        done[which].append(found[which])
                        number = len(done[0]) + len(done[1])
                        self.tell(Progress(number, 2 * wanted, names[which], found[which]))

    def _pair(
        self,
        names: tuple[str, str],
        both: tuple[Measurable, Measurable],
        load: Load,
        done: tuple[list[Round], list[Round]],
    ) -> tuple[Baseline, Baseline]:
        first, second = (self._baseline(names[i], both[i], load, done[i]) for i in (0, 1))
        return (
            replace(first, measured_with=names[1]),
            replace(second, measured_with=names[0], made=first.made),
        )

    @contextmanager
    def _serving(self, subjects: Sequence[Measurable], load: Load) -> Iterator[list[Running]]:
        """All of them run and are warm."""
        with ExitStack() as stack:
            running = [stack.enter_context(one.running()) for one in subjects]
            if load.warmup:
                for one in running:
                    self.generator.run(one.place, replace(load, duration=load.warmup, warmup=0.0))
            yield running

    def _round(self, running: Running, load: Load) -> Round:
        before = self._read(running)
        found = self.generator.run(running.place, replace(load, warmup=min(load.warmup, _SETTLE)))
        return _with_processor(found, before, self._read(running))

    def _rounds(self, first: Running, second: Running, load: Load) -> tuple[Round, Round]:
        """One of each, run together."""
        before = self._read(first), self._read(second)
        short = replace(load, warmup=min(load.warmup, _SETTLE))
        found = self.generator.run_in_turn((first.place, second.place), short)
        one, other = map(_with_processor, found, before, (self._read(first), self._read(second)))
        return one, other

    def _read(self, running: Running) -> float | None:
        return self.meter.read(running.processes) if running.processes else None

    def _baseline(self, name: str, what: Measurable, load: Load, rounds: Sequence[Round]) -> Baseline:
        kept = replace(load, headers=())  # they may hold secrets
        return Baseline(name, self.service, self.clock(), self.machine, what.subject, kept, tuple(rounds))


def _with_processor(found: Round, before: float | None, after: float | None) -> Round:
    """The round with the processor time of a request, out of two looks at the meter."""
    requests = found.sent + found.warmed
    if before is None or after is None or not requests or after < before:
        return found
    return replace(found, processor=(after - before) / requests * 1e6)


def _check(rounds: int, fresh: int) -> None:
    if not 1 <= rounds <= MOST_ROUNDS or fresh < 1:
        raise UserError("bench-rounds", f"{rounds} rounds are not possible", f"give 1 to {MOST_ROUNDS}")
