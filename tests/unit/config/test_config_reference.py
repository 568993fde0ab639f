"""The reference of the configuration says what the models say; its examples load."""

import json
import re
from pathlib import Path

import pytest

from fairway.config import json_schema, load

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "configuration.md"

# Where each section's keys are told, by the headline that the table stands under.
SECTIONS = {
    "Service": "",
    "`build`": "BuildSection",
    "`artifact`": "ArtifactSection",
    "`run`": "RunSection",
    "`run.health`": "HealthSection",
    "`environments.NAME`": "EnvironmentSection",
    "`strategy: rolling`": "RollingSection",
    "`strategy: blue-green`": "BlueGreenSection",
    "`strategy: canary`": "CanarySection",
    "A step of a canary": "StepSection",
    "`sticky`": "StickySection",
    "`mirror`": "MirrorSection",
    "`analysis`": "AnalysisSection",
    "`slo` in `analysis`": "ObjectivesSection",
    "`metrics` in `analysis`": "MetricsSection",
    "A gauge in `metrics`": "GaugeSection",
    "A counter in `metrics`": "CounterSection",
    "A probe in `metrics`": "ProbeSection",
    "A rule in `rules`": "RuleSection",
    "`budget`": "BudgetSection",
    "`gates`": "GatesSection",
    "`stages`": "StagesSection",
    "`stages.validate`, `stages.migrate`": "CommandStage",
    "`stages.check`, `stages.verify`": "CheckStage",
    "`http` in a stage": "HttpCheckSection",
    "`rollback`": "RollbackSection",
    "A secret in `secrets`": "SecretSection",
    "A database in `databases`": "DatabaseSection",
    "A task in `release.security`": "SecuritySection",
    "`scan` in a task of `release.security`": "ScanSection",
    "A waiver in `scan`": "WaiverSection",
    "`validation`": "ValidationSection",
    "`release`": "ReleaseSection",
    "A task in `release`": "TaskSection",
    "An image in `release.images`": "ImageSection",
    "`findings` in `release`": "FindingsSection",
    "An entry of `release.publish`": "PublishSection",
    "`signed` in `gates`": "SignedSection",
    "`versioning`": "VersioningSection",
    "A channel in `versioning.channels`": "ChannelSection",
    "`versioning.changelog`": "ChangelogSection",
    "A package in `versioning.packages`": "PackageSection",
    "`branches`": "BranchesSection",
    "A rule in `branches.rules`": "BranchRuleSection",
    "`cadence`": "CadenceSection",
    "A window in `cadence.windows`": "WindowSection",
    "A freeze in `cadence.freezes`": "FreezeSection",
    "A train in `cadence.trains`": "TrainSection",
    "`bench`": "BenchSection",
    "`bench.expect`": "ExpectSection",
    "`bench.compare`": "CompareSection",
    "`indicators`": "IndicatorsSection",
    "A time in `indicators`": "TimeRow",
    "A share in `indicators`": "ShareRow",
}


def table_of(section: dict, definitions: dict) -> str:
    """The table that the reference must have for a section of the schema."""
    rows = ["| key | type | default | meaning | example |", "|---|---|---|---|---|"]
    for key, place in section["properties"].items():
        if key != "kind":
            needed = key in section.get("required", [])
            example = f"`{flow(place['examples'][0])}`" if place.get("examples") else ""
            default = "**required**" if needed else default_of(place)
            meaning = place.get("description") or referred(place, definitions)["description"]
            rows.append(f"| `{key}` | {type_of(place)} | {default} | {meaning} | {example} |")
    return "\n".join(rows)


def referred(place: dict, definitions: dict) -> dict:
    return definitions[place["$ref"].rpartition("/")[2]]


def default_of(place: dict) -> str:
    default = place.get("default")
    return "" if default is None or isinstance(default, dict) else f"`{flow(default)}`"


def type_of(place: dict) -> str:
    choices = place.get("anyOf")
    if choices:
        names = [type_of(choice) for choice in choices if choice.get("type") != "null"]
        return " or ".join(dict.fromkeys(names))
    if "enum" in place:
        return ", ".join(f"`{choice}`" for choice in place["enum"])
    if "%" in place.get("pattern", ""):
        return "percentage"
    kind = "duration" if "ms)" in place.get("pattern", "") else place.get("type", "object")
    if kind == "array":
        return f"list of {type_of(place['items'])}"
    words = {"object": "mapping", "string": "text", "integer": "whole number"}
    return words.get(kind, kind)


def flow(value) -> str:
    """The value as YAML writes it in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items() if item is not None) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if isinstance(value, float):
        return f"{value:g}"
    plain = isinstance(value, str) and re.fullmatch(r"[\w./%-][\w ./%{}:+-]*", value) and ": " not in value
    return value if plain else json.dumps(value)


def test_the_reference_has_a_section_for_each_mapping_of_the_schema():
    told = set(SECTIONS.values()) - {""}
    # The parts of checks are told in their own reference.
    defined = {name for name in json_schema()["$defs"] if not name.startswith("checks.")}
    assert told == defined - {"AdapterSection"}


@pytest.mark.parametrize("headline", SECTIONS)
def test_the_reference_tells_each_key_as_the_models_do(headline):
    schema = json_schema()
    name = SECTIONS[headline]
    # The table is about services; what a library needs is told below it.
    service = {**schema, "required": [*schema["required"], *schema["anyOf"][0]["required"]]}
    expected = table_of(schema["$defs"][name] if name else service, schema["$defs"])
    after = REFERENCE.read_text().partition(f"# {headline}\n")[2]
    table = "\n".join(line for line in re.split(r"\n#+ ", after)[0].splitlines() if line.startswith("|"))
    assert table == expected


def test_each_example_of_the_reference_loads(tmp_path):
    examples = re.findall(r"```yaml\n(service:.*?)```", REFERENCE.read_text(), re.DOTALL)
    assert len(examples) >= 2
    for number, text in enumerate(examples):
        file = tmp_path / f"{number}.yaml"
        file.write_text(text)
        load(file)
