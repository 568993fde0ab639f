"""The tasks of a release: commands in a clean checkout, and the values that sections about tasks are made of."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from fairway.config.section import Section
from fairway.config.types import Command, Name, OneOrMore, PositiveDuration, Variables, refuse
from fairway.domain.pipeline.spec import TaskSpec, TaskStage


def _pattern(value: str) -> str:
    parts = value.split("/")
    # With a dash first, programs that are given it would take it for an option.
    if not value or value.startswith(("/", "-")) or ".." in parts or "\0" in value:
        raise refuse(f"{value!r} is no pattern of files in the checkout", "write it like dist/*.whl or src/**")
    return value


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Pattern = Annotated[
    str, AfterValidator(_pattern), Field(json_schema_extra={"pattern": r"^(?![/-])(?!(.*/)?\.\.(/|$))[^\x00]+$"})
]
Patterns = Annotated[list[Pattern], OneOrMore()]
Text = Annotated[str, BeforeValidator(_as_text), WithJsonSchema({"type": ["string", "number"]})]
Variable = Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$")]
MatrixName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]


class TaskSection(Section):
    """Commands in a clean checkout of the commit."""

    run: Annotated[list[Command], OneOrMore()] = Field(
        description="Argument lines run one after the other, without a shell. `{NAME}` stands for a value of the "
        "matrix, `{version}` for the release's version.",
        examples=[["uv build --out-dir dist"]],
        min_length=1,
    )
    needs: list[Name] | None = Field(
        default=None,
        description="Tasks that must be done before, whose outputs lie in the checkout. By default all tasks of the "
        "stages before.",
        examples=[["wheel"]],
    )
    inputs: Patterns = Field(
        default_factory=list,
        description="Files that the checkout consists of, and that decide whether the cache can be used. By default "
        "all files of the commit.",
        examples=[["src/**", "pyproject.toml"]],
    )
    outputs: Patterns = Field(
        default_factory=list,
        description="Files that are kept, by digest; each pattern must match one at least.",
        examples=[["dist/*.whl"]],
    )
    variables: Variables = Field(
        default_factory=dict,
        description="Environment variables of the commands, beside PATH, HOME, LANG, TZ, the settings of the network, "
        "FAIRWAY_VERSION, FAIRWAY_COMMIT, and MATRIX_NAME for each value of the matrix.",
        examples=[{"CGO_ENABLED": "0"}],
    )
    secrets: list[Variable] = Field(
        default_factory=list,
        description="Names of variables that are passed on from whoever runs the release. Their values are replaced "
        "by *** in the output and never written down.",
        examples=[["LICENSE_TOKEN"]],
    )
    timeout: PositiveDuration = Field(default=1800.0, description="Time for all commands together.", examples=["10m"])
    cache: bool = Field(
        default=True,
        description="Whether the outputs of an earlier execution with the same inputs are taken in place of a new one.",
        examples=[False],
    )
    versioned: bool = Field(
        default=True,
        description="Whether the commands see the version and the commit. Without them a later release with the same "
        "inputs can use the cache.",
        examples=[False],
    )
    matrix: dict[MatrixName, Annotated[list[Text], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="Variables with their values: a task is made for each combination, and they run beside each other.",
        examples=[{"os": ["linux", "darwin"], "arch": ["amd64", "arm64"]}],
    )
    exclude: list[dict[str, Text]] = Field(
        default_factory=list,
        description="Combinations that are left out.",
        examples=[[{"os": "windows", "arch": "arm64"}]],
    )


def to_task(stage: TaskStage, name: str, section: TaskSection) -> TaskSpec:
    """The section in the words of the domain."""
    return TaskSpec(
        name=name,
        stage=stage,
        steps=tuple(section.run),
        needs=None if section.needs is None else tuple(section.needs),
        inputs=tuple(section.inputs),
        outputs=tuple(section.outputs),
        variables=tuple(sorted(section.variables.items())),
        secrets=tuple(section.secrets),
        timeout=section.timeout,
        cached=section.cache,
        versioned=section.versioned,
        matrix=tuple((key, tuple(values)) for key, values in section.matrix.items()),
        exclude=tuple(tuple(sorted(one.items())) for one in section.exclude),
    )
