"""The section `release`: how a release is built, tested, checked and published."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from fairway.config.problems import quote
from fairway.config.scans import FindingsSection, SecuritySection, to_scan
from fairway.config.section import Section
from fairway.config.tasks import Pattern, Patterns, TaskSection, Variable, to_task
from fairway.config.types import Name, OneOrMore, PositiveDuration, Variables, refuse
from fairway.domain.images.spec import BuilderName, ImageSpec, parse_size
from fairway.domain.pipeline.spec import PipelineSpec, PublishSpec, TaskSpec, TaskStage
from fairway.domain.provenance.trust import TrustPolicy
from fairway.domain.rollout.spec import Adapter

STAGES: tuple[TaskStage, ...] = ("build", "test", "security")

_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(/v[0-9]+)?")


def _size(value: Any) -> Any:
    found = parse_size(value) if isinstance(value, str) else None
    if found is None or found <= 0:
        raise refuse(f"{value!r} is no size", "write a number with its unit: 25MB, 1.5GB or 20MiB")
    return found


def _platform(value: str) -> str:
    if not _PLATFORM.fullmatch(value):
        raise refuse(f"{quote(value)} is no platform", "write it like linux/amd64, linux/arm64 or linux/arm/v7")
    return value


Size = Annotated[int, BeforeValidator(_size), WithJsonSchema({"type": "string"})]
Platform = Annotated[str, AfterValidator(_platform), Field(json_schema_extra={"pattern": f"^{_PLATFORM.pattern}$"})]


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
    platforms: Annotated[list[Platform], OneOrMore(), Field(min_length=1)] = Field(
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
    images: Annotated[list[Name], OneOrMore()] = Field(
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
            *(to_task("build", name, one) for name, one in section.build.items()),
            *(to_task("test", name, one) for name, one in section.test.items()),
            *(to_scan(name, one, section.findings) for name, one in section.security.items()),
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


def _registry(section: PublishSection) -> Adapter:
    settings = section.model_extra or {}
    return Adapter(section.kind, tuple(sorted(settings.items())))
