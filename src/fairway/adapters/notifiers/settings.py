"""What `notify` in a configuration may say about each kind of receiver.

Secrets never stand here: what is secret is in an environment variable, and only that variable's name is written down.
"""

import difflib
import re
import shlex
from typing import Annotated, Any, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from fairway.domain.rollout.messages import MessageName

EVENTS: tuple[str, ...] = get_args(MessageName)
"""What a message can be about."""

TIMEOUT = 10.0
"""Seconds for one delivery, where a configuration does not say."""
_LONGEST = 20.0  # seconds; a message waits until the one before it is delivered, whoever the receiver
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a header's name by RFC 9110, section 5.6.2
_RESERVED = frozenset(
    {"content-length", "content-type", "host", "idempotency-key", "transfer-encoding"}
    | {"webhook-id", "webhook-timestamp", "webhook-signature"}
)


def _refuse(message: str, hint: str = "") -> PydanticCustomError:
    return PydanticCustomError("notifier", "{message}", {"message": message, "hint": hint})


def _event(value: str) -> str:
    if value in EVENTS:
        return value
    near = difflib.get_close_matches(value, EVENTS, n=1)
    hint = f"did you mean {near[0]}?" if near else ""
    raise _refuse(f"{value[:40]!r} is not an event; known are {', '.join(EVENTS)}", hint)


def _not_empty(events: tuple[str, ...]) -> tuple[str, ...]:
    if not events:
        raise _refuse("is empty, so that nothing would ever be sent", "remove the key to send everything")
    return events


def _timeout(value: Any) -> float:
    found = re.fullmatch(r"([0-9]{1,5}(?:\.[0-9]{1,3})?)(ms|s|m)", value) if isinstance(value, str) else None
    if found is None:
        raise _refuse(f"{value!r} is not a time limit", "write 500ms or 5s")
    return float(found[1]) * _SECONDS[found[2]]


def _check_range(seconds: float) -> float:
    if not 0.0 < seconds <= _LONGEST:
        raise _refuse(f"a time limit of {seconds:g} s is not possible", f"write more than 0s and at most {_LONGEST:g}s")
    return seconds


def _url(value: str) -> str:
    # What is in a URL may be secret: it is not quoted.
    hint = "write http://HOST/PATH or https://HOST/PATH"
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"[\s\x00-\x1f\x7f]", value):
        raise _refuse("this is not the URL of a receiver", hint)
    if parts.username or parts.password:
        raise _refuse("the URL holds a name or a password", "put the header's value into authorization_variable")
    return value


def _variable(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        # Somebody may have written the secret itself here: it is not quoted.
        raise _refuse("this is not the name of an environment variable", "write its name, such as HOOK_SECRET")
    return value


def _header_name(value: str) -> str:
    if not _TOKEN.fullmatch(value):
        raise _refuse(f"{value!r} is not the name of a header")
    if value.lower() in _RESERVED:
        raise _refuse(f"the header {value} is set by Fairway")
    if value.lower() == "authorization":
        raise _refuse("the header Authorization is secret", "put its value into authorization_variable")
    return value


def _header_value(value: str) -> str:
    if not value.isascii() or not value.isprintable() or value != value.strip():
        raise _refuse(f"{value!r} is not a possible value of a header", "only printable ASCII is")
    return value


def _line(value: str) -> str:
    try:
        words = shlex.split(value)
    except ValueError as problem:
        raise _refuse(f"the quotes in {value!r} are not balanced", "close every quote") from problem
    if not words or not words[0]:
        raise _refuse("the command is empty")
    if "\0" in value:
        raise _refuse("a command cannot hold the character U+0000")
    return value


Timeout = Annotated[
    float,
    BeforeValidator(_timeout),
    AfterValidator(_check_range),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?(ms|s|m)$"}),
]
VariableName = Annotated[str, AfterValidator(_variable)]
Event = Annotated[str, AfterValidator(_event), WithJsonSchema({"enum": list(EVENTS)})]
Events = Annotated[tuple[Event, ...], Field(strict=False), AfterValidator(_not_empty)]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    events: Events | None = Field(
        default=None,
        description="Which messages it gets; by default all.",
        examples=[["rolled-back", "attention-needed"]],
    )
    timeout: Timeout = Field(default=TIMEOUT, description="Time for one delivery, at most 20s.", examples=["5s"])


class WebhookSettings(_Settings):
    """`kind: webhook`: each message is sent as JSON in a POST request."""

    url: Annotated[str, AfterValidator(_url)] | None = Field(
        default=None, description="Where to send it.", examples=["https://chat.example/hook"]
    )
    url_variable: VariableName | None = Field(
        default=None,
        description="Name of the environment variable that holds the URL, in place of `url`, where it is secret.",
        examples=["CHAT_HOOK_URL"],
    )
    headers: dict[Annotated[str, AfterValidator(_header_name)], Annotated[str, AfterValidator(_header_value)]] = Field(
        default_factory=dict, description="Further headers; nothing secret.", examples=[{"X-Team": "shop"}]
    )
    authorization_variable: VariableName | None = Field(
        default=None,
        description="Name of the environment variable that holds the value of the header Authorization.",
        examples=["HOOK_AUTHORIZATION"],
    )
    secret_variable: VariableName | None = Field(
        default=None,
        description="Name of the environment variable that holds the secret for signatures by Standard Webhooks: "
        "whsec_ and 24 to 64 bytes in base64.",
        examples=["HOOK_SECRET"],
    )

    @model_validator(mode="after")
    def _has_one_url(self) -> "WebhookSettings":
        if (self.url is None) == (self.url_variable is None):
            raise _refuse("a webhook needs one of url and url_variable", "url: https://chat.example/hook")
        return self


class CommandSettings(_Settings):
    """`kind: command`: a program is run with each message as JSON on its standard input."""

    run: Annotated[str, AfterValidator(_line)] = Field(
        description="Argument line, split like a shell would; it runs in the folder of the configuration.",
        examples=["./tell-the-team.sh"],
    )
