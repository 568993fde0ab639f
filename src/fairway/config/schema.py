"""The configuration as a JSON Schema, for editors."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from fairway.config.durations import PATTERN, format_duration
from fairway.config.known import NOTHING_KNOWN, Kinds, Known
from fairway.config.models import OF_A_LIBRARY, ServiceFile
from fairway.config.strategy import STRATEGIES
from fairway.config.types import PERCENTAGE_PATTERN
from fairway.config.validation import CHECK_KINDS

#: A service is started somewhere; of a library it is said how it is released.
_KINDS_OF_FILES = [
    {"required": ["run", "environments"]},
    {
        "anyOf": [{"required": [section]} for section in sorted(OF_A_LIBRARY)],
        "not": {"anyOf": [{"required": ["run"]}, {"required": ["environments"]}]},
    },
]


def json_schema(known: Known = NOTHING_KNOWN) -> dict[str, Any]:
    """The schema of `fairway.yaml` by draft 2020-12.

    Args:
        known: the kinds of adapters that exist; they become choices where they are given.
    """
    schema = ServiceFile.model_json_schema(schema_generator=_AsWritten)
    _tidy(schema)
    definitions = schema["$defs"]
    environment = definitions["EnvironmentSection"]["properties"]
    environment["strategy"]["default"] = "rolling"
    environment["analysis"]["default"] = "balanced"
    environment["target"]["default"] = "local"
    _accept_words(schema)
    definitions.pop("AnyCheckSection")
    checks = _named(definitions["ValidationSection"]["properties"]["checks"])
    checks.clear()
    checks["anyOf"] = [{"enum": list(CHECK_KINDS)}, *(_check(kind, definitions) for kind in CHECK_KINDS)]
    for holder, key, kinds in (
        (environment, "target", known.targets),
        (environment, "router", known.routers),
        (schema["properties"]["notify"], "items", known.notifiers),
        (definitions["MetricsSection"]["properties"], "source", known.sources),
    ):
        _accept_word(holder[key], {"enum": list(kinds)} if kinds else {"type": "string"})
        if kinds:
            holder[key]["anyOf"][1:] = [_settings(kind, kinds, definitions) for kind in kinds]
    schema["required"] = ["service"]
    schema["anyOf"] = _KINDS_OF_FILES
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "fairway.yaml"}


class _AsWritten(GenerateJsonSchema):
    """Keeps the order of keys and examples as the models have them."""

    def sort(self, value: JsonSchemaValue, parent_key: str | None = None) -> JsonSchemaValue:
        """Leaves the value as it is."""
        del parent_key
        return value


def _accept_words(schema: dict[str, Any]) -> None:
    """Lets bare words stand for the mappings that the models take them for."""
    sections = {name: inner["properties"] for name, inner in schema["$defs"].items() if "properties" in inner}
    environment, analysis = sections["EnvironmentSection"], sections["AnalysisSection"]
    policies, tools = sections["BranchesSection"]["policy"], sections["ScanSection"]["tool"]["anyOf"][0]
    _accept_word(environment["strategy"], {"enum": list(STRATEGIES)})
    _accept_word(environment["analysis"], analysis["preset"])
    _accept_word(sections["CanarySection"]["steps"]["items"], {"type": "number"})
    _accept_word(sections["VersioningSection"]["channels"]["items"], {"type": "string"})
    _accept_word(schema["properties"]["branches"]["anyOf"][0], {"enum": policies["enum"]})
    _accept_word(sections["SecuritySection"]["scan"]["anyOf"][0], tools)
    _accept_word(_named(sections["MetricsSection"]["gauges"]), {"type": "string"})
    _accept_word(_named(analysis["rules"]), {"type": "string"})


def _named(mapping: dict[str, Any]) -> dict[str, Any]:
    """What stands under each name of a mapping from names."""
    inner: dict[str, Any] = next(iter(mapping["patternProperties"].values()))
    return inner


def _accept_word(place: dict[str, Any], word: dict[str, Any]) -> None:
    """Lets a bare word stand where a mapping may."""
    kept: dict[str, Any] = {key: place.pop(key) for key in ("description", "default", "examples") if key in place}
    shape = dict(place)
    place.clear()
    place["anyOf"] = [{key: word[key] for key in ("enum", "type") if key in word}, shape]
    place.update(kept)


def _settings(kind: str, kinds: Kinds, definitions: dict[str, Any]) -> dict[str, Any]:
    model: type[BaseModel] | None = kinds[kind]
    inner: dict[str, Any] = model.model_json_schema() if model else {"type": "object", "properties": {}}
    definitions.update(inner.pop("$defs", {}))
    properties = {**inner.get("properties", {}), "kind": {"const": kind}}
    return {**inner, "properties": properties, "required": ["kind", *inner.get("required", [])]}


def _check(kind: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """The keys of a kind of check; what they have in common with other kinds is defined once."""
    inner = CHECK_KINDS[kind].model_json_schema(schema_generator=_AsWritten, ref_template="#/$defs/checks.{model}")
    _tidy(inner)
    definitions.update({f"checks.{name}": place for name, place in inner.pop("$defs", {}).items()})
    properties = {"kind": {"const": kind}, **inner["properties"]}
    return {**inner, "properties": properties, "required": ["kind", *inner.get("required", [])]}


def _tidy(place: Any) -> None:
    """Writes defaults as the file would, and leaves out the titles that only repeat the key."""
    if isinstance(place, list):
        for item in place:
            _tidy(item)
    if not isinstance(place, dict):
        return
    if isinstance(place.get("title"), str):
        place.pop("title")
    if place.get("pattern") == PATTERN and isinstance(place.get("default"), float):
        place["default"] = format_duration(place["default"])
    if place.get("pattern") == PERCENTAGE_PATTERN and isinstance(place.get("default"), float):
        place["default"] = f"{place['default'] * 100:g}%"
    for inner in place.values():
        _tidy(inner)
