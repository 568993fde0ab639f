"""The settings of the router `envoy`."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

_UNITS = {"ms": 0.001, "s": 1.0}


def _address(value: Any) -> str:
    host, _, port = str(value).rpartition(":")
    if not isinstance(value, str) or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise PydanticCustomError("address", "{text} is not an address; write HOST:PORT", {"text": repr(value)[:60]})
    return value


def _seconds(value: Any) -> float:
    text = str(value)
    unit = "ms" if text.endswith("ms") else text[-1:]
    number = text.removesuffix(unit)
    if unit not in _UNITS or not number.replace(".", "", 1).isdecimal():
        raise PydanticCustomError("duration", "{text} is not a duration; write 250ms or 2s", {"text": repr(value)[:60]})
    return float(number) * _UNITS[unit]


Address = Annotated[str, BeforeValidator(_address)]


class EnvoySettings(BaseModel):
    """What may stand beside `kind: envoy`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    listen: Address = Field(description="Where users connect, `HOST:PORT`.", examples=["127.0.0.1:8000"])
    preview: Address | None = Field(
        default=None, description="Where only the candidate answers; default: a free port.", examples=["127.0.0.1:8001"]
    )
    try_timeout: Annotated[float, BeforeValidator(_seconds)] | None = Field(
        default=None,
        description="How long one try of a safe request may take before the fallback is tried; default: no limit.",
        examples=["250ms"],
    )
