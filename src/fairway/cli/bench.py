"""bench: measuring a service under load, and comparing."""

from collections.abc import Iterable
from pathlib import Path

from fairway.cli.bench_json import baseline_json, comparison_json, indicators_json
from fairway.cli.bench_measuring import Wish, measure_both, measure_one
from fairway.cli.bench_tables import baseline_lines, comparison_lines, indicator_table, list_table
from fairway.cli.options import DEFAULTS, Options
from fairway.cli.output import Exit, print_json, say
from fairway.domain.errors import UserError
from fairway.domain.insight.comparison import compare as hold_against_each_other
from fairway.domain.insight.expectations import Expected, hold_against
from fairway.domain.insight.indicators import overall

_VERDICTS = {"regression": Exit.NO, "no-regression": Exit.YES, "inconclusive": Exit.WAITING}
_STATUSES = {"good": Exit.YES, "warning": Exit.YES, "critical": Exit.NO, "unknown": Exit.UNKNOWN}


def run(
    what: str | None = None,
    /,
    *,
    name: str | None = None,
    env: str | None = None,
    rate: float | None = None,
    duration: str | None = None,
    rounds: int | None = None,
    connections: int | None = None,
    options: Options = DEFAULTS,
) -> int:
    """Measure a release or an address under load, and keep it under a name. The status is 1 if a limit is missed.

    Args:
        what: a release, which runs for the measurement only, or a URL; default: with --env what its users reach, else
            the release that NAME names.
        name: under which it is kept; default: BASELINE_NAME, else what is measured.
        env: the environment to measure; with a release, the one whose configuration it runs with.
        rate: requests a second, in place of the configuration's.
        duration: of one round.
        rounds: how many.
        connections: most requests at the same time.
    """
    from fairway.bootstrap.bench import open_bench, wanted_name

    bench = open_bench(options.config)
    wish = Wish(rate, duration, rounds, connections)
    baseline = measure_one(bench, what, name=name or wanted_name(), env=env, wish=wish)
    expected = hold_against(baseline, bench.spec.expect)
    _tell(baseline_json(baseline, expected), baseline_lines(baseline, expected), options)
    return _kept(expected)


def list_(*, limit: int = 20, options: Options = DEFAULTS) -> int:
    """List what was measured, newest first.

    Args:
        limit: at most so many.
    """
    from fairway.bootstrap.bench import open_bench

    bench = open_bench(options.config)
    found = bench.baselines.list_baselines(bench.service, limit=limit)
    if options.json:
        print_json({"baselines": [baseline_json(one, (), rounds=False) for one in found]})
    elif found:
        say(list_table(found))
    else:
        say("nothing was measured yet; fairway bench run --name NAME")
    return Exit.YES


def compare(
    before: str,
    after: str,
    /,
    *,
    stored: bool = False,
    env: str | None = None,
    rate: float | None = None,
    duration: str | None = None,
    rounds: int | None = None,
    options: Options = DEFAULTS,
) -> int:
    """Say whether one is slower than the other: both run side by side and get requests in turn.

    The status is 0 if no regression beyond what is tolerated is shown, 1 for a regression, 4 if neither is shown.

    Args:
        before: what is known to be good: a release, a URL, or the name of a measurement, which is then measured anew.
        after: what is asked about, likewise.
        stored: compare what was measured under these names; nothing is measured.
        env: the environment whose configuration releases run with.
        rate: requests a second, in place of the configuration's.
        duration: of one round.
        rounds: of each.
    """
    from fairway.bootstrap import now
    from fairway.bootstrap.bench import open_bench
    from fairway.usecases.bench.choose import stored_pair

    bench = open_bench(options.config)
    if stored:
        pair = stored_pair(bench.baselines, bench.service, (before, after))
    else:
        pair = measure_both(bench, (before, after), env, Wish(rate, duration, rounds))
    found = hold_against_each_other(*pair, bench.spec.policy, made=now())
    bench.baselines.save_comparison(found)
    _tell(comparison_json(found), comparison_lines(found), options)
    return _VERDICTS[found.verdict]


def report(*, output: Path = Path("bench.html"), limit: int = 30, options: Options = DEFAULTS) -> int:
    """Write everything measured into one page that needs no network.

    Args:
        output: the file.
        limit: at most so many measurements and comparisons, the latest.
    """
    from fairway.bootstrap import now
    from fairway.bootstrap.bench import open_bench
    from fairway.cli.bench_page import render

    bench = open_bench(options.config)
    baselines = bench.baselines.list_baselines(bench.service, limit=limit)
    comparisons = bench.baselines.list_comparisons(bench.service, limit=limit)
    if not baselines:
        raise UserError("no-baselines", "nothing was measured yet", "fairway bench run --name NAME")
    page = render(bench.service, baselines, comparisons, bench.spec.expect, at=now())
    output.write_text(page, encoding="utf-8")
    if options.json:
        print_json({"output": str(output), "baselines": len(baselines), "comparisons": len(comparisons)})
    else:
        say(f"{output}: {len(baselines)} measurements, {len(comparisons)} comparisons")
    return Exit.YES


def indicators(*, env: str | None = None, options: Options = DEFAULTS) -> int:
    """Show the table of indicators of an environment. The status is 1 if a row is critical, 3 if all are unknown.

    Args:
        env: which; default: the first one.
    """
    from fairway.bootstrap.bench import open_bench

    bench = open_bench(options.config)
    environment = bench.environment(env)
    rows = bench.fill_indicators(environment)
    if options.json:
        print_json(indicators_json(environment.name, rows))
    else:
        say(indicator_table(rows))
    return _STATUSES[overall(rows)]


def _tell(described: dict[str, object], lines: Iterable[str], options: Options) -> None:
    if options.json:
        print_json(described)
    else:
        for line in lines:
            say(line)


def _kept(expected: tuple[Expected, ...]) -> Exit:
    if any(one.is_met is False for one in expected):
        return Exit.NO
    return Exit.UNKNOWN if any(one.is_met is None for one in expected) else Exit.YES
