"""Every built-in adapter that a configuration can name: the table of contents.

To add one: a file that implements its port and passes the port's contract suite, an entry here, a page in the docs.
Another package offers an entry of its own under the entry point group `fairway.adapters`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Literal

from pydantic import BaseModel

from fairway.domain.errors import UserError

Port = Literal["target", "router", "notifier", "source"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One adapter, as data.

    Attributes:
        port: what it implements.
        kind: its name in `fairway.yaml`.
        factory: `module:name` of what builds it from keyword arguments; loaded when it is needed.
        settings: `module:name` of the model of its settings; None: it has none.
        summary: one line for people.
    """

    port: Port
    kind: str
    factory: str
    settings: str | None
    summary: str


BUILT_IN = (
    Entry(
        "target",
        "local",
        "fairway.adapters.targets.local.target:LocalTarget",
        None,
        "Processes of this machine.",
    ),
    Entry(
        "router",
        "envoy",
        "fairway.adapters.routers.envoy:EnvoyRouter",
        "fairway.adapters.routers.envoy.settings:EnvoySettings",
        "Envoy on this machine, by files.",
    ),
    Entry(
        "notifier",
        "webhook",
        "fairway.adapters.notifiers:WebhookNotifier",
        "fairway.adapters.notifiers:WebhookSettings",
        "A POST request for each message.",
    ),
    Entry(
        "notifier",
        "command",
        "fairway.adapters.notifiers:CommandNotifier",
        "fairway.adapters.notifiers:CommandSettings",
        "A command for each message.",
    ),
    Entry(
        "source",
        "prometheus",
        "fairway.adapters.metrics.prometheus:PrometheusSource",
        "fairway.adapters.metrics.settings:PrometheusSettings",
        "Metrics from a Prometheus, by queries.",
    ),
)


def list_entries() -> tuple[Entry, ...]:
    """The built-in adapters, then those of other packages.

    Raises:
        UserError: two adapters of one port have the same kind.
    """
    entries = [*BUILT_IN, *(point.load() for point in entry_points(group="fairway.adapters"))]
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        if (entry.port, entry.kind) in seen:
            sentence = f"two adapters are called {entry.kind!r} as a {entry.port}"
            raise UserError("duplicate-adapter", sentence, "uninstall one of the packages that bring it")
        seen.add((entry.port, entry.kind))
    return tuple(entries)


def find_entry(port: Port, kind: str) -> Entry:
    """The adapter of that kind.

    Raises:
        UserError: there is none; the sentence lists those that are.
    """
    entries = [entry for entry in list_entries() if entry.port == port]
    for entry in entries:
        if entry.kind == kind:
            return entry
    known = ", ".join(entry.kind for entry in entries)
    raise UserError(f"unknown-{port}", f"there is no {port} {kind[:60]!r}", f"known are {known}")


def load_object(place: str) -> Callable[..., Any]:
    """What `module:name` names."""
    module, _, name = place.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


def settings_by_kind(port: Port) -> Mapping[str, type[BaseModel] | None]:
    """The settings models of a port's adapters, for checking a configuration."""
    models: dict[str, Any] = {}
    for entry in list_entries():
        if entry.port == port:
            models[entry.kind] = None if entry.settings is None else load_object(entry.settings)
    return models
