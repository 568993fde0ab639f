"""Rules that concern more than one key.

Each rule reads the file's plain data and passes over what has the wrong type, so that these problems are reported
together with those of the types.
"""

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

from fairway.config.complaints import one_of
from fairway.config.document import Document
from fairway.config.durations import parse_duration
from fairway.config.problems import KeyPath, Problem, quote
from fairway.config.types import parse_listen

Data = dict[str, Any]
Rule = Callable[[Document, Data], Iterator[Problem]]


def check_rules(document: Document, data: Data) -> Iterator[Problem]:
    """The problems that the rules find."""
    for rule in RULES:
        yield from rule(document, data)


def share(count: Any, instances: int, *, up: bool) -> int | None:
    """A number of instances or a percentage of them, as a number; None if it is neither."""
    if isinstance(count, bool):
        return None
    if isinstance(count, int):
        return count
    if isinstance(count, str) and count.endswith("%") and count[:-1].isdigit():
        exact = int(count[:-1]) * instances / 100
        return math.ceil(exact) if up else math.floor(exact)
    return None


def environments(data: Data) -> dict[str, Data]:
    """The environments that are mappings."""
    found = data.get("environments")
    return {name: spec for name, spec in found.items() if isinstance(spec, dict)} if isinstance(found, dict) else {}


def _one_origin(document: Document, data: Data) -> Iterator[Problem]:
    if data.get("build") is not None and data.get("artifact") is not None:
        message = "build and artifact cannot both be given"
        yield document.problem(("artifact",), message, "remove the one that does not make the artifact", key=True)


def _order(document: Document, data: Data) -> Iterator[Problem]:
    specs = environments(data)
    names = data["environments"] if isinstance(data.get("environments"), dict) else {}
    for name, spec in specs.items():
        after = spec.get("after")
        if not isinstance(after, str):
            continue
        path = ("environments", name, "after")
        if after == name:
            yield document.problem(path, f"{quote(name)} cannot come after itself")
        elif after not in names:
            others = [other for other in names if other != name]
            yield document.problem(path, *one_of(after, "an environment of this file", others))
        elif (circle := _circle(specs, name)) and circle[0] == name:
            yield document.problem(path, f"the order goes round in a circle: {' after '.join(circle)}")


def _circle(specs: dict[str, Data], start: str) -> list[str] | None:
    """The circle that the start is in, told from the environment of it that is written first."""
    chain = [start]
    while (after := specs.get(chain[-1], {}).get("after")) in specs and len(chain) <= len(specs):
        if after == start:
            first = min(chain, key=list(specs).index)
            return [*chain, start] if first == start else None
        chain.append(after)
    return None


def _strategies(document: Document, data: Data) -> Iterator[Problem]:
    for name, spec in environments(data).items():
        strategy, path = spec.get("strategy", {"kind": "rolling"}), ("environments", name, "strategy")
        if isinstance(strategy, dict) and strategy.get("kind") == "canary":
            yield from _canary(document, path, strategy.get("steps"))
            yield from _sticky(document, (*path, "sticky"), strategy.get("sticky"))
            yield from _baseline(document, (*path, "baseline"), strategy)
            yield from _bakes(document, path, strategy)
        if isinstance(strategy, dict) and strategy.get("kind") == "rolling":
            yield from _rolling(document, path, strategy, spec.get("instances", 1))


def _canary(document: Document, path: KeyPath, steps: Any) -> Iterator[Problem]:
    if not isinstance(steps, list):
        return
    before = 0.0
    for number, written in enumerate(steps):
        step = written.get("weight") if isinstance(written, dict) else written
        if isinstance(step, bool) or not isinstance(step, int | float) or not math.isfinite(step):
            return
        here: KeyPath = (*path, "steps", number)
        here = (*here, "weight") if isinstance(written, dict) else here
        if step <= before and step > 0:
            yield document.problem(here, f"{step:g} does not rise above {before:g}, the step before it")
        if round(step, 2) != step:
            yield document.problem(here, f"{step!r} is finer than 0.01 percent", "round it to two decimals")
        before = step
    if steps and before < 100:
        hint = "add 100 as the last step"
        yield document.problem((*path, "steps", len(steps) - 1), f"the last step is {before:g}, but must be 100", hint)


def _bakes(document: Document, path: KeyPath, strategy: Data) -> Iterator[Problem]:
    """Evidence may end a step before its deadline, not after it."""
    steps = strategy["steps"] if isinstance(strategy.get("steps"), list) else []
    own = [((*path, "steps", number), {**_times(strategy), **_times(step)}, step) for number, step in enumerate(steps)]
    for here, times, written in ((path, _times(strategy), strategy), *own):
        if not isinstance(written, dict) or not ({"bake", "min_bake"} & written.keys()):
            continue
        longest, least = (
            parse_duration(str(times.get(key, default))) for key, default in (("bake", "5m"), ("min_bake", "0"))
        )
        if longest is not None and least is not None and least > longest:
            key = "min_bake" if "min_bake" in written else "bake"
            message = (
                f"min_bake is {quote(times['min_bake'])}, longer than bake, which is {quote(times.get('bake', '5m'))}"
            )
            yield document.problem((*here, key), message, "bake is the longest time, min_bake the shortest")


def _times(place: Any) -> Data:
    """The times that stand there."""
    given = place if isinstance(place, dict) else {}
    return {key: given[key] for key in ("bake", "min_bake") if given.get(key) is not None}


def _sticky(document: Document, path: KeyPath, sticky: Any) -> Iterator[Problem]:
    if isinstance(sticky, dict) and len(sticky.keys() & {"cookie", "header"}) != 1:
        yield document.problem(path, "users are known by a cookie or by a header", "give one of cookie and header")


def _baseline(document: Document, path: KeyPath, strategy: Data) -> Iterator[Problem]:
    """A baseline gets requests at weights below 100, and copies; without either nothing would be compared with it."""
    steps = strategy.get("steps")
    weights = [one.get("weight") if isinstance(one, dict) else one for one in steps] if isinstance(steps, list) else []
    if strategy.get("baseline") is True and weights == [100] and strategy.get("mirror") is None:
        hint = "add a step below 100, or leave baseline out"
        yield document.problem(path, "nothing is compared with a baseline at 100 percent, the only step", hint)


def _rolling(document: Document, path: KeyPath, strategy: Data, instances: Any) -> Iterator[Problem]:
    if isinstance(instances, bool) or not isinstance(instances, int) or instances < 1:
        return
    written = strategy.get("max_unavailable", 0)
    surge = share(strategy.get("max_surge", 1), instances, up=True)
    unavailable = share(written, instances, up=False)
    if surge is None or unavailable is None:
        return
    key = "max_unavailable" if "max_unavailable" in strategy else "max_surge"
    if surge == 0 and unavailable == 0:
        message = "max_surge and max_unavailable are both 0, so that no instance could ever be replaced"
        if isinstance(written, str) and written != "0%":
            message = f"max_surge is 0, and {written} of {instances} instances rounded down is 0 as well"
        yield document.problem((*path, key), message, "set one of them to 1 or more")
    elif unavailable >= instances:
        message = f"with {unavailable} of {instances} instances missing nobody would answer"
        hint = f"the most is {instances - 1}" if instances > 1 else "use max_surge"
        yield document.problem((*path, "max_unavailable"), message, hint)


def _objectives(document: Document, data: Data) -> Iterator[Problem]:
    """There is one, it can be missed, and what more requests must keep is no shorter."""
    for name, spec in environments(data).items():
        analysis = spec.get("analysis")
        slo = analysis.get("slo") if isinstance(analysis, dict) else None
        if not isinstance(slo, dict):
            continue
        path: KeyPath = ("environments", name, "analysis", "slo")
        if not slo:
            yield document.problem(path, "slo holds no objective", "write errors: 1% or p99: 500ms, or remove it")
        errors = str(slo.get("errors", "")).replace(" ", "")
        if re.fullmatch(r"0+(\.0+)?%|100(\.0+)?%", errors):
            hint = "write a share of requests above 0% and below 100%"
            yield document.problem((*path, "errors"), f"{quote(errors)} is no objective for errors", hint)
        shorter: tuple[str, float] | None = None
        for key in ("p50", "p90", "p95", "p99"):
            seconds = parse_duration(slo[key]) if isinstance(slo.get(key), str) else None
            if seconds is not None and shorter is not None and seconds < shorter[1]:
                message = f"{key} is {quote(slo[key])}, shorter than {shorter[0]}, which is {quote(slo[shorter[0]])}"
                yield document.problem((*path, key), message, "more requests cannot be answered within a shorter time")
            shorter = (key, seconds) if seconds is not None else shorter


def _listens(document: Document, data: Data) -> Iterator[Problem]:
    taken: list[tuple[str, tuple[str, int]]] = []
    for name, spec in environments(data).items():
        router = spec.get("router")
        for key in ("listen", "preview"):
            if not isinstance(router, dict) or key not in router:
                continue
            path, listen = ("environments", name, "router", key), router[key]
            address = parse_listen(listen)
            if address is None:
                message = f"{quote(listen)} is not an address to listen on"
                yield document.problem(
                    path, message, "write IP:PORT such as 127.0.0.1:8000, with a port from 1 to 65535"
                )
                continue
            holder = next((other for other, held in taken if _overlap(address, held)), None)
            if holder is not None:
                message = f"{quote(listen)} is taken: environment {quote(holder)} listens there already"
                yield document.problem(path, message, "give each an address of its own")
            taken.append((name, address))


def _overlap(one: tuple[str, int], other: tuple[str, int]) -> bool:
    everywhere = {"0.0.0.0", "::"}  # noqa: S104
    same_host = one[0] == other[0] or bool(everywhere & {one[0], other[0]})
    return one[1] == other[1] and same_host


def _places(document: Document, data: Data) -> Iterator[Problem]:
    """The command says whether an instance listens on a port or a socket; variables can name only what it has."""
    run = data.get("run")
    command = run.get("command") if isinstance(run, dict) else None
    if not isinstance(command, str):
        return
    by_socket = "{socket}" in command
    lacking = ("port", "host") if by_socket else ("socket",)
    sections: list[tuple[KeyPath, Any]] = [(("run",), run)]
    sections += [(("environments", name), spec) for name, spec in environments(data).items()]
    for path, section in sections:
        variables = section.get("variables")
        for name, text in variables.items() if isinstance(variables, dict) else ():
            word = next((one for one in lacking if isinstance(text, str) and f"{{{one}}}" in text), None)
            if word is not None:
                message = (
                    f"{{{word}}} is replaced by nothing here: run.command has {'' if by_socket else 'no '}{{socket}}"
                )
                hint = (
                    "an instance listens on its socket alone" if by_socket else "write {socket} in the command as well"
                )
                yield document.problem((*path, "variables", name), message, hint)


RULES: tuple[Rule, ...] = (_one_origin, _order, _strategies, _objectives, _listens, _places)
