"""The section `release`: how a release is built, tested, checked and published."""

import datetime
import re
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from fairway.config.section import Section
from fairway.config.types import Command, Name, PositiveDuration, Variables, bare_word, refuse
from fairway.domain.images.spec import BuilderName, ImageSpec, parse_size
from fairway.domain.pipeline.findings import ScanPolicy, Waiver
from fairway.domain.pipeline.scanners import ScannerName, find_scanner, steps_of
from fairway.domain.pipeline.spec import PipelineSpec, PublishSpec, TaskSpec, TaskStage
from fairway.domain.provenance.trust import TrustPolicy
from fairway.domain.rollout.spec import Adapter

STAGES: tuple[TaskStage, ...] = ("build", "test", "security")


def _pattern(value: str) -> str:
    parts = value.split("/")
    # With a dash first, programs that are given it would take it for an option.
    if not value or value.startswith(("/", "-")) or ".." in parts or "\0" in value:
        raise refuse(f"{value!r} is no pattern of files in the checkout", "write it like dist/*.whl or src/**")
    return value


def _day(value: str) -> str:
    try:
        datetime.date.fromisoformat(value)
    except ValueError:
        raise refuse(f"{value!r} is no day", "write it like 2027-01-31") from None
    return value


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _steps(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _size(value: Any) -> Any:
    found = parse_size(value) if isinstance(value, str) else None
    if found is None or found <= 0:
        raise refuse(f"{value!r} is no size", "write a number with its unit: 25MB, 1.5GB or 20MiB")
    return found


def _platform(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+/[a-z0-9_]+(/v[0-9]+)?", value):
        raise refuse(f"{value!r} is no platform", "write it like linux/amd64, linux/arm64 or linux/arm/v7")
    return value


Size = Annotated[int, BeforeValidator(_size), WithJsonSchema({"type": "string"})]
Platform = Annotated[str, AfterValidator(_platform)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Patterns = Annotated[list[Pattern], BeforeValidator(_steps)]
Text = Annotated[str, BeforeValidator(_as_text), WithJsonSchema({"type": ["string", "number"]})]
Variable = Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$")]
MatrixName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]


class TaskSection(Section):
    """Commands in a clean checkout of the commit."""

    run: Annotated[list[Command], BeforeValidator(_steps)] = Field(
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


class WaiverSection(Section):
    """A finding that you decided to live with for some time."""

    rule: str = Field(description="The rule, as the scanner calls it.", examples=["S101"], min_length=1)
    path: Pattern | None = Field(
        default=None, description="Files that it is about; by default any.", examples=["tests/**"]
    )
    until: Annotated[str, AfterValidator(_day)] = Field(
        description="The last day on which it holds, UTC. From the next one on the finding blocks.",
        examples=["2027-01-31"],
    )
    reason: str = Field(description="Why.", examples=["only in tests"], min_length=1)


BlockLevel = Literal["error", "warning", "note"]


class FindingsSection(Section):
    """What scanners may find: for all scans together."""

    block: BlockLevel = Field(
        default="warning", description="Findings of this level and of worse ones halt the release.", examples=["error"]
    )
    waivers: list[WaiverSection] = Field(default_factory=list, description="Findings that do not, for some time.")


class ScanSection(Section):
    """A scanner's report decides, and not its status."""

    tool: ScannerName | None = Field(
        default=None,
        description="A scanner by its name: it is called, and its report read, without `run` and `report`. `scan: "
        "bandit` is short for this key alone.",
        examples=["bandit"],
    )
    paths: Patterns = Field(
        default_factory=list,
        description="What the tool looks at. By default the whole checkout; requirements.txt for pip-audit.",
        examples=[["src"]],
    )
    arguments: list[str] = Field(
        default_factory=list, description="Further arguments of the tool.", examples=[["--exclude", "tests"]]
    )
    image: Name | None = Field(
        default=None,
        description="An image of `images` that the tool looks at in place of paths; for trivy and grype.",
        examples=["shop"],
    )
    report: Pattern | None = Field(
        default=None,
        description="Path of the report in the checkout, in SARIF 2.1.0, where `run` calls the scanner. Without one "
        "that can be read, or where the scanner failed and found nothing, the scan could not be run, which never "
        "counts as passed.",
        examples=["report.sarif"],
    )
    block: BlockLevel | None = Field(
        default=None,
        description="Findings of this level and of worse ones halt the release. By default as `findings.block` says.",
        examples=["error"],
    )
    waivers: list[WaiverSection] = Field(
        default_factory=list, description="Findings that do not, for some time, beside those of `findings.waivers`."
    )


class SecuritySection(TaskSection):
    """A scanner, or commands, that must find nothing before anything is published."""

    run: Annotated[list[Command], BeforeValidator(_steps)] = Field(
        default_factory=list,
        description="Argument lines run one after the other, without a shell. A scanner that is called by its name "
        "needs none.",
        examples=[["./scan.sh --sarif report.sarif"]],
    )
    scan: Annotated[ScanSection | None, BeforeValidator(bare_word("tool"))] = Field(
        default=None,
        description="The scanner, or how its report is judged. By default the status of the commands decides.",
        examples=["bandit"],
    )
    cache: bool = Field(
        default=True,
        description="Whether an earlier report on the same inputs is taken in place of a new one. By default not for "
        "scanners that ask what is known today.",
        examples=[False],
    )


class ImageSection(Section):
    """A container image of a Containerfile, for one or more platforms."""

    file: Pattern = Field(
        default="Containerfile",
        description="The Containerfile or Dockerfile in the checkout.",
        examples=["deploy/Dockerfile"],
    )
    context: Pattern = Field(
        default=".", description="The folder of the checkout that it is built from.", examples=["deploy"]
    )
    platforms: Annotated[list[Platform], BeforeValidator(_steps), Field(min_length=1)] = Field(
        default_factory=lambda: ["linux/amd64"],
        description="What it is built for; all of them are in one index, under one digest. `RUN` needs an emulator on "
        "this machine for others than its own. By default linux/amd64.",
        examples=[["linux/amd64", "linux/arm64"]],
    )
    arguments: Variables = Field(
        default_factory=dict,
        description="Arguments of the Containerfile; `{version}` is replaced.",
        examples=[{"BASE": "registry.example.org/base:12"}],
    )
    target: str | None = Field(
        default=None, description="The stage that is built; by default the last one.", examples=["runtime"]
    )
    budget: Size | None = Field(
        default=None,
        description="What the layers of each platform may have together, as they are pulled. A larger image halts the "
        "release.",
        examples=["25MB"],
    )
    builder: BuilderName | None = Field(
        default=None,
        description="The program that builds. By default the first of buildah, podman and docker that is there.",
        examples=["buildah"],
    )
    needs: list[Name] | None = Field(
        default=None,
        description="Tasks whose outputs lie in the checkout. By default all of `build`.",
        examples=[["binary"]],
    )
    inputs: Patterns = Field(
        default_factory=list,
        description="Files that the checkout consists of, and that decide whether the cache can be used. By default "
        "all files of the commit.",
        examples=[["Containerfile", "src/**"]],
    )
    secrets: list[Variable] = Field(
        default_factory=list,
        description="Names of variables that are passed on from whoever runs the release to the program that builds.",
        examples=[["LICENSE_TOKEN"]],
    )
    timeout: PositiveDuration = Field(default=1800.0, description="Time for all platforms together.", examples=["10m"])
    cache: bool = Field(
        default=True,
        description="Whether an earlier image of the same inputs is taken in place of a new one.",
        examples=[False],
    )
    versioned: bool = Field(
        default=True,
        description="Whether version and commit are among the image's labels. Without them a later release with the "
        "same inputs has the same image.",
        examples=[False],
    )


class PublishSection(BaseModel):
    """A registry, with settings of its own, and what goes there."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    kind: str = Field(description="Kind of the registry.", examples=["pypi"])
    files: Patterns = Field(
        default_factory=list,
        description="Outputs of the build that go there; `{version}` is replaced.",
        examples=[["dist/*"]],
    )
    images: Annotated[list[Name], BeforeValidator(_steps)] = Field(
        default_factory=list,
        description="Images that go there, to a registry of the kind `oci`. Either these or `files` are given.",
        examples=[["shop"]],
    )
    after: list[Name] = Field(
        default_factory=list,
        description="Entries of `publish` that must be done before, such as those of the packages it depends on.",
        examples=[["core"]],
    )
    workspace: Literal["uv", "npm", "cargo"] | None = Field(
        default=None,
        description="Publishes the packages of the repository's workspace, each behind those that it needs, as its "
        "manifests at the commit say. In `files`, `{package}` stands for how the names of a package's files begin, and "
        "`{folder}` for its folder.",
        examples=["uv"],
    )
    changed: bool = Field(
        default=False,
        description="Of a workspace only the packages whose folders have changed since the last release.",
        examples=[True],
    )


class ReleaseSection(Section):
    """How a release is made: build, test, security, publish."""

    build: dict[Name, TaskSection] = Field(default_factory=dict, description="What makes the outputs.")
    images: dict[Name, ImageSection] = Field(
        default_factory=dict, description="Container images, built behind what `build` makes."
    )
    test: dict[Name, TaskSection] = Field(default_factory=dict, description="What must pass before anything else.")
    security: dict[Name, SecuritySection] = Field(
        default_factory=dict, description="What must find nothing before anything is published."
    )
    findings: FindingsSection = Field(
        default_factory=FindingsSection, description="What scanners may find, for all of `security` together."
    )
    publish: dict[Name, PublishSection] = Field(default_factory=dict, description="Where the outputs go.")
    push: str | None = Field(
        default=None,
        description="Remote that the tag is pushed to. By default it stays in this repository.",
        examples=["origin"],
    )
    key: Name | None = Field(
        default=None,
        description="Key that signs a bill of materials and a provenance for everything that is built.",
        examples=["release"],
    )
    artifact: bool = Field(
        default=True,
        description="Whether the artifact that environments run is sealed as part of the release.",
        examples=[False],
    )
    parallel: int = Field(default=2, description="How many tasks run at the same time.", examples=[4], ge=1, le=64)
    patience: PositiveDuration = Field(
        default=60.0,
        description="How long a task is tried again when a registry or remote does not answer.",
        examples=["5m"],
    )


class SignedSection(Section):
    """Who must have signed what is deployed here, and where it must come from."""

    keys: list[Name] = Field(
        description="Keys of which one must have signed the provenance; `release-keys/NAME.pub` beside this file.",
        examples=[["release"]],
        min_length=1,
    )
    sources: list[str] = Field(
        default_factory=list,
        description="Addresses of repositories of which one must be the source, as `git remote get-url origin` gives "
        "them. By default any.",
        examples=[["https://github.com/acme/shop"]],
    )


def to_trust(section: SignedSection | None) -> TrustPolicy | None:
    """What an environment demands of signatures."""
    return None if section is None else TrustPolicy(tuple(section.keys), tuple(section.sources))


def to_pipeline(section: ReleaseSection) -> PipelineSpec:
    """The section in the words of the domain."""
    return PipelineSpec(
        tasks=(
            *(_task("build", name, one) for name, one in section.build.items()),
            *(_task("test", name, one) for name, one in section.test.items()),
            *(_scan_task(name, one, section.findings) for name, one in section.security.items()),
            *(_image(name, one, tuple(section.build)) for name, one in section.images.items()),
        ),
        publish=tuple(
            PublishSpec(
                name,
                _registry(one),
                tuple(one.files),
                tuple(one.after),
                tuple(one.images),
                one.workspace or "",
                one.changed,
            )
            for name, one in section.publish.items()
        ),
        push=section.push,
        key=section.key,
        artifact=section.artifact,
        parallel=section.parallel,
        patience=section.patience,
    )


def _task(stage: TaskStage, name: str, section: TaskSection) -> TaskSpec:
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


def _image(name: str, section: ImageSection, build: tuple[str, ...]) -> TaskSpec:
    image = ImageSpec(
        name=name,
        file=section.file,
        context=section.context,
        platforms=tuple(dict.fromkeys(section.platforms)),
        arguments=tuple(sorted(section.arguments.items())),
        target=section.target,
        budget=section.budget,
        builder=section.builder,
    )
    return TaskSpec(
        name=name,
        stage="build",
        steps=(),
        needs=build if section.needs is None else tuple(section.needs),
        inputs=tuple(section.inputs),
        secrets=tuple(section.secrets),
        timeout=section.timeout,
        cached=section.cache,
        versioned=section.versioned,
        image=image,
    )


def _scan_task(name: str, section: SecuritySection, findings: FindingsSection) -> TaskSpec:
    """A task of the security stage; a scanner by its name brings its commands along."""
    task = _task("security", name, section)
    scan = section.scan
    if scan is None:
        return task
    task = replace(task, scan=_policy(scan, findings))
    if scan.tool is None:
        return task
    scanner = find_scanner(scan.tool)
    given = section.model_fields_set
    steps = steps_of(scanner, paths=tuple(scan.paths), arguments=tuple(scan.arguments), image=scan.image)
    return replace(
        task,
        steps=task.steps or steps,
        needs=(scan.image,) if scan.image and section.needs is None else task.needs,
        cached=section.cache if "cache" in given else not scanner.ageing,
        versioned=section.versioned if "versioned" in given else False,
    )


def _policy(scan: ScanSection, findings: FindingsSection) -> ScanPolicy:
    waivers = tuple(Waiver(one.rule, one.until, one.reason, one.path) for one in (*scan.waivers, *findings.waivers))
    block = scan.block or findings.block
    if scan.tool is None:
        return ScanPolicy(scan.report or "", block, waivers)
    scanner = find_scanner(scan.tool)
    return ScanPolicy(scan.report or scanner.report, block, waivers, scanner.form, scanner.install)


def _registry(section: PublishSection) -> Adapter:
    settings = section.model_extra or {}
    return Adapter(section.kind, tuple(sorted(settings.items())))
