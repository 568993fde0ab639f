"""What all checks have in common, and the values that they are made of: requests and what must come back."""

import re
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from fairway.config.problems import quote
from fairway.config.section import Section
from fairway.config.types import Bare, Duration, HttpPath, OneOrMore, PositiveDuration, refuse
from fairway.domain.validation.expectation import Operator

OPERATORS = get_args(Operator)

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_URL = re.compile(r"https?://[^\s/?#]+(/.*)?|\{\{.*")


def _json_path(value: str) -> str:
    from jsonpath import JSONPathEnvironment  # noqa: PLC0415 -- only files with such paths need it
    from jsonpath.exceptions import JSONPathError  # noqa: PLC0415

    try:
        JSONPathEnvironment(strict=True).compile(value)
    except (JSONPathError, ValueError, RecursionError) as error:
        hint = "write it like $.user.id or $.items[0].name"
        raise refuse(f"{quote(value)} is not a JSON path: {str(error).splitlines()[0]}", hint) from error
    return value


def _source(value: str) -> str:
    if value == "status" or re.fullmatch(r"header:\s*[A-Za-z0-9-]+", value):
        return value
    return _json_path(value)


def _send(value: str) -> str:
    method, _, path = value.partition(" ")
    if method not in _METHODS or not re.match(r"(/|https?://|\{\{)", path.strip()):
        raise refuse(f"{quote(value)} is not a request", "write a method and a path: GET /health")
    return value


def _url(value: str) -> str:
    if not _URL.fullmatch(value):
        raise refuse(f"{quote(value)} is not a URL of HTTP", "write http://HOST:PORT or https://HOST")
    return value


def _operators(value: Any) -> Any:
    """A mapping of comparisons, or a plain value, which must be equal."""
    known = isinstance(value, dict) and bool(value) and all(key in OPERATORS for key in value)
    for pattern in [value["matches"]] if known and "matches" in value else []:
        try:
            re.compile(pattern)
        except (re.error, TypeError) as error:
            raise refuse(f"{quote(pattern)} is not a regular expression: {error}") from error
    return value if known else {"equals": value}


JsonPath = Annotated[str, AfterValidator(_json_path)]
Capture = Annotated[str, AfterValidator(_source)]
Send = Annotated[str, AfterValidator(_send)]
HttpUrl = Annotated[str, AfterValidator(_url)]
Status = Annotated[int, Field(ge=100, le=599)]
Statuses = Annotated[list[Status], OneOrMore()]
Texts = Annotated[list[str], OneOrMore()]
Assertions = Annotated[dict[str, Any], BeforeValidator(_operators), WithJsonSchema({})]
CaptureName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Headers = dict[str, str]
MomentName = Literal["before", "candidate", "live", "rollback", "restore"]


class ExpectSection(Section):
    """What an answer must be like. All that is given must hold."""

    status: Statuses = Field(
        default_factory=list, description="The status, or those allowed; by default any 2xx.", examples=[201]
    )
    contains: Texts = Field(
        default_factory=list, description="Text, or texts, that the body must contain.", examples=["Welcome"]
    )
    max_time: PositiveDuration | None = Field(
        default=None, description="The longest time until it is complete.", examples=["500ms"]
    )
    headers: dict[str, Assertions] = Field(
        default_factory=dict,
        description="Values of headers, compared as those of `body`.",
        examples=[{"Content-Type": {"contains": "json"}}],
    )
    body: dict[JsonPath, Assertions] = Field(
        default_factory=dict,
        description="Values within a JSON body, by JSON path (RFC 9535): a value that must be equal, or comparisons "
        "among `equals`, `not`, `exists`, `matches`, `contains`, `at_least`, `at_most`, `length` and `type`.",
        examples=[{"$.status": "ok", "$.user.id": {"not": None}}],
    )


Expect = Annotated[ExpectSection, Bare("status")]


class RequestSection(Section):
    """One request of a flow."""

    send: Send = Field(
        description="Method and path, or a whole URL. `{{NAME}}` stands for a captured value, a variable of the "
        "environment or a secret, here and in every other text.",
        examples=["POST /api/v1/users"],
    )
    name: str | None = Field(default=None, description="What findings call it.", examples=["register"], min_length=1)
    headers: Headers = Field(
        default_factory=dict,
        description="Headers beside those of all checks.",
        examples=[{"Authorization": "Bearer {{TOKEN}}"}],
    )
    body: Any = Field(
        default=None,
        description="Sent as JSON; a text is sent as it is.",
        examples=[{"email": "test@example.com", "name": "Test User"}],
    )
    expect: Expect = Field(
        default=ExpectSection(), description="What must come back; a bare status is enough.", examples=[201]
    )
    capture: dict[CaptureName, Capture] = Field(
        default_factory=dict,
        description="Values to keep for later requests: a JSON path into the body, `header:NAME`, or `status`.",
        examples=[{"USER_ID": "$.id"}],
    )
    retries: int = Field(
        default=0,
        description="How many more times it is sent while the answer is not as expected.",
        examples=[3],
        ge=0,
        le=100,
    )
    pause: Duration = Field(default=1.0, description="Time between two of those.", examples=["1s"])


AnyRequest = Annotated[RequestSection, Bare("send")]


class CheckSection(Section):
    """What every check may say."""

    moments: list[MomentName] | None = Field(
        default=None,
        description="When it runs in a rollout: `before` anything changes, on the `candidate`'s own address before it "
        "gets traffic, on the users' address when it is `live`, after a `rollback`, after the `restore` of a database. "
        "By default the last four; what a service needs also `before`.",
        examples=[["candidate"]],
        min_length=1,
    )
    required: bool = Field(
        default=True, description="`false`: what is wrong is a warning and stops nothing.", examples=[False]
    )
    url: HttpUrl | None = Field(
        default=None,
        description="The base address in place of the one that is validated, as where TLS ends in front of Fairway.",
        examples=["https://shop.example"],
    )
    timeout: PositiveDuration | None = Field(
        default=None, description="Time for each request, in place of `validation.timeout`.", examples=["30s"]
    )


class PathSection(CheckSection):
    """A check of one path."""

    path: HttpPath = Field(default="/", description="Path of the request.", examples=["/api/v1/status"])
