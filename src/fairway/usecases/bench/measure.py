"""Measures: rounds of one subject, or of two in turn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from fairway.domain.errors import UserError
from fairway.domain.insight.baseline import Baseline, Load, Round
from fairway.ports.load import LoadGenerator, ProcessorMeter
from fairway.usecases.bench.subjects import Measurable

MOST_ROUNDS = 500


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

    def measure(self, name: str, what: Measurable, load: Load, rounds: int) -> Baseline:
        """Measures one subject. Nothing is kept yet.

        Raises:
            UserError: there would be no round, or too many.
            As running and loading do.
        """
        _check(rounds)
        done = []
        for number in range(rounds):
            done.append(self._round(what, load))
            self.tell(Progress(number + 1, rounds, name, done[-1]))
        return self._baseline(name, what, load, done)

    def measure_in_turn(
        self, names: tuple[str, str], both: tuple[Measurable, Measurable], load: Load, rounds: int
    ) -> tuple[Baseline, Baseline]:
        """Measures two subjects round after round: first, second, second, first, and so on.

        What changes slowly on the machine then changes both alike, and neither always comes first.

        Args:
            names: under which they are kept.
            both: what is measured.
            load: the same for both.
            rounds: of each.

        Raises:
            As `measure` does.
        """
        _check(rounds)
        done: tuple[list[Round], list[Round]] = ([], [])
        for number in range(rounds):
            for which in (0, 1) if number % 2 == 0 else (1, 0):
                done[which].append(self._round(both[which], load))
                count = 2 * rounds
                self.tell(Progress(len(done[0]) + len(done[1]), count, names[which], done[which][-1]))
        first, second = (self._baseline(names[i], both[i], load, done[i]) for i in (0, 1))
        return (
            replace(first, measured_with=names[1]),
            replace(second, measured_with=names[0], made=first.made),
        )

    def _round(self, what: Measurable, load: Load) -> Round:
        with what.running() as running:
            before = self.meter.read(running.processes) if running.processes else None
            found = self.generator.run(running.place, load)
            after = self.meter.read(running.processes) if running.processes else None
        requests = found.sent + found.warmed
        if before is None or after is None or not requests or after < before:
            return found
        return replace(found, processor=(after - before) / requests * 1e6)

    def _baseline(self, name: str, what: Measurable, load: Load, rounds: Sequence[Round]) -> Baseline:
        kept = replace(load, headers=())  # they may hold secrets
        return Baseline(name, self.service, self.clock(), self.machine, what.subject, kept, tuple(rounds))


def _check(rounds: int) -> None:
    if not 1 <= rounds <= MOST_ROUNDS:
        raise UserError("bench-rounds", f"{rounds} rounds are not possible", f"give 1 to {MOST_ROUNDS}")
