"""Rules for metrics that concern more than one key: names, queries, and the conditions over them.

Like the rules in `rules`, they read plain data and pass over what has the wrong type.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fairway.config.complaints import one_of
from fairway.config.document import Document
from fairway.config.durations import parse_duration
from fairway.config.problems import KeyPath, Problem, quote
from fairway.config.rules import Data, environments
from fairway.domain.analysis.metrics.names import WORDS, longest_range, metrics_in, unknown_placeholders
from fairway.domain.analysis.metrics.policy import PLACEHOLDERS, ROUTER_METRICS, has_role
from fairway.domain.errors import UserError

Ask = Callable[[str, Mapping[str, Any]], None]
"""Reads a condition and asks it about numbers; raises UserError if it is none."""

_FUNCTION = re.compile(r"\b(rate|irate|increase|delta)\s*\(")


def check_metrics(document: Document, data: Data, ask: Ask | None) -> Iterator[Problem]:
    """The problems of all environments' metrics and rules.

    Args:
        document: where positions are found.
        data: its plain content.
        ask: the language of conditions; None: conditions are not read.
    """
    for name, spec in environments(data).items():
        analysis = spec.get("analysis")
        if isinstance(analysis, dict):
            yield from _check(document, ("environments", name, "analysis"), analysis, ask)


def _check(document: Document, path: KeyPath, analysis: Data, ask: Ask | None) -> Iterator[Problem]:
    section = analysis.get("metrics")
    metrics = section if isinstance(section, dict) else {}
    yield from _names(document, (*path, "metrics"), metrics)
    for name, gauge in _named(metrics, "gauges"):
        written = {"query": gauge} if isinstance(gauge, str) else gauge
        at = (*path, "metrics", "gauges", name)
        if isinstance(written, dict):
            yield from _gauge(document, at, written, bare=isinstance(gauge, str))
    for name, counter in _named(metrics, "counters"):
        if isinstance(counter, dict):
            yield from _counter(document, (*path, "metrics", "counters", name), counter)
    queries = [key for key in ("gauges", "counters") if metrics.get(key)]
    if queries and metrics.get("source") is None:
        message = "there is no source that could answer the queries"
        hint = "give one: source: {kind: prometheus, url: http://127.0.0.1:9090}"
        yield document.problem((*path, "metrics", queries[0]), message, hint, key=True)
    yield from _conditions(document, (*path, "rules"), analysis.get("rules"), _known(metrics), ask)


def _named(metrics: Data, key: str) -> list[tuple[str, Any]]:
    found = metrics.get(key)
    return [(str(name), one) for name, one in found.items()] if isinstance(found, dict) else []


def _names(document: Document, path: KeyPath, metrics: Data) -> Iterator[Problem]:
    seen: set[str] = set()
    for key in ("gauges", "counters", "probes"):
        for name, _ in _named(metrics, key):
            at = (*path, key, name)
            if name in ROUTER_METRICS:
                yield document.problem(at, f"{quote(name)} is a metric of the router already", "rename it", key=True)
            elif name in WORDS:
                yield document.problem(at, f"{quote(name)} means something else in conditions", "rename it", key=True)
            elif name in seen:
                yield document.problem(at, f"two metrics are called {quote(name)}", "rename one", key=True)
            seen.add(name)


def _gauge(document: Document, at: KeyPath, gauge: Data, *, bare: bool) -> Iterator[Problem]:
    query, ratio, place = gauge.get("query"), gauge.get("ratio"), at if bare else (*at, "query")
    if not isinstance(query, str):
        return
    yield from _placeholders(document, place, query)
    if ratio is None:
        return
    if not has_role(query):
        message = "with a ratio the query must be asked for candidate and stable, but names no revision"
        yield document.problem(place, message, 'write {{revision}} where it belongs: revision="{{revision}}"')
    written = gauge.get("interval", "15s")
    interval = parse_duration(written) if isinstance(written, str) else None
    if interval is not None and longest_range(query) > interval:
        message = f"readings every {interval:g} s look at the last {longest_range(query):g} s: they overlap, and the "
        message += "same moment would testify more than once"
        yield document.problem(place, message, "make the interval as long as the range, or the range as short")


def _counter(document: Document, at: KeyPath, counter: Data) -> Iterator[Problem]:
    for key in ("total", "failed"):
        query, place = counter.get(key), (*at, key)
        if not isinstance(query, str):
            continue
        yield from _placeholders(document, place, query)
        if not has_role(query):
            hint = 'write {{revision}} where it belongs: revision="{{revision}}"'
            yield document.problem(place, "the query names no revision", hint)
        function = _FUNCTION.search(query)
        if function:
            message = f"{function[1]}() estimates what was counted; counters are wanted raw and are differenced here"
            yield document.problem(place, message, f"remove {function[1]}() and the range")


def _placeholders(document: Document, place: KeyPath, query: str) -> Iterator[Problem]:
    for mark in unknown_placeholders(query):
        yield document.problem(place, *one_of(mark, "a placeholder", PLACEHOLDERS))


def _known(metrics: Data) -> dict[str, Any]:
    """Every name that a condition may use, as numbers to try it with."""
    values: dict[str, Any] = {role: dict.fromkeys(ROUTER_METRICS, 1.0) for role in ("candidate", "stable")}
    for name, gauge in _named(metrics, "gauges"):
        query = gauge.get("query") if isinstance(gauge, dict) else gauge
        if isinstance(query, str) and not has_role(query):
            values.setdefault(name, 1.0)
        else:
            values["candidate"][name] = values["stable"][name] = 1.0
    for name, _ in _named(metrics, "counters"):
        values["candidate"][name] = values["stable"][name] = 1.0
    for name, _ in _named(metrics, "probes"):
        values["candidate"][name] = 1.0
    return values


def _conditions(
    document: Document, path: KeyPath, rules: Any, known: dict[str, Any], ask: Ask | None
) -> Iterator[Problem]:
    names = [f"{role}.{name}" for role in ("candidate", "stable") for name in known[role]]
    names += [name for name in known if name not in ("candidate", "stable")]
    for name, rule in rules.items() if isinstance(rules, dict) else ():
        when = rule.get("when") if isinstance(rule, dict) else rule
        at = (*path, name, "when") if isinstance(rule, dict) else (*path, name)
        if not isinstance(when, str) or not when.strip():
            continue
        used = metrics_in(when)
        unknown = [one for one in used if one not in names]
        if ask is not None:
            try:
                ask(when, known)
            except UserError as problem:
                yield document.problem(at, problem.message, problem.hint)
                continue
        if unknown:
            yield document.problem(at, *one_of(unknown[0], "a metric", names))
        elif not used:
            yield document.problem(at, f"{quote(when)} looks at no metric", f"known are {', '.join(names)}")
