"""What concerns checks beyond one key: each name in braces must stand for something."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from fairway.config.document import Document
from fairway.config.problems import KeyPath, Problem
from fairway.domain.validation.template import names_in

#: What a check may use without anybody naming it.
_GIVEN = frozenset({"BASE_URL"})
_PARTS = ("setup", "requests", "cleanup")


def check_checks(document: Document, data: Mapping[str, Any]) -> Iterator[Problem]:
    """Problems of the names that checks use.

    Args:
        document: where the values came from.
        data: the file as dicts, lists and scalars; not yet known to be valid.
    """
    environments = {name: one for name, one in _mapping(data, "environments").items() if isinstance(one, dict)}
    general = _GIVEN | _secrets(data) | _variables(_mapping(data, "run"))
    anywhere = general.union(*(_secrets(one) | _variables(one) for one in environments.values()))
    yield from _unknown(document, data, (), anywhere)
    for name, one in environments.items():
        yield from _unknown(document, one, ("environments", name), general | _secrets(one) | _variables(one))


def _unknown(document: Document, holder: Mapping[str, Any], under: KeyPath, known: frozenset[str]) -> Iterator[Problem]:
    validation = _mapping(holder, "validation")
    places: list[tuple[KeyPath, Any]] = [(("validation", "headers"), validation.get("headers"))]
    places += [(("validation", "checks", name), check) for name, check in _mapping(validation, "checks").items()]
    if under:
        places += [(("databases", name), one) for name, one in _mapping(holder, "databases").items()]
    for place, value in places:
        path = (*under, *place)
        own = known | _captures(value)
        for name in sorted(names_in(value) - own):
            meant = get_close_matches(name, sorted(own), n=1)
            hint = f"did you mean {meant[0]}?" if meant else "name it under secrets of the environment, or capture it"
            yield document.problem(path, f"{{{{{name}}}}} stands for nothing", hint)


def _captures(check: Any) -> frozenset[str]:
    """Names that requests of a flow give to values."""
    if not isinstance(check, dict):
        return frozenset()
    lists = [check.get(part) for part in _PARTS]
    requests = [one for part in lists if isinstance(part, list) for one in part if isinstance(one, dict)]
    return frozenset().union(*(map(str, _mapping(one, "capture")) for one in requests))


def _secrets(holder: Mapping[str, Any]) -> frozenset[str]:
    listed = _mapping(holder, "validation").get("secrets")
    placed = frozenset(map(str, _mapping(holder, "secrets")))
    return placed | (frozenset(map(str, listed)) if isinstance(listed, list) else frozenset())


def _variables(holder: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(map(str, _mapping(holder, "variables")))


def _mapping(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = holder.get(key)
    return value if isinstance(value, dict) else {}
