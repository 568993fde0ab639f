"""Settings of the registries, as `publish` in the configuration holds them beside `files` and `after`."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Url = Annotated[str, Field(pattern=r"^https?://[^\s/?#]+[^\s?#]*$")]
Variable = Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$")]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PypiSettings(_Settings):
    """A registry of Python packages."""

    kind: Literal["pypi"] = "pypi"
    url: Url = Field(
        default="https://upload.pypi.org/legacy/", description="Where uploads go.", examples=["http://127.0.0.1:8080/"]
    )
    index: Url | None = Field(
        default=None,
        description="The simple index, to see what is there. By default that of PyPI for PyPI, else `simple/` below "
        "`url`.",
        examples=["http://127.0.0.1:8080/simple/"],
    )
    user: str = Field(default="__token__", description="Name to sign in with.", examples=["release"])
    password_variable: Variable | None = Field(
        default=None,
        description="Variable that holds the password or token. By default nobody signs in.",
        examples=["PYPI_TOKEN"],
    )
    timeout: float = Field(default=120.0, description="Seconds for one request.", examples=[60.0], gt=0, le=3600)


class NpmSettings(_Settings):
    """A registry of npm packages."""

    kind: Literal["npm"] = "npm"
    url: Url = Field(
        default="https://registry.npmjs.org/", description="The registry.", examples=["http://127.0.0.1:4873/"]
    )
    token_variable: Variable | None = Field(
        default=None,
        description="Variable that holds the token. By default nobody signs in.",
        examples=["NPM_TOKEN"],
    )
    tag: str = Field(
        default="latest",
        description="The dist-tag that points to the version.",
        examples=["next"],
        pattern="^[a-z][a-z0-9._-]*$",
    )
    access: Literal["public", "restricted"] | None = Field(
        default=None, description="Who may see a package with a scope. By default the registry decides."
    )
    timeout: float = Field(default=120.0, description="Seconds for one request.", examples=[60.0], gt=0, le=3600)


class CommandSettings(_Settings):
    """Any other place, by commands of your own."""

    kind: Literal["command"] = "command"
    publish: str = Field(
        description="Argument line that sends one file; `{file}`, `{name}`, `{version}` and `{digest}` are replaced.",
        examples=["aws s3 cp {file} s3://downloads/{version}/{name}"],
        min_length=1,
    )
    check: str = Field(
        description="Argument line that says what is there: status 0 and the file's SHA-256 on its output if it is, "
        "status 1 if it is not. Any other status means that it could not be found out.",
        examples=["./release/is-there.sh {version}/{name}"],
        min_length=1,
    )
    secrets: list[Variable] = Field(
        default_factory=list,
        description="Names of variables that the commands get from whoever runs the release.",
        examples=[["AWS_SECRET_ACCESS_KEY"]],
    )
    timeout: float = Field(default=300.0, description="Seconds for one command.", examples=[60.0], gt=0, le=86400)
