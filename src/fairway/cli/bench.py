"""bench: measuring a service under load, and comparing."""

from collections.abc import Callable
from dataclasses import asdict, replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fairway.cli.bench_tables import baseline_lines, comparison_lines, indicator_table, list_table, round_line
from fairway.cli.options import DEFAULTS, Options
from fairway.cli.output import Exit, note, print_json, say
from fairway.domain.errors import UserError
from fairway.domain.insight.baseline import Baseline, Load
from fairway.domain.insight.comparison import Comparison
from fairway.domain.insight.comparison import compare as hold_against_each_other
from fairway.domain.insight.expectations import Expected, hold_against
from fairway.domain.insight.indicators import overall

if TYPE_CHECKING:
    from fairway.bootstrap.bench import BenchProject
    from fairway.usecases.bench.measure import Progress
    from fairway.usecases.bench.subjects import Measurable

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
    name = name or wanted_name()
    load = _load(bench.spec.load, rate, duration, connections)
    environment = bench.environment(env)
    with bench.measuring(environment):
        subject: Measurable
        word = what or (None if env else name)
        if word is None and env is None:
            hint = "fairway bench run RELEASE, or a URL, or --env ENVIRONMENT"
            raise UserError("bench-subject", "there is nothing to measure", hint)
        subject = bench.address_of(environment) if word is None else bench.chooser(environment, note).choose(word)
        load = _at_path(load, subject.subject.url)
        measuring = bench.bench(_teller())
        baseline = measuring.measure(
            name or subject.subject.name, subject, load, rounds or bench.spec.rounds, fresh=bench.spec.fresh
        )
    bench.baselines.save_baselines(baseline)
    expected = hold_against(baseline, bench.spec.expect)
    if options.json:
        print_json(_baseline_json(baseline, expected))
    else:
        for line in baseline_lines(baseline, expected):
            say(line)
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
        print_json({"baselines": [_baseline_json(one, (), rounds=False) for one in found]})
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
        load = _load(bench.spec.load, rate, duration, None)
        pair = _measure_both(bench, (before, after), env, load, rounds or bench.spec.rounds)
        bench.baselines.save_baselines(*pair)
    found = hold_against_each_other(*pair, bench.spec.policy, made=now())
    bench.baselines.save_comparison(found)
    if options.json:
        print_json(_comparison_json(found))
    else:
        for line in comparison_lines(found):
            say(line)
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
        content = [
            {"name": row.indicator.name, **asdict(row.indicator), "value": row.value, "source": row.source}
            | {"status": row.status}
            for row in rows
        ]
        print_json({"environment": environment.name, "status": overall(rows), "indicators": content})
    else:
        say(indicator_table(rows))
    return _STATUSES[overall(rows)]


def _measure_both(
    bench: "BenchProject", names: tuple[str, str], env: str | None, load: Load, rounds: int
) -> tuple[Baseline, Baseline]:
    environment = bench.environment(env)
    with bench.measuring(environment):
        chooser = bench.chooser(environment, note)
        both = chooser.choose_again(names[0], role="before"), chooser.choose_again(names[1], role="after")
        load = _at_path(load, both[0].subject.url)
        return bench.bench(_teller()).measure_in_turn(names, both, load, rounds, fresh=bench.spec.fresh)


def _load(load: Load, rate: float | None, duration: str | None, connections: int | None) -> Load:
    from fairway.bootstrap import duration as seconds_of
    from fairway.bootstrap.bench import fill_in

    if rate is not None and not 0 <= rate <= 1_000_000:
        raise UserError("bench-rate", f"{rate:g} requests a second are not possible", "give 0 to 1000000")
    if connections is not None and not 1 <= connections <= 10_000:
        raise UserError("bench-connections", f"{connections} connections are not possible", "give 1 to 10000")
    seconds = load.duration if duration is None else seconds_of(duration)
    if seconds <= 0:
        raise UserError("duration", f"a round of {duration} measures nothing", "give 200ms or more")
    return replace(
        fill_in(load),
        rate=load.rate if rate is None else rate,
        duration=seconds,
        connections=connections or load.connections,
    )


def _at_path(load: Load, url: str) -> Load:
    """A path that stands in the URL goes before the configuration's."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/") + (f"?{parts.query}" if parts.query else "")
    return replace(load, paths=(path,)) if path else load


def _teller() -> "Callable[[Progress], None]":
    return lambda progress: note(round_line(progress.number, progress.count, progress.name, progress.round))


def _kept(expected: tuple[Expected, ...]) -> Exit:
    if any(one.is_met is False for one in expected):
        return Exit.NO
    return Exit.UNKNOWN if any(one.is_met is None for one in expected) else Exit.YES


def _baseline_json(baseline: Baseline, expected: tuple[Expected, ...], *, rounds: bool = True) -> dict[str, Any]:
    figures = ("throughput", "mean", "p50", "p90", "p95", "p99", "p999", "longest", "processor", "errors")
    content = asdict(baseline)
    kept = content.pop("rounds")
    content["measured"] = {name: baseline.value(name) for name in (*figures, "availability")}
    content["expected"] = [asdict(one) for one in expected]
    content["remarks"] = list(baseline.remarks)
    return content | ({"rounds": kept} if rounds else {"rounds": len(kept)})


def _comparison_json(found: Comparison) -> dict[str, Any]:
    content = asdict(found)
    for change in content["changes"]:
        # JSON knows no infinity.
        change |= {end: change[end] if isfinite(change[end]) else None for end in ("lower", "upper")}
    return content
