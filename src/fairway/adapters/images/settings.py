"""Settings of registries of images, as `publish` in the configuration holds them beside `images` and `after`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from fairway.domain.errors import UserError
from fairway.domain.images.reference import TAG, parse_reference

_PLACES = {"version": "1.2.0", "major": "1", "minor": "2", "patch": "0"}


def _repository(value: str) -> str:
    try:
        found = parse_reference(value)
    except UserError as error:
        raise _refused(error.message, error.hint) from error
    if found.tag or found.digest:
        raise _refused(f"{value!r} names a tag or a digest", "the release gives the tag; write the repository alone")
    return value


def _tag(value: str) -> str:
    filled = value
    for name, example in _PLACES.items():
        filled = filled.replace(f"{{{name}}}", example)
    if not TAG.fullmatch(filled):
        hint = "use letters, digits, '_', '.' and '-', and {version}, {major}, {minor} or {patch}"
        raise _refused(f"{value!r} makes no tag of an image", hint)
    return value


def _versioned(value: str) -> str:
    if "{version}" not in value:
        raise _refused(f"{value!r} would be the same for every release", "write {version} into it")
    return _tag(value)


def _refused(message: str, hint: str) -> PydanticCustomError:
    return PydanticCustomError("fairway", "{message}", {"message": message, "hint": hint})


Variable = Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$")]


class OciSettings(BaseModel):
    """A registry of container images."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    kind: Literal["oci"] = "oci"
    repository: Annotated[str, AfterValidator(_repository)] = Field(
        description="Where the image goes: registry and path. Registries on this machine (127.0.0.1, localhost) are "
        "spoken to without TLS, all others with it.",
        examples=["registry.example.org/acme/shop"],
    )
    tag: Annotated[str, AfterValidator(_versioned)] = Field(
        default="{version}",
        description="The version's own tag, which is never moved. `{version}` is the version with `_` in place of `+`.",
        examples=["v{version}"],
    )
    moving: list[Annotated[str, AfterValidator(_tag)]] = Field(
        default_factory=list,
        description="Tags that follow the newest release. They stay where they are for pre-releases, and for versions "
        "that come before the one they stand for.",
        examples=[["{major}.{minor}", "latest"]],
    )
    user: str | None = Field(
        default=None,
        description="Name to sign in with. Without `password_variable`, what `podman login` or `docker login` kept is "
        "used.",
        examples=["release"],
        min_length=1,
    )
    password_variable: Variable | None = Field(
        default=None, description="Variable that holds the password or token.", examples=["REGISTRY_TOKEN"]
    )
    timeout: float = Field(
        default=60.0, description="Seconds that the registry may be silent.", examples=[30.0], gt=0, le=3600
    )
