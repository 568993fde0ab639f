"""What `bench run` and `bench compare` measure: the subjects that their words mean, and the load."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fairway.cli.bench_tables import round_line
from fairway.cli.output import note
from fairway.domain.errors import UserError
from fairway.domain.insight.baseline import Baseline, Load
from fairway.domain.insight.comparison import compare

if TYPE_CHECKING:
    from fairway.bootstrap.bench import BenchProject
    from fairway.domain.rollout.spec import EnvironmentSpec
    from fairway.usecases.bench.measure import Progress
    from fairway.usecases.bench.subjects import Measurable


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line says in place of the configuration; None: nothing.

    Attributes:
        rate: requests a second.
        duration: of a round, such as `1s`.
        rounds: of each measurement.
        connections: most requests at the same time.
    """

    rate: float | None = None
    duration: str | None = None
    rounds: int | None = None
    connections: int | None = None


def measure_one(bench: "BenchProject", what: str | None, *, name: str | None, env: str | None, wish: Wish) -> Baseline:
    """One measurement, which is kept under the name, else under that of what is measured.

    Args:
        bench: the project.
        what: a release or a URL; None: what users of the environment reach, else what the name means.
        name: under which it is kept; None: that of what is measured.
        env: the environment to measure; with a release, the one whose configuration it runs with.
        wish: of the command line.

    Raises:
        UserError: there is nothing to measure.
    """
    word = what or (None if env else name)
    if word is None and env is None:
        hint = "fairway bench run RELEASE, or a URL, or --env ENVIRONMENT"
        raise UserError("bench-subject", "there is nothing to measure", hint)
    environment = bench.environment(env)
    load = _choose_load(bench, environment, wish)
    with bench.measuring(environment):
        subject: Measurable
        subject = bench.address_of(environment) if word is None else bench.chooser(environment, note).choose(word)
        found = bench.bench(_tell).measure(
            name or subject.subject.name,
            subject,
            _at_path(load, subject.subject.url),
            wish.rounds or bench.spec.rounds,
            fresh=bench.spec.fresh,
        )
    bench.baselines.save_baselines(found)
    return found


def measure_both(
    bench: "BenchProject", names: tuple[str, str], env: str | None, wish: Wish
) -> tuple[Baseline, Baseline]:
    """Two measurements whose rounds were run in turn; both are kept."""
    environment = bench.environment(env)
    load = _choose_load(bench, environment, wish)
    with bench.measuring(environment):
        chooser = bench.chooser(environment, note)
        both = chooser.choose_again(names[0], role="before"), chooser.choose_again(names[1], role="after")
        load = _at_path(load, both[0].subject.url)
        rounds = wish.rounds or bench.spec.rounds
        pair = bench.bench(_tell).measure_in_turn(
            names, both, load, rounds, fresh=bench.spec.fresh, is_enough=_looker(bench)
        )
    bench.baselines.save_baselines(*pair)
    return pair


def _looker(bench: "BenchProject") -> Callable[[Baseline, Baseline, int], bool]:
    """Says whether there is an answer, or no time left to go on until there is one."""
    from fairway.bootstrap import now

    policy, began = bench.spec.policy, now()

    def is_enough(before: Baseline, after: Baseline, looks: int) -> bool:
        found = compare(before, after, policy, made=now())
        if found.verdict != "inconclusive" or looks >= policy.looks:
            return True
        spent = now() - began
        # As many rounds again take as long again.
        if 2 * spent > bench.spec.patience:
            return True
        note(f"no answer after {len(before.rounds)} rounds of each: as many again, about {spent:.0f} s")
        return False

    return is_enough


def _choose_load(bench: "BenchProject", environment: "EnvironmentSpec", wish: Wish) -> Load:
    from fairway.bootstrap import duration as seconds_of

    load, rate, connections = bench.spec.load, wish.rate, wish.connections
    if rate is not None and not 0 <= rate <= 1_000_000:
        raise UserError("bench-rate", f"{rate:g} requests a second are not possible", "give 0 to 1000000")
    if connections is not None and not 1 <= connections <= 10_000:
        raise UserError("bench-connections", f"{connections} connections are not possible", "give 1 to 10000")
    seconds = load.duration if wish.duration is None else seconds_of(wish.duration)
    if seconds <= 0:
        raise UserError("duration", f"a round of {wish.duration} measures nothing", "give 200ms or more")
    return replace(
        bench.fill_in(load, environment),
        rate=load.rate if rate is None else rate,
        duration=seconds,
        connections=connections or load.connections,
    )


def _at_path(load: Load, url: str) -> Load:
    """A path that stands in the URL goes before the configuration's."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/") + (f"?{parts.query}" if parts.query else "")
    return replace(load, paths=(path,)) if path else load


def _tell(progress: "Progress") -> None:
    note(round_line(progress.number, progress.count, progress.name, progress.round))
