"""The kinds of values that a configuration is made of; each says in one clause what is wrong with a bad one."""

import ipaddress
import re
import shlex
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from fairway.config.durations import LONGEST, PATTERN, parse_duration
from fairway.config.problems import quote, suggest

REFUSED = "fairway"
"""The type of our own errors among pydantic's."""

PERCENTAGE_PATTERN = r"^[0-9]+(\.[0-9]+)? ?%$"

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LISTEN = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[0-9.]+):(?P<port>[0-9]{1,5})")
_PLACEHOLDER = re.compile(r"\{([A-Za-z_]{1,20})\}")


def refuse(message: str, hint: str = "") -> PydanticCustomError:
    """An error whose message and hint reach the user as they are."""
    return PydanticCustomError(REFUSED, "{message}", {"message": message, "hint": hint})


def _text(value: Any, what: str, hint: str) -> str:
    if not isinstance(value, str):
        raise refuse(f"{quote(value)} is not {what}", hint)
    return value


def _name(value: str) -> str:
    if _NAME.fullmatch(value):
        return value
    hint = "names begin with a letter a to z and go on with at most 39 of a to z, 0 to 9 and -"
    raise refuse(f"{quote(value)} is not a valid name", hint)


def _duration(value: Any) -> float:
    hint = "write a number with its unit: 250ms, 30s, 5m or 1h30m"
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value == 0:
            return 0.0
        raise refuse(f"{quote(value)} has no unit", f"write {quote(value)}s for seconds or {quote(value)}m for minutes")
    text = _text(value, "a duration", hint)
    seconds = parse_duration(text.strip())
    if seconds is None:
        raise refuse(f"{quote(text)} is not a duration", hint)
    if seconds > LONGEST:
        raise refuse(f"{quote(text)} is longer than a year", hint)
    return seconds


def _positive(seconds: float) -> float:
    if seconds <= 0:
        raise refuse("must be longer than 0s")
    return seconds


def _percentage(value: Any) -> float:
    hint = "write a percentage such as 1% or 0.5%"
    text = _text(value, "a percentage", hint)
    found = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%", text)
    if not found or float(found[1]) > 100:
        raise refuse(f"{quote(text)} is not a percentage from 0% to 100%", hint)
    return float(found[1]) / 100


def _instance_count(value: Any) -> int | str:
    hint = "write a number of instances, or a part of them such as 25%"
    if isinstance(value, int) and not isinstance(value, bool):
        if 0 <= value <= 1000:
            return value
        raise refuse(f"{value} is not between 0 and 1000", hint)
    text = _text(value, "a number of instances", hint)
    if not re.fullmatch(r"(100|[0-9]{1,2})%", text):
        raise refuse(f"{quote(text)} is not a number of instances", hint)
    return text


#: Operators and redirections as words of their own, a list of commands, substitutions, variables.
_SHELL_WORD = re.compile(r"^(&&?|\|\|?|[0-9&]?(>>?|<<?).*)$|;$|`|\$\(|\$\{|^\$[A-Za-z_]|=\$[A-Za-z_]")


def _command(value: str) -> str:
    if "\0" in value:
        raise refuse("a command cannot hold the character U+0000")
    try:
        words = shlex.split(value)
    except ValueError as error:
        raise refuse(
            f"the quotes in {quote(value)} are not balanced", 'close the quote, or write \\" for one'
        ) from error
    if not words:
        raise refuse("the command is empty", "write the program and its arguments")
    meant_for_shell = _shell_word(value)
    if meant_for_shell is not None:
        hint = "write sh -c '…' around what a shell should do, or quotes around the word"
        raise refuse(f"{quote(meant_for_shell)} means something to a shell, and there is none here", hint)
    return value


def _shell_word(value: str) -> str | None:
    """The first word, outside of quotes, that would silently mean something else than its writer thinks."""
    try:
        words = shlex.split(value, posix=False)
    except ValueError:
        return None
    plain = (word for word in words if not set(word) & set("'\"\\"))
    return next((word for word in plain if _SHELL_WORD.search(word)), None)


def _run_command(value: str) -> str:
    _command(value)
    words = _PLACEHOLDER.findall(value)
    for word in words:
        meant = suggest(word, ("port", "host", "socket"))
        if word not in ("port", "host", "socket") and meant:
            raise refuse(f"{{{word}}} is not replaced by anything", f"did you mean {{{meant}}}?")
    other = next((word for word in words if word in ("port", "host")), None)
    if "socket" in words and other:
        hint = f"an instance listens on one of them: remove {{socket}} or {{{other}}}"
        raise refuse(f"{{socket}} and {{{other}}} cannot both be given", hint)
    return value


def _http_path(value: str) -> str:
    if not value.startswith("/"):
        raise refuse(f"the path {quote(value)} must begin with /")
    if re.search(r"[\s#\x00-\x1f\x7f]", value):
        raise refuse(f"the path {quote(value)} holds a space, a # or a control character", "write it percent-encoded")
    return value


def _token(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", value):
        return value
    raise refuse(f"{quote(value)} is not a name that HTTP allows", "write letters, digits, - and _")


def _file_path(value: str) -> str:
    if not value or "\0" in value:
        raise refuse(f"{quote(value)} is not a path")
    return value


def _variable_name(value: str) -> str:
    if _VARIABLE.fullmatch(value):
        return value
    hint = "names hold letters, digits and _ and do not begin with a digit"
    raise refuse(f"{quote(value)} is not a valid name for a variable", hint)


def _variable(value: str) -> str:
    if "\0" in value:
        raise refuse("the value cannot hold the character U+0000")
    return value


def _database(value: str) -> str:
    # A URL may hold a password: only its scheme is ever quoted.
    scheme = value.partition(":")[0]
    if re.match(r"(sqlite:///.|postgresql(\+psycopg)?://.)", value):
        return value
    hint = "write sqlite:///PATH or postgresql://USER@HOST/DATABASE"
    if scheme == value:
        raise refuse("this is not the URL of a database", hint)
    raise refuse(f"a database URL that begins with {quote(scheme + ':')} is not known", hint)


def parse_listen(value: object) -> tuple[str, int] | None:
    """Host and port of `host:port`; None if it is none. The host is an IP address, one of version 6 in brackets."""
    found = _LISTEN.fullmatch(value) if isinstance(value, str) else None
    if not found or not 0 < int(found["port"]) < 65536:
        return None
    try:
        host = ipaddress.ip_address(found["host"].strip("[]"))
    except ValueError:
        return None
    return str(host), int(found["port"])


def bare_word(key: str) -> Callable[[Any], Any]:
    """A validator that reads `canary` as `{kind: canary}`."""
    return lambda value: {key: value} if isinstance(value, str) else value


def bare_value(key: str) -> Callable[[Any], Any]:
    """A validator that reads `10` as `{weight: 10}`."""
    return lambda value: value if isinstance(value, dict | BaseModel) else {key: value}


class OneOrMore:
    """Lets an entry stand by itself where a list is meant: `run: make` is `run: [make]`, also in the JSON Schema."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The list, with what makes one of a bare entry before."""
        return core_schema.no_info_before_validator_function(_listed, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The list, or one entry of it."""
        listed = handler(schema)
        return {"anyOf": [listed["items"], listed]}


class Bare:
    """Lets the value of one key stand where a mapping is meant, here and in the JSON Schema.

    Args:
        key: `status` reads `201` as `{status: 201}`.
    """

    def __init__(self, key: str) -> None:
        self._key = key

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The mapping, with what makes one of a bare value before."""
        return core_schema.no_info_before_validator_function(bare_value(self._key), handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The mapping, or what stands under the key in it."""
        section = handler(schema)
        own = handler.resolve_ref_schema(section)["properties"][self._key]
        told = ("description", "default", "examples", "title")
        return {"anyOf": [{key: value for key, value in own.items() if key not in told}, section]}


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str | int) and not isinstance(value, bool) else value


Name = Annotated[str, AfterValidator(_name), Field(json_schema_extra={"pattern": f"^{_NAME.pattern}$"})]
Duration = Annotated[
    float, BeforeValidator(_duration), WithJsonSchema({"type": ["string", "integer"], "pattern": PATTERN})
]
PositiveDuration = Annotated[Duration, AfterValidator(_positive)]
Percentage = Annotated[
    float, BeforeValidator(_percentage), WithJsonSchema({"type": "string", "pattern": PERCENTAGE_PATTERN})
]
InstanceCount = Annotated[
    int | str,
    BeforeValidator(_instance_count),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[0-9]+%$"}]}),
]
Command = Annotated[str, AfterValidator(_command)]
RunCommand = Annotated[str, AfterValidator(_run_command)]
HttpPath = Annotated[str, AfterValidator(_http_path), Field(json_schema_extra={"pattern": "^/"})]
Token = Annotated[str, AfterValidator(_token)]
FilePath = Annotated[str, AfterValidator(_file_path)]
DatabaseUrl = Annotated[str, AfterValidator(_database)]
VariableName = Annotated[str, AfterValidator(_variable_name)]
Variables = Annotated[
    dict[VariableName, Annotated[str, AfterValidator(_variable)]],
    WithJsonSchema({"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}),
]
PresetName = Literal["strict", "balanced", "tolerant"]
