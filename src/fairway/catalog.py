"""Every built-in adapter that a configuration can name: the table of contents.

To add one: a file that implements its port and passes the port's contract suite, an entry here, a page in the docs.
Another package offers an entry of its own under the entry point group `fairway.adapters`.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fairway.domain.errors import UserError

if TYPE_CHECKING:
    from pydantic import BaseModel

#: The entry point group of adapters that other packages bring.
GROUP = "fairway.adapters"

Port = Literal["target", "router", "notifier", "source", "registry"]


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
    Entry(
        "registry",
        "pypi",
        "fairway.adapters.publishers.pypi:PypiRegistry",
        "fairway.adapters.publishers.settings:PypiSettings",
        "Python packages.",
    ),
    Entry(
        "registry",
        "npm",
        "fairway.adapters.publishers.npm:NpmRegistry",
        "fairway.adapters.publishers.settings:NpmSettings",
        "npm packages.",
    ),
    Entry(
        "registry",
        "oci",
        "fairway.adapters.images.publisher:OciRegistry",
        "fairway.adapters.images.settings:OciSettings",
        "Container images.",
    ),
    Entry(
        "registry",
        "command",
        "fairway.adapters.publishers.command:CommandRegistry",
        "fairway.adapters.publishers.settings:CommandSettings",
        "Anything else, by two commands.",
    ),
)


def list_entries() -> tuple[Entry, ...]:
    """The built-in adapters, then those of other packages.

    Raises:
        UserError: two adapters of one port have the same kind.
    """
    entries = [*BUILT_IN, *_list_foreign()]
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        if (entry.port, entry.kind) in seen:
            sentence = f"two adapters are called {entry.kind!r} as a {entry.port}"
            raise UserError("duplicate-adapter", sentence, "uninstall one of the packages that bring it")
        seen.add((entry.port, entry.kind))
    return tuple(entries)


def _list_foreign() -> Iterable[Entry]:
    """The adapters of other packages. The standard library's search is loaded only if there may be some."""
    if not may_be_extended():
        return ()
    from importlib.metadata import entry_points

    return [point.load() for point in entry_points(group=GROUP)]


def may_be_extended() -> bool:
    """Other packages may bring adapters; False: none does."""
    return any(_may_bring_adapters(Path(place)) for place in sys.path)


def _may_bring_adapters(place: Path) -> bool:
    """An entry of the module path holds a package that names the group, or is an archive, whose content is not read."""
    if place.is_file():
        return True
    for points in (*place.glob("*.dist-info/entry_points.txt"), *place.glob("*.egg-info/entry_points.txt")):
        if GROUP in points.read_text(encoding="utf-8", errors="replace"):
            return True
    return False


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


class _Models(Mapping[str, "type[BaseModel] | None"]):
    """Settings models by kind, each loaded when it is asked for: a file names few of them."""

    def __init__(self, places: Mapping[str, str | None]) -> None:
        self._places = places

    def __getitem__(self, kind: str) -> "type[BaseModel] | None":
        place = self._places[kind]
        return None if place is None else load_object(place)  # type: ignore[return-value]

    def __contains__(self, kind: object) -> bool:
        return kind in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def settings_by_kind(port: Port) -> "Mapping[str, type[BaseModel] | None]":
    """The settings models of a port's adapters, for checking a configuration."""
    return _Models({entry.kind: entry.settings for entry in list_entries() if entry.port == port})
