"""The kinds of adapters that exist, as the catalog says, and the check of their settings."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from fairway.config.complaints import one_of, problems_of
from fairway.config.document import Document
from fairway.config.problems import KeyPath, Problem
from fairway.config.release_checks import registry_settings
from fairway.config.validation import CHECK_KINDS

Kinds = Mapping[str, type[BaseModel] | None]
"""Settings model by kind; None where a kind's settings are not checked."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalog offers. A field left out is not checked.

    Attributes:
        targets: where instances run.
        routers: what divides requests.
        notifiers: where messages go.
        sources: what answers queries for metrics.
        registries: what products are published to.
        ask: reads a condition over metrics and asks it about numbers; raises UserError if it is none.
    """

    targets: Kinds | None = None
    routers: Kinds | None = None
    notifiers: Kinds | None = None
    sources: Kinds | None = None
    registries: Kinds | None = None
    ask: Callable[[str, Mapping[str, Any]], None] | None = None


NOTHING_KNOWN = Known()


def check_adapters(document: Document, data: Mapping[str, Any], known: Known) -> Iterator[Problem]:
    """Problems of the adapters that the file names: unknown kinds, and settings that their models refuse."""
    for path, kinds, what, value in _uses(data, known):
        kind = value if isinstance(value, str) else value.get("kind") if isinstance(value, dict) else None
        if kinds is None or not isinstance(kind, str):
            continue
        at = path if isinstance(value, str) else (*path, "kind")
        if kind not in kinds:
            yield document.problem(at, *one_of(kind, what, kinds))
            continue
        model = kinds[kind]
        if model is not None:
            yield from _check_settings(document, path, model, value)


def _uses(data: Mapping[str, Any], known: Known) -> Iterator[tuple[KeyPath, Kinds | None, str, Any]]:
    yield from _checks(data, ())
    environments = data.get("environments")
    for name, environment in environments.items() if isinstance(environments, dict) else ():
        if isinstance(environment, dict):
            yield ("environments", name, "target"), known.targets, "a target", environment.get("target", "local")
            yield ("environments", name, "router"), known.routers, "a router", environment.get("router")
            yield from _checks(environment, ("environments", name))
            analysis = environment.get("analysis")
            metrics = analysis.get("metrics") if isinstance(analysis, dict) else None
            if isinstance(metrics, dict):
                path = ("environments", name, "analysis", "metrics", "source")
                yield path, known.sources, "a source of metrics", metrics.get("source")
    indicators = data.get("indicators")
    if isinstance(indicators, dict) and indicators.get("source") is not None:
        yield ("indicators", "source"), known.sources, "a source of metrics", indicators["source"]
    for name, registry in registry_settings(data):
        yield ("release", "publish", name), known.registries, "a registry", registry
    notify = data.get("notify")
    for number, notifier in enumerate(notify) if isinstance(notify, list) else ():
        yield ("notify", number), known.notifiers, "a notifier", notifier


def _checks(holder: Mapping[str, Any], under: KeyPath) -> Iterator[tuple[KeyPath, Kinds | None, str, Any]]:
    validation = holder.get("validation")
    checks = validation.get("checks") if isinstance(validation, dict) else None
    for name, check in checks.items() if isinstance(checks, dict) else ():
        yield (*under, "validation", "checks", name), CHECK_KINDS, "a kind of check", check


def _check_settings(document: Document, path: KeyPath, model: type[BaseModel], value: Any) -> Iterator[Problem]:
    settings = dict(value) if isinstance(value, dict) else {"kind": value}
    if "kind" not in model.model_fields:
        settings.pop("kind", None)
    try:
        model.model_validate(settings)
    except ValidationError as error:
        yield from problems_of(error, model, document, under=path)
